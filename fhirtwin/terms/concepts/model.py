"""How a concept set is written down: which codes mean which fact, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from fhirtwin.terms.systems import ATC, ICD10, ICD10CM

HIERARCHIES: Final = frozenset({ICD10, ICD10CM, ATC})
"""Systems in which a longer code is a kind of the shorter one it begins with, so that a row stands for its category."""


class Code(NamedTuple):
    """A code and the system that gives it its meaning."""

    system: str
    code: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code stands for here.

    Attributes:
        fact: a name of `fhirtwin.terms.facts`.
        code: the row that matched; for a hierarchy it may be the category of the code asked for.
        display: the code system's own words for that row.
    """

    fact: str
    code: Code
    display: str


@dataclass(frozen=True, slots=True)
class ConceptSet:
    """Rows of one code system that all mean the same fact.

    Attributes:
        fact: a name of `fhirtwin.terms.facts`.
        system: canonical URL of the code system.
        source: where the rows were read.
        rows: code to display.
    """

    fact: str
    system: str
    source: str
    rows: Mapping[str, str]


class Table:
    """Concept sets made ready to be asked for one code at a time."""

    def __init__(self, sets: Iterable[ConceptSet]) -> None:
        self.sets = tuple(sets)
        self.facts = frozenset(s.fact for s in self.sets)
        self._rows: dict[Code, tuple[Meaning, ...]] = {}
        for concepts in self.sets:
            for code, display in concepts.rows.items():
                key = Code(concepts.system, code)
                self._rows[key] = (*self._rows.get(key, ()), Meaning(concepts.fact, key, display))

    def meanings(self, code: Code) -> tuple[Meaning, ...]:
        """Give all that a code means, most often nothing or one thing; one code may mean two (I13.2)."""
        if code.system not in HIERARCHIES:
            return self._rows.get(code, ())
        found: dict[str, Meaning] = {}
        for length in range(len(code.code), 0, -1):
            for meaning in self._rows.get(Code(code.system, code.code[:length]), ()):
                found.setdefault(meaning.fact, meaning)
        return tuple(found.values())

    def one(self, code: Code) -> Meaning | None:
        """Give what a code means where a table has at most one meaning for each code."""
        meanings = self.meanings(code)
        return meanings[0] if meanings else None
