"""The files that a browser runs for `/my-twin`. `npm` builds them of `browser/`; none of them is in the repository.

Each build has an address of its own, so browsers may keep what they got for good.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "built"
_MANIFEST: Final = "manifest.json"
_PREDICTORS: Final = "predictors/"
_TYPES: Final = {".js": "text/javascript", ".wasm": "application/wasm", ".txt": "text/plain"}

KEPT: Final = "public, max-age=31536000, immutable"
"""What browsers are told about a file: it never changes at its address."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """One build.

    Attributes:
        digest: in the address of each file.
        files: their names, from the folder of the build.
    """

    folder: Path
    digest: str
    files: frozenset[str]

    @property
    def predictors(self) -> frozenset[str]:
        """Ids of those whose inputs it can make features of."""
        return frozenset(
            name.removeprefix(_PREDICTORS).removesuffix(".js") for name in self.files if name.startswith(_PREDICTORS)
        )

    @property
    def scripts(self) -> tuple[str, ...]:
        """What a page loads at once, in the order of their names."""
        return tuple(sorted(name for name in self.files if name.endswith(".js")))

    def content(self, digest: str, name: str) -> tuple[bytes, str] | None:
        """A file and its type; None when it is not of this build."""
        if digest != self.digest or name not in self.files:
            return None
        return (self.folder / name).read_bytes(), _TYPES[Path(name).suffix]


def find(folder: Path = FOLDER) -> Bundle | None:
    """The build that is there; None when there is none, or one that was cut short."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        digest, files = str(manifest["digest"]), frozenset(map(str, manifest["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    whole = all((folder / name).is_file() and Path(name).suffix in _TYPES for name in files)
    return Bundle(folder, digest, files) if whole else None
