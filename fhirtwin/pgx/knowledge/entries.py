"""What was read: entries by drug, and which files they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

SOURCES = ("CPIC", "DPWG", "FDA")


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of text about one drug.

    Texts are plain: markup was taken out, and what is left may not be written into HTML or Markdown unescaped.

    Attributes:
        drug: ingredient, in small letters.
        source: who says it: `CPIC`, `DPWG`, `FDA`, or what the file names.
        genes: HGNC symbols.
        text: what is said.
        licence: under which it may be shown; never empty.
        url: page of it, or empty.
        version: of the text, or the day of the file's snapshot; empty where the file tells none.
        population: for whom; empty for everybody.
        strength: as the source words it (`Strong`).
        keys: gene and value for which it holds, each a set of its own; empty where it holds for all.
        implications: what a value means for the drug.
        file: name of the file within the folder.
    """

    drug: str
    source: str
    genes: tuple[str, ...]
    text: str
    licence: str
    url: str = ""
    version: str = ""
    population: str = ""
    strength: str = ""
    keys: tuple[tuple[tuple[str, str], ...], ...] = ()
    implications: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file that was read: its format, how many entries it gave, and their licences."""

    name: str
    format: str
    entries: int
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that a folder gave; does not change afterwards.

    Attributes:
        files: that were read.
        passed_over: names of files that hold no texts for people (licences, tables for computing).
    """

    by_drug: Mapping[str, tuple[Entry, ...]] = field(default_factory=lambda: MappingProxyType({}))
    files: tuple[FileRead, ...] = ()
    passed_over: tuple[str, ...] = ()

    def of_drug(self, name: str) -> tuple[Entry, ...]:
        """Give all that is said of an ingredient, in any case; nothing where nothing is known."""
        return self.by_drug.get(name.strip().casefold(), ())

    def __len__(self) -> int:
        return sum(len(entries) for entries in self.by_drug.values())


NOTHING = Knowledge()
