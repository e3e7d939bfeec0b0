"""Finds the pairs of named alleles that explain a sample.

An allele asks for some bases at the positions that define it and for the reference at the others. Positions that the
file does not show drop out, and with them alleles of which nothing is left. The score of an allele is the number of
its defining positions that are shown; that of a pair is the sum.

Strands are not enumerated: positions fall into blocks whose orientation is independent (each unphased heterozygous
position for itself, all of a phase set together), and a pair explains the sample when every block can be turned so that
it fits. That is the same set of pairs, and never exponential.

*Source*: https://pharmcat.clinpgx.org/methods/NamedAlleleMatcher-101/ (scores, missing positions, permutations).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

from fhirtwin.pgx.calls import Diplotype, Strand
from fhirtwin.pgx.defined import Gene, NamedAllele
from fhirtwin.pgx.genotype import Genotype

Genotypes = Mapping[int, Genotype]
Block = Sequence[tuple[int, Genotype]]
"""Positions whose orientation is known among them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An allele as far as the shown positions go.

    Attributes:
        allele: which.
        reference: what it asks for elsewhere than at its own positions, by number of the position.
        score: how many of its own positions are shown.
    """

    allele: NamedAllele
    reference: Sequence[frozenset[str]]
    score: int

    def wants(self, index: int) -> frozenset[str]:
        """Gives the bases that it asks for at a position."""
        return self.allele.bases.get(index) or self.reference[index]

    def fits(self, block: Iterable[tuple[int, str | None]]) -> bool:
        """Says whether these bases are what the allele asks for."""
        return all(base in self.wants(index) for index, base in block)


def unseen(gene: Gene, genotypes: Genotypes) -> tuple[str, ...]:
    """Names the alleles that the shown positions cannot tell: none of their own is among them."""
    return tuple(allele.name for allele in gene.alleles if allele.bases.keys().isdisjoint(genotypes))


def _seen(gene: Gene, genotypes: Genotypes) -> list[Candidate]:
    """Gives the alleles that the shown positions can tell."""
    reference = [frozenset((position.reference,)) for position in gene.positions]
    every = (Candidate(one, reference, sum(index in genotypes for index in one.bases)) for one in gene.alleles)
    return [one for one in every if one.score]


def pairs(gene: Gene, genotypes: Genotypes) -> list[Diplotype]:
    """Gives every pair of alleles that explains the sample, the best first."""
    turnable = list(blocks(genotypes))
    same = [(index, one.bases[0]) for index, one in genotypes.items() if not one.heterozygous]
    seen = [one for one in _seen(gene, genotypes) if one.fits(same) and _possible(one, turnable)]
    found = [
        Diplotype.of(Strand((one.allele.name,)), Strand((two.allele.name,)), score=one.score + two.score)
        for one, two in combinations_with_replacement(seen, 2)
        if all(_explained(one, two, block) for block in turnable)
    ]
    return _best_first(found)


def singles(gene: Gene, genotypes: Genotypes) -> list[Diplotype]:
    """Gives every allele that explains the one copy of a haploid sample, the best first."""
    shown = [(index, one.bases[0]) for index, one in genotypes.items()]
    fitting = (one for one in _seen(gene, genotypes) if one.fits(shown))
    return _best_first(Diplotype.of(Strand((one.allele.name,)), score=one.score) for one in fitting)


def top(found: Sequence[Diplotype]) -> tuple[Diplotype, ...]:
    """Gives those with the best score."""
    return tuple(one for one in found if one.score == found[0].score)


def blocks(genotypes: Genotypes) -> Iterator[Block]:
    """Gives the heterozygous positions in groups whose orientation is known within the group, and not between them."""
    phased: dict[str, list[tuple[int, Genotype]]] = {}
    for index, one in sorted(genotypes.items()):
        if one.heterozygous and one.phased:
            phased.setdefault(one.phase_set, []).append((index, one))
        elif one.heterozygous:
            yield [(index, one)]
    yield from phased.values()


def arrangements(turnable: Sequence[Block]) -> Iterator[frozenset[int]]:
    """Gives the positions that are turned, for each way to put blocks together; which strand is first is not told."""
    for turns in product((False, True), repeat=max(0, len(turnable) - 1)):
        turned = (block for block, turn in zip(turnable[1:], turns, strict=True) if turn)
        yield frozenset(index for block in turned for index, _ in block)


def on_copy(genotypes: Genotypes, copy: int, turned: Container[int] = ()) -> dict[int, str | None]:
    """Gives the bases of one copy, some positions turned."""
    return {index: one.bases[1 - copy if index in turned else copy] for index, one in genotypes.items()}


def _possible(one: Candidate, turnable: Iterable[Block]) -> bool:
    """Says whether some copy has what an allele asks for, at each heterozygous position."""
    every = (at for block in turnable for at in block)
    return all(any(base in one.wants(index) for base in genotype.bases) for index, genotype in every)


def _explained(one: Candidate, two: Candidate, block: Block) -> bool:
    first = [(index, genotype.bases[0]) for index, genotype in block]
    second = [(index, genotype.bases[1]) for index, genotype in block]
    return (one.fits(first) and two.fits(second)) or (one.fits(second) and two.fits(first))


def _best_first(found: Iterable[Diplotype]) -> list[Diplotype]:
    unique = {one.label: one for one in sorted(found, key=lambda one: one.score)}
    return sorted(unique.values(), key=lambda one: (-one.score, one.label))
