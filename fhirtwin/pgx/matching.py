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
    """An allele as far as the shown positions go."""

    name: str
    wants: Mapping[int, frozenset[str]]
    score: int

    def fits(self, block: Iterable[tuple[int, str | None]]) -> bool:
        """Says whether these bases are what the allele asks for."""
        return all(base in self.wants[index] for index, base in block)


def visible(gene: Gene, genotypes: Genotypes) -> tuple[list[Candidate], list[str]]:
    """Gives the alleles that the shown positions can tell, and the names of those that they cannot."""
    seen: list[Candidate] = []
    unseen: list[str] = []
    for allele in gene.alleles:
        score = sum(index in genotypes for index in allele.bases)
        if score:
            seen.append(Candidate(allele.name, _wants(gene, allele, genotypes), score))
        else:
            unseen.append(allele.name)
    return seen, unseen


def _wants(gene: Gene, allele: NamedAllele, genotypes: Genotypes) -> dict[int, frozenset[str]]:
    return {index: allele.bases.get(index) or frozenset((gene.positions[index].reference,)) for index in genotypes}


def pairs(gene: Gene, genotypes: Genotypes) -> list[Diplotype]:
    """Gives every pair of alleles that explains the sample, the best first."""
    seen = [one for one in visible(gene, genotypes)[0] if _possible(one, genotypes)]
    turnable = list(blocks(genotypes))
    same = [(index, one.bases[0]) for index, one in genotypes.items() if not one.heterozygous]
    seen = [one for one in seen if one.fits(same)]
    found = [
        Diplotype.of(Strand((one.name,)), Strand((two.name,)), score=one.score + two.score)
        for one, two in combinations_with_replacement(seen, 2)
        if all(_explained(one, two, block) for block in turnable)
    ]
    return _best_first(found)


def singles(gene: Gene, genotypes: Genotypes) -> list[Diplotype]:
    """Gives every allele that explains the one copy of a haploid sample, the best first."""
    shown = [(index, one.bases[0]) for index, one in genotypes.items()]
    seen = visible(gene, genotypes)[0]
    return _best_first(Diplotype.of(Strand((one.name,)), score=one.score) for one in seen if one.fits(shown))


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


def _possible(allele: Candidate, genotypes: Genotypes) -> bool:
    return all(any(base in allele.wants[index] for base in one.bases) for index, one in genotypes.items())


def _explained(one: Candidate, two: Candidate, block: Block) -> bool:
    first = [(index, genotype.bases[0]) for index, genotype in block]
    second = [(index, genotype.bases[1]) for index, genotype in block]
    return (one.fits(first) and two.fits(second)) or (one.fits(second) and two.fits(first))


def _best_first(found: Iterable[Diplotype]) -> list[Diplotype]:
    unique = {one.label: one for one in sorted(found, key=lambda one: one.score)}
    return sorted(unique.values(), key=lambda one: (-one.score, one.label))
