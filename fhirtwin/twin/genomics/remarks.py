"""What this server wrote beside a Genotype: how it was called, what was not tested, and notes; read again as they were.

Notes of others are free text and are not read. Here they travel as lines of the fact's note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx import coverage
from fhirtwin.pgx.calls import MAY_BE
from fhirtwin.pgx.coverage import Coverage
from fhirtwin.pgx.known import METHODS, SOURCES
from fhirtwin.terms.systems import profile
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import items, text
from fhirtwin.twin.state import Fact

OURS: Final = profile("genotype")
LABORATORY: Final = "laboratory report"
MOST: Final = 20
"""Notes of one Genotype that are read."""
LONGEST: Final = 20_000
_SOURCES: Final = {method: SOURCES[name] for name, method in METHODS.items()}


@dataclass(frozen=True, slots=True)
class Remarks:
    """What stands beside the diplotypes of one gene.

    Attributes:
        source: where they come from, for people.
        notes: for people.
        coverage: what none of them tested.
    """

    source: str
    notes: tuple[str, ...]
    coverage: Coverage | None


def written(resource: Resource) -> str:
    """Give the lines that a Genotype of this server has; empty for that of anybody else."""
    meta = resource.get("meta")
    if not isinstance(meta, dict) or OURS not in (meta.get("profile") or ()):
        return ""
    notes = [" ".join(text(note, "text").split()) for note in items(resource, "note")][:MOST]
    method = text(resource.get("method"), "text") if isinstance(resource.get("method"), dict) else ""
    lines = [*([method] if method in _SOURCES else []), *(note[:LONGEST] for note in notes if note)]
    return "\n".join(lines)


def contradicting(resource: Resource) -> str:
    """Give the lines by which a Genotype of this server, not called, names the results that contradict one another."""
    return "\n".join(line for line in written(resource).split("\n") if line.startswith(MAY_BE))


def of(facts: Iterable[Fact]) -> Remarks:
    """Put together what stands beside the diplotypes of one gene."""
    lines = [fact.note.split("\n") if fact.note else [] for fact in facts]
    sources = dict.fromkeys(_source(each) for each in lines)
    open_ = coverage.together([_coverage(each) for each in lines])
    notes = (one for each in lines for one in each if one not in _SOURCES and coverage.read(one) is None)
    return Remarks(" and ".join(sources) or LABORATORY, tuple(dict.fromkeys(notes)), open_)


def _source(lines: Sequence[str]) -> str:
    return next((_SOURCES[one] for one in lines if one in _SOURCES), LABORATORY)


def _coverage(lines: Sequence[str]) -> Coverage | None:
    return next((found for one in lines if (found := coverage.read(one))), None)
