"""DPYD and RYR1: what a sample has is listed, variant by variant, strand by strand where strands are known.

Two strands are known when all heterozygous positions are phased, or when there is at most one. Otherwise each variant
is listed once for each copy that has it. DPYD HapB3 goes by its intronic variant, which is the one that matters; the
exonic one decides only where the intronic is not shown.

*Source*: https://pharmcat.clinpgx.org/methods/Gene-Definition-Exceptions/ (DPYD, RYR1, HapB3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

from fhirtwin.pgx.calls import Diplotype, GeneCall, Strand, in_order
from fhirtwin.pgx.defined import Gene
from fhirtwin.pgx.genotype import Genotype
from fhirtwin.pgx.matching import Block, Genotypes, arrangements, blocks, on_copy

LISTED: Final = frozenset({"DPYD", "RYR1"})
HAPB3: Final = "c.1129-5923C>G, c.1236G>A (HapB3)"
INTRONIC: Final = "c.1129-5923C>G"
INTRON: Final = "rs75017182"
EXON: Final = "rs56038477"
MOST_ARRANGEMENTS: Final = 6
"""Phase sets beyond this many are not arranged (64 diplotypes); the variants are listed instead."""
MOST_OPEN: Final = 3
"""Half calls beyond this many are not told apart (8 calls); the gene is not called then."""

_DISAGREE: Final = f"HapB3: {INTRON} and {EXON} disagree; the intronic {INTRON} was followed"
_EXON_ONLY: Final = f"HapB3: the intronic {INTRON} is not shown; {EXON} stands for it and should be confirmed"
_INTRON_ONLY: Final = f"HapB3: the exonic {EXON} is not shown; the intronic {INTRON} was followed"


def listed(gene: Gene, genotypes: Genotypes) -> GeneCall:
    """Calls one of these genes; where a copy is open, with every call that it allows."""
    half = [index for index, one in sorted(genotypes.items()) if None in one.bases]
    if not half:
        return _listed(gene, genotypes)
    if len(half) > MOST_OPEN:
        return GeneCall(gene.name, because=f"half calls at {len(half)} positions: one copy of each is open")
    where = ", ".join(f"{gene.chromosome}:{gene.positions[index].start}" for index in half)
    note = f"half calls at {where}: whether the other copy has the variant, too, is not known"
    first, *others = (_listed(gene, filled) for filled in _filled(gene, genotypes, half))
    return replace(first, or_else=tuple(others)).noting(note)


def _filled(gene: Gene, genotypes: Genotypes, half: Sequence[int]) -> Iterator[Genotypes]:
    """Gives the genotypes with each open base as the reference, or as the one that was read; the reference first."""
    for chosen in product((False, True), repeat=len(half)):
        found = dict(genotypes)
        for index, same in zip(half, chosen, strict=True):
            one = genotypes[index]
            read = next(base for base in one.bases if base is not None)
            other = read if same else gene.positions[index].reference
            found[index] = replace(one, bases=tuple(other if base is None else base for base in one.bases))
        yield found


def _listed(gene: Gene, genotypes: Genotypes) -> GeneCall:
    linked = _linked(gene, genotypes)
    turnable = list(blocks(_deciding(gene, linked)))
    known = len(turnable) <= 1 or all(one.phased for block in turnable for _, one in block)
    if known and len(turnable) <= MOST_ARRANGEMENTS:
        found = {one.label: one for one in _arranged(gene, linked, turnable)}
        call = GeneCall(gene.name, tuple(sorted(found.values(), key=lambda one: in_order(one.label))))
    else:
        call = _unphased(gene, linked)
    return call.noting(*_hapb3_notes(gene, linked))


def _hapb3_places(gene: Gene) -> tuple[int, ...]:
    """Gives the numbers of the intronic and the exonic position of HapB3; none of another gene than DPYD."""
    return (gene.by_rsid[INTRON].index, gene.by_rsid[EXON].index) if gene.name == "DPYD" else ()


def _linked(gene: Gene, genotypes: Genotypes) -> Genotypes:
    """Puts the exonic variant of HapB3 on the strand of the intronic one where the file does not say."""
    places = _hapb3_places(gene)
    if not places or {*places} - genotypes.keys():
        return genotypes
    intron, exon = places
    one, two = genotypes[intron], genotypes[exon]
    if not (one.heterozygous and two.heterozygous) or (one.phased and two.phased):
        return genotypes
    leads = one.bases[0] == gene.positions[intron].reference
    other = tuple(sorted(two.bases, key=lambda base: (base == gene.positions[exon].reference) != leads))
    return {**genotypes, exon: Genotype(other, one.phased, one.phase_set)}


def _deciding(gene: Gene, genotypes: Genotypes) -> Genotypes:
    """Leaves out the exonic variant of HapB3 where its strand was taken from the intronic one, or changes nothing."""
    places = _hapb3_places(gene)
    if not places or {*places} - genotypes.keys():
        return genotypes
    intron, exon = places
    if genotypes[intron].heterozygous and not genotypes[intron].phased:
        return {index: one for index, one in genotypes.items() if index != exon}
    return genotypes


def _arranged(gene: Gene, genotypes: Genotypes, turnable: Sequence[Block]) -> Iterator[Diplotype]:
    """Gives the diplotype of each way to put the phase sets together."""
    for turned in arrangements(turnable):
        copies = (on_copy(genotypes, copy, turned) for copy in range(_ploidy(genotypes)))
        yield Diplotype.of(*(Strand(tuple(variants_of(gene, bases)) or (gene.reference,)) for bases in copies))


def _ploidy(genotypes: Genotypes) -> int:
    return max(len(one.bases) for one in genotypes.values())


def variants_of(gene: Gene, bases: Mapping[int, str | None]) -> list[str]:
    """Gives the variants that one strand carries, in the order of the gene."""
    found = [
        allele.name
        for allele in gene.alleles
        if allele.name not in {gene.reference, HAPB3, INTRONIC}
        and all(bases.get(index) in wanted for index, wanted in allele.bases.items())
    ]
    return sorted(found + _hapb3(gene, bases), key=in_order)


def _hapb3(gene: Gene, bases: Mapping[int, str | None]) -> list[str]:
    places = _hapb3_places(gene)
    if not places:
        return []
    intron, exon = places
    wanted = gene.by_name[HAPB3].bases
    in_intron, in_exon = bases.get(intron) in wanted[intron], bases.get(exon) in wanted[exon]
    if intron not in bases:
        return [HAPB3] if in_exon else []
    if not in_intron:
        return []
    return [HAPB3] if in_exon else [INTRONIC]


def _unphased(gene: Gene, genotypes: Genotypes) -> GeneCall:
    """Lists each variant once for each copy that has it."""
    found: list[str] = []
    counted = _sorted_hapb3(gene, genotypes)
    for copy in range(_ploidy(genotypes)):
        found += variants_of(gene, on_copy(counted, copy))
    if not found:
        strands = [Strand((gene.reference,))] * _ploidy(genotypes)
        return GeneCall(gene.name, (Diplotype.of(*strands),))
    return GeneCall(gene.name, variants=tuple(sorted(found, key=in_order)))


def _sorted_hapb3(gene: Gene, genotypes: Genotypes) -> Genotypes:
    """Counts HapB3 by copies, not by strands: the changed bases of both places come first."""
    found = dict(genotypes)
    for place in _hapb3_places(gene):
        if place in genotypes:
            reference = gene.positions[place].reference
            bases = genotypes[place].bases
            changed = tuple(base for base in bases if base != reference)
            found[place] = Genotype((*changed, *(base for base in bases if base == reference)))
    return found


def _hapb3_notes(gene: Gene, genotypes: Genotypes) -> Iterator[str]:
    places = _hapb3_places(gene)
    if not places:
        return
    intron, exon = places
    wanted = gene.by_name[HAPB3].bases
    counts = {
        place: sum(base in wanted[place] for base in genotypes[place].bases) for place in places if place in genotypes
    }
    if intron not in counts and counts.get(exon):
        yield _EXON_ONLY
    elif exon not in counts and counts.get(intron):
        yield _INTRON_ONLY
    elif len(counts) == 2 and counts[intron] != counts[exon]:
        yield _DISAGREE
