"""The defined positions and named alleles of 20 genes, on GRCh38."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).parent / "definitions" / "alleles.json"

AMBIGUOUS: Final = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
"""Letters of the IUPAC code that stand for several bases: an allele so written does not mind which of them it has."""


@dataclass(frozen=True, slots=True)
class Position:
    """One place that defines alleles.

    Attributes:
        index: its number within the gene.
        start: coordinate of the first base of `reference`.
        reference: bases of the reference genome.
        alternates: the other bases that the definitions know, in VCF form.
        rsid: its name in dbSNP, or empty.
        context: reference from `start` to the last base to which an insertion or deletion can be shifted.
    """

    index: int
    start: int
    reference: str
    alternates: tuple[str, ...]
    rsid: str
    context: str

    @property
    def end(self) -> int:
        """Gives the coordinate of the last base of the context."""
        return self.start + len(self.context) - 1

    @property
    def changes_length(self) -> bool:
        """Says whether this is an insertion, a deletion or a repeat."""
        return any(len(alternate) != len(self.reference) for alternate in self.alternates)


@dataclass(frozen=True, slots=True)
class NamedAllele:
    """A named allele: the bases that it needs at some positions; elsewhere it is as the reference."""

    name: str
    bases: Mapping[int, frozenset[str]]


@dataclass(frozen=True)
class Gene:
    """All that is defined of one gene."""

    name: str
    chromosome: str
    reference: str
    positions: tuple[Position, ...]
    alleles: tuple[NamedAllele, ...]
    required: frozenset[int]
    picks: Mapping[frozenset[str], str]

    @cached_property
    def by_name(self) -> Mapping[str, NamedAllele]:
        """Gives the alleles by their names."""
        return {allele.name: allele for allele in self.alleles}

    @cached_property
    def by_rsid(self) -> Mapping[str, Position]:
        """Gives the positions by their names in dbSNP, those that have one."""
        return {position.rsid: position for position in self.positions if position.rsid}

    @cached_property
    def documented(self) -> Sequence[frozenset[str]]:
        """Gives the bases that the reference or an allele has, by number of the position."""
        known = [{position.reference} for position in self.positions]
        for allele in self.alleles:
            for index, bases in allele.bases.items():
                known[index] |= bases
        return [frozenset(bases) for bases in known]


@cache
def genes() -> Mapping[str, Gene]:
    """Gives the genes by their symbols."""
    found = (_gene(row) for row in json.loads(TABLE.read_text(encoding="utf-8")))
    return {gene.name: gene for gene in found}


def _gene(row: Mapping[str, Any]) -> Gene:
    positions = tuple(
        Position(index, start, reference, tuple(alternates), rsid, rest[0] if rest else reference)
        for index, (start, reference, alternates, rsid, *rest) in enumerate(row["positions"])
    )
    alleles = tuple(
        NamedAllele(name, _bases(given, positions, is_reference=name == row["reference"]))
        for name, given in row["alleles"].items()
        if name not in row.get("ignored", ())
    )
    picks = {frozenset(choice): choice[0] for choice in row.get("unphased", ())}
    required = frozenset(row.get("required", ()))
    return Gene(row["gene"], row["chromosome"], row["reference"], positions, alleles, required, picks)


def _bases(
    given: Mapping[str, str], positions: tuple[Position, ...], *, is_reference: bool
) -> dict[int, frozenset[str]]:
    if is_reference:
        return {position.index: frozenset((position.reference,)) for position in positions}
    return {int(index): frozenset(AMBIGUOUS.get(bases, (bases,))) for index, bases in given.items()}
