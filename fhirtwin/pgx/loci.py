"""The defined positions by their coordinates, and what a VCF allele there is in the form of the definitions.

A variant can be written in several ways: left or right of a repeat, with bases before or behind it, together with its
neighbours. Alleles are compared by the sequence that they make of the surroundings, so all of these are one.

*Source*: https://www.ncbi.nlm.nih.gov/pmc/articles/PMC4481842/ (Tan, Abecasis, Kang 2015).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from fhirtwin.pgx.defined import Position, genes
from fhirtwin.pgx.genotype import UNDOCUMENTED


@dataclass(frozen=True, slots=True)
class Locus:
    """A position of a gene."""

    gene: str
    position: Position


@dataclass(frozen=True, slots=True)
class Chromosome:
    """The loci of one chromosome.

    Attributes:
        touched: coordinate to the loci whose context it lies in.
        starts: the coordinates at which loci start, in order.
        at: start to the loci that start there.
    """

    touched: Mapping[int, tuple[Locus, ...]]
    starts: Sequence[int]
    at: Mapping[int, tuple[Locus, ...]]

    def overlapping(self, first: int, last: int) -> list[Locus]:
        """Gives the loci whose context meets this stretch."""
        found = {id(locus): locus for locus in self.touched.get(first, ())}
        for start in self.starts[bisect_left(self.starts, first) : bisect_right(self.starts, last)]:
            found |= {id(locus): locus for locus in self.at[start]}
        return list(found.values())

    def starting(self, first: int, last: int) -> list[Locus]:
        """Gives the loci that start within this stretch."""
        within = self.starts[bisect_left(self.starts, first) : bisect_right(self.starts, last)]
        return [locus for start in within for locus in self.at[start]]


@cache
def chromosomes() -> Mapping[str, Chromosome]:
    """Gives the chromosomes by both of their usual names, `chr1` and `1`."""
    loci: dict[str, list[Locus]] = {}
    for gene in genes().values():
        loci.setdefault(gene.chromosome, []).extend(Locus(gene.name, position) for position in gene.positions)
    found = {name: _chromosome(those) for name, those in loci.items()}
    return found | {name.removeprefix("chr"): one for name, one in found.items()}


def _chromosome(loci: list[Locus]) -> Chromosome:
    touched: dict[int, tuple[Locus, ...]] = {}
    at: dict[int, tuple[Locus, ...]] = {}
    for locus in loci:
        start = locus.position.start
        at[start] = (*at.get(start, ()), locus)
        for place in range(start, locus.position.end + 1):
            touched[place] = (*touched.get(place, ()), locus)
    return Chromosome(touched, sorted(at), at)


def reference_agrees(position: Position, start: int, reference: str) -> bool:
    """Says whether a record's reference bases are those of the genome, where both are known."""
    first = max(start, position.start)
    last = min(start + len(reference), position.end + 1)
    if first >= last:
        return True
    mine = position.context[first - position.start : last - position.start]
    return mine == reference[first - start : last - start]


def bases_at(position: Position, start: int, reference: str, allele: str) -> str | None:
    """Gives what an allele of a record makes of a position, in the form of its definition.

    Returns:
        The bases; `UNDOCUMENTED` when the position is changed in a way that no definition knows; None when the allele
        leaves the position as it is.
    """
    if allele == reference:
        return None
    before = reference[: max(0, position.start - start)]
    behind = reference[max(0, position.end + 1 - start) :] if start <= position.end else ""
    whole = before + position.context + behind
    first = min(start, position.start)
    made = whole[: start - first] + allele + whole[start - first + len(reference) :]
    for alternate in position.alternates:
        if made == before + alternate + position.context[len(position.reference) :] + behind:
            return alternate
    return _otherwise(position, start, reference, allele)


def _otherwise(position: Position, start: int, reference: str, allele: str) -> str | None:
    """Judges a change that is none of the defined ones by what it does to the defined bases."""
    start, reference, allele = _trimmed(start, reference, allele)
    if position.changes_length:
        same_kind = len(reference) != len(allele)
        meets = start <= position.end and start + max(len(reference), 1) - 1 >= position.start
        return UNDOCUMENTED if same_kind and meets else None
    if start + len(reference) - 1 < position.start or start > position.start + len(position.reference) - 1:
        return None
    if not reference:
        return None
    if len(reference) != len(allele):
        return UNDOCUMENTED
    offset = start - position.start
    bases = list(position.reference)
    for place, base in enumerate(allele, offset):
        if 0 <= place < len(bases):
            bases[place] = base
    made = "".join(bases)
    return None if made == position.reference else made


def _trimmed(start: int, reference: str, allele: str) -> tuple[int, str, str]:
    """Takes away what both have in common: behind first, then before."""
    while reference and allele and reference[-1] == allele[-1]:
        reference, allele = reference[:-1], allele[:-1]
    while reference and allele and reference[0] == allele[0]:
        start, reference, allele = start + 1, reference[1:], allele[1:]
    return start, reference, allele
