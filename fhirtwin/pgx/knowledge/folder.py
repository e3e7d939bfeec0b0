"""Read a folder of guideline texts: every file is understood, known to hold none, or an error that names it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from fhirtwin.errors import Incorrect, Issue
from fhirtwin.pgx.knowledge import bounded, clinpgx, cpic_rows, fda_index, licences
from fhirtwin.pgx.knowledge.entries import NOTHING, Entry, FileRead, Knowledge
from fhirtwin.pgx.knowledge.plain import Wrong

MOST_FILES: Final = 2000
MOST_ENTRIES: Final = 200_000
MOST_BYTES: Final = 256 * 1024 * 1024
DEEPEST: Final = 8
READ: Final = (".json", ".jsonl", ".tsv")
PACKED: Final = (".gz", ".zip", ".bz2", ".xz", ".zst", ".tar", ".tgz")
# Tables of the same layout that serve computing, which this project does from tables of its own.
NO_TEXTS: Final = (
    "*/alleles.tsv",
    "*/pair_rules.tsv",
    "*/activity_score_rules.tsv",
    "*/gene_summary.tsv",
    "*/genes.tsv",
    "*/drugs.tsv",
    "*/changelog_to_*.tsv",
    "*/diplotypes/*.tsv.gz",
)
_DAY: Final = re.compile(r"(?<!\d)(\d{4}-\d{2}(?:-\d{2})?)(?!\d)")
Progress = Callable[[int, int, str], None]


def load(path: str | Path, progress: Progress | None = None) -> Knowledge:
    """Read a folder; an empty path gives nothing.

    Args:
        path: `pgx_kb_path` as set.
        progress: is told how many files are read, of how many, and which comes next.

    Raises:
        Incorrect: with one issue for every file that cannot be read, each named with the reason.
    """
    if not str(path):
        return NOTHING
    root = Path(path)
    if not root.is_dir():
        raise Incorrect(f"FHIRTWIN_PGX_KB_PATH: {root} is not a folder; name one, or leave the setting empty.")
    names = _files(root)
    texts = [name for name in names if name.endswith((*READ, *PACKED)) and not _without(name)]
    reader = _Reader(root)
    problems = []
    for done, name in enumerate(texts):
        if progress:
            progress(done, len(texts), name)
        try:
            reader.read(name)
        except (Wrong, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f"{root / name}: {why}")
    problems += reader.finish()
    if problems:
        raise Incorrect(
            f"FHIRTWIN_PGX_KB_PATH: {len(problems)} of {len(texts)} files cannot be read, so none is used; correct "
            f"them or take them out of the folder. The first: {problems[0]}.",
            issues=[Issue("invalid", problem) for problem in problems],
        )
    return reader.knowledge(tuple(name for name in names if name not in texts))


def _without(name: str) -> bool:
    return any(fnmatchcase("/" + name, pattern) for pattern in NO_TEXTS)


def _files(root: Path) -> list[str]:
    """Name the regular files, within limits; those whose names begin with a dot do not count."""
    found, size = [], 0
    for folder, inner, names in os.walk(root):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        inner[:] = sorted(name for name in inner if not name.startswith(".")) if depth < DEEPEST else []
        for name in sorted(names):
            file = here / name
            if name.startswith(".") or not file.is_file():
                continue
            found.append(file.relative_to(root).as_posix())
            size += file.stat().st_size
            if len(found) > MOST_FILES or size > MOST_BYTES:
                limit = f"{MOST_FILES:,} files or {MOST_BYTES // 1024 // 1024} MiB"
                raise Incorrect(f"FHIRTWIN_PGX_KB_PATH: {root} has more than {limit}; is it the right folder?")
    return sorted(found)


class _Reader:
    """Collects entries; rows of CPIC that name a drug by its id wait until every file was seen."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._licences = licences.Licences(root)
        self._entries: list[Entry] = []
        self._files: list[FileRead] = []
        self._drugs: dict[str, str] = {}
        self._waiting: list[tuple[str, str, list[Any]]] = []

    def read(self, name: str) -> None:
        """Read one file."""
        path = self._root / name
        if name.endswith(PACKED):
            raise Wrong("is packed; unpack it, or take it out")
        if path.name == fda_index.NAME:
            self._keep(name, "FDA index", fda_index.read(path, self._licence(name)))
        elif name.endswith(".tsv"):
            raise Wrong(f"is no table that is known here; {fda_index.NAME} is")
        elif name.endswith(".jsonl"):
            self._lines(name, path)
        else:
            self._json(name, bounded.parse(bounded.text(path)))

    def finish(self) -> list[str]:
        """Read the rows that waited for names of drugs, and say what is wrong with them."""
        problems = []
        for name, kind, rows in self._waiting:
            try:
                self._keep(name, kind, self._rows(name, rows))
            except Wrong as error:
                problems.append(f"{self._root / name}: {error}")
        return problems

    def knowledge(self, passed_over: tuple[str, ...]) -> Knowledge:
        """Give what was read."""
        found: dict[str, list[Entry]] = {}
        for entry in self._entries:
            found.setdefault(entry.drug, []).append(entry)
        by_drug = MappingProxyType({drug: tuple(entries) for drug, entries in sorted(found.items())})
        return Knowledge(by_drug, tuple(sorted(self._files, key=lambda one: one.name)), passed_over)

    def _lines(self, name: str, path: Path) -> None:
        def every() -> Iterator[Entry]:
            number = 0
            for number, value in bounded.lines(path):
                try:
                    if clinpgx.is_one(value):
                        yield from clinpgx.read(value, _day(name), self._licence(name))
                    elif cpic_rows.is_one(value):
                        yield from cpic_rows.read(value, _day(name), self._licence(name), self._drugs)
                    else:
                        raise Wrong("is neither an annotation of ClinPGx nor a recommendation of CPIC")
                except Wrong as error:
                    raise Wrong(f"line {number} {error}") from None
            if not number:
                raise Wrong("is empty")

        self._keep(name, "JSON a line", every())

    def _json(self, name: str, value: Any) -> None:
        if clinpgx.is_one(value):
            self._keep(name, "PharmCAT guideline", clinpgx.read(value, _day(name), self._licence(name)))
        elif isinstance(value, dict) and isinstance(value.get("guidelines"), list):
            self._keep(name, "PharmCAT prescribing guidance", self._guidance(name, value))
        elif isinstance(value, list) and value and all(map(cpic_rows.is_drug, value)):
            self._drugs |= cpic_rows.drug_names(value)
            self._files.append(FileRead(name, "CPIC API drugs", 0, ()))
        elif (
            isinstance(value, list) and value and all(cpic_rows.is_one(one) or cpic_rows.is_pair(one) for one in value)
        ):
            self._waiting.append((name, "CPIC API", value))
        else:
            raise Wrong(
                "is no JSON that is known here: neither of PharmCAT (2.12 or newer) nor an answer of CPIC's API "
                "(recommendation_view, recommendation, drug, pair)"
            )

    def _guidance(self, name: str, value: Mapping[str, Any]) -> Iterator[Entry]:
        version = value.get("version")
        for number, one in enumerate(value["guidelines"], 1):
            try:
                if not clinpgx.is_one(one):
                    raise Wrong("is no annotation")
                yield from clinpgx.read(one, version if isinstance(version, str) else _day(name), self._licence(name))
            except Wrong as error:
                raise Wrong(f"guideline {number} {error}") from None

    def _rows(self, name: str, rows: list[Any]) -> Iterator[Entry]:
        for number, row in enumerate(rows, 1):
            read = cpic_rows.read if cpic_rows.is_one(row) else cpic_rows.read_pair
            try:
                yield from read(row, _day(name), self._licence(name), self._drugs)
            except Wrong as error:
                raise Wrong(f"row {number} {error}") from None

    def _licence(self, name: str) -> clinpgx.License:
        return lambda known: self._licences.of(name, known)

    def _keep(self, name: str, kind: str, entries: Iterator[Entry]) -> None:
        found = [replace(entry, file=name) for entry in entries]
        if len(self._entries) + len(found) > MOST_ENTRIES:
            raise Wrong(f"brings the folder above {MOST_ENTRIES:,} texts")
        self._entries += found
        self._files.append(FileRead(name, kind, len(found), tuple(dict.fromkeys(one.licence for one in found))))


def _day(name: str) -> str:
    """Read the day of the snapshot from a file's name (`recommendations_2023-08.jsonl`)."""
    found = _DAY.search(name.rsplit("/", 1)[-1])
    return found.group(1) if found else ""
