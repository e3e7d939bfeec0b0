"""Combinations and partial alleles, for research: what a strand carries when no defined pair of alleles explains it.

A combination is several named alleles on one strand, `[*2 + *3]`; what is left over is named by its place, `g.100C>T`.
Only looked for when nothing else explains the sample, and only on request: no guideline knows them.

*Source*: https://pharmcat.clinpgx.org/methods/NamedAlleleMatcher-201/ (combinations and partial alleles).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fhirtwin.pgx.calls import Diplotype, Strand, in_order
from fhirtwin.pgx.defined import Gene, NamedAllele
from fhirtwin.pgx.genotype import UNDOCUMENTED
from fhirtwin.pgx.matching import Block, Genotypes, arrangements, blocks, on_copy, top

MOST_BLOCKS: Final = 10
"""More positions than these of unknown strand (512 arrangements) are not combined."""

_Bases = Mapping[int, str]


def combined(gene: Gene, genotypes: Genotypes) -> tuple[Diplotype, ...]:
    """Gives the combinations that explain the sample with the best score; none when it cannot be told."""
    turnable = list(blocks(genotypes))
    if len(turnable) > MOST_BLOCKS or any(len(one.bases) != 2 or None in one.bases for one in genotypes.values()):
        return ()
    found = list(_arranged(gene, genotypes, turnable))
    return top(sorted({one.label: one for one in found}.values(), key=lambda one: (-one.score, one.label)))


def _arranged(gene: Gene, genotypes: Genotypes, turnable: Sequence[Block]) -> Iterator[Diplotype]:
    known = len(turnable) <= 1
    for turned in arrangements(turnable):
        strands = [_strand(gene, genotypes, copy, turned, known=known) for copy in (0, 1)]
        if all(strands):
            yield Diplotype.of(*(one[0] for one in strands if one), score=sum(one[1] for one in strands if one))


def _strand(
    gene: Gene, genotypes: Genotypes, copy: int, turned: frozenset[int], *, known: bool
) -> tuple[Strand, int] | None:
    bases = {index: base or "" for index, base in on_copy(genotypes, copy, turned).items()}
    changed = {i for i, base in bases.items() if base != gene.positions[i].reference}
    if not changed:
        return Strand((gene.reference,)), len(bases)
    chosen, left = _cover(gene, bases, changed)
    if left and not chosen and not known:
        return None
    places = [_place(gene, index, bases[index], genotypes[index].other) for index in sorted(left)]
    covered = sum(index in bases for allele in chosen for index in allele.bases)
    names = sorted((allele.name for allele in chosen), key=in_order)
    return Strand((*names, *places)), covered - len(names) - len(places) + 1


def _cover(gene: Gene, bases: _Bases, changed: set[int]) -> tuple[list[NamedAllele], set[int]]:
    """Takes the alleles that explain most of what is changed, the largest first; gives them and what is left."""
    present = [
        allele
        for allele in gene.alleles
        if allele.name != gene.reference
        and any(index in changed for index in allele.bases)
        and all(bases[index] in wanted for index, wanted in allele.bases.items() if index in bases)
    ]
    chosen: list[NamedAllele] = []
    left = set(changed)
    while best := max(present, key=lambda allele: len(left & allele.bases.keys()), default=None):
        if not left & best.bases.keys():
            break
        chosen.append(best)
        left -= best.bases.keys()
    return chosen, left


def _place(gene: Gene, index: int, base: str, other: str) -> str:
    position = gene.positions[index]
    return f"g.{position.start}{position.reference}>{other if base == UNDOCUMENTED else base}"
