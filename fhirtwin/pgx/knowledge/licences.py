"""Under which licence a text may be shown: what the folder says of the file, what is known of the format, LICENSE.

A text of which none of the three speaks is refused.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from fhirtwin.pgx.knowledge import bounded, plain

CC0: Final = "CC0 1.0 (CPIC)"
CC_BY_SA: Final = "CC BY-SA 4.0 (ClinPGx)"
PUBLIC_DOMAIN: Final = "US public domain (FDA)"
NAMES: Final = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "LICENCE.md", "LICENCE.txt")
TABLE: Final = "SOURCES.md"


class Licences:
    """What the files of one folder are licensed under."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stated = _stated(root / TABLE)

    def of(self, name: str, known: str = "") -> str:
        """Give the licence of a file: that of its row in SOURCES.md, else the format's, else that of a LICENSE.

        Args:
            name: of the file within the folder.
            known: the licence that texts of this format and source have, where one is known.
        """
        row = next((licence for pattern, licence in self._stated if fnmatchcase(name, pattern)), "")
        found = row or known or self._beside(name)
        if not found:
            raise plain.Wrong(
                f"has texts of which no licence is stated; put a {TABLE} (columns path, licence) into the folder, or "
                "a LICENSE beside the file"
            )
        return found

    def _beside(self, name: str) -> str:
        folder = (self._root / name).parent
        while True:
            for one in NAMES:
                if (folder / one).is_file():
                    return _title(folder / one)
            if folder == self._root:
                return ""
            folder = folder.parent


def _title(path: Path) -> str:
    """Take the first line that says something."""
    for line in bounded.text(path).splitlines():
        if text := line.strip(" #*=-\t"):
            return plain.of(text[: plain.LONGEST_NAME])
    return ""


def _stated(path: Path) -> list[tuple[str, str]]:
    """Read the table of SOURCES.md: a pattern of names, and its licence."""
    if not path.is_file():
        return []
    rows = [_cells(line) for line in bounded.text(path).splitlines() if line.lstrip().startswith("|")]
    header = [cell.casefold() for cell in rows[0]] if rows else []
    licence = next((at for at, cell in enumerate(header) if cell in ("licence", "license")), None)
    if "path" not in header or licence is None:
        return []
    where = header.index("path")
    return [
        (pattern, plain.of(row[licence][: plain.LONGEST_NAME]))
        for row in rows[1:]
        if len(row) == len(header) and set(row[where]) - set("-: ") and row[licence]
        for pattern in _patterns(row[where])
    ]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _patterns(cell: str) -> list[str]:
    """Split `cpic/a.tsv, b.tsv` into the two files of that folder."""
    found: list[str] = []
    folder = ""
    for part in cell.split(","):
        name = part.strip().strip("`")
        if "/" in name:
            folder = name.rsplit("/", 1)[0] + "/"
        elif found:
            # The row's first name told the folder; `diplotypes/*` names its own.
            name = folder + name
        found.append(name)
    return found
