"""DPYD and RYR1: what a sample has is listed, variant by variant, strand by strand where strands are known.

Two strands are known when all heterozygous positions are phased, or when there is at most one. Otherwise each variant
is listed once for each copy that has it. DPYD HapB3 goes by its intronic variant, which is the one that matters; the
exonic one decides only where the intronic is not shown.

*Source*: https://pharmcat.clinpgx.org/methods/Gene-Definition-Exceptions/ (DPYD, RYR1, HapB3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from fhirtwin.pgx.calls import Diplotype, GeneCall, Strand, in_order
from fhirtwin.pgx.defined import Gene
from fhirtwin.pgx.genotype import Genotype
from fhirtwin.pgx.matching import Genotypes, blocks

LISTED: Final = frozenset({"DPYD", "RYR1"})
HAPB3: Final = "c.1129-5923C>G, c.1236G>A (HapB3)"
INTRONIC: Final = "c.1129-5923C>G"
INTRON: Final = "rs75017182"
EXON: Final = "rs56038477"
MOST_ARRANGEMENTS: Final = 6
"""Phase sets beyond this many are not arranged (64 diplotypes); the variants are listed instead."""

_DISAGREE: Final = f"HapB3: {INTRON} and {EXON} disagree; the intronic {INTRON} was followed"
_EXON_ONLY: Final = f"HapB3: the intronic {INTRON} is not shown; {EXON} stands for it and should be confirmed"
_INTRON_ONLY: Final = f"HapB3: the exonic {EXON} is not shown; the intronic {INTRON} was followed"


def listed(gene: Gene, genotypes: Genotypes) -> GeneCall:
    """Calls one of these genes."""
    linked = _linked(gene, genotypes)
    turnable = list(blocks(_deciding(gene, linked)))
    complete = all(None not in one.bases for one in linked.values())
    known = len(turnable) <= 1 or all(one.phased for block in turnable for _, one in block)
    if complete and known and len(turnable) <= MOST_ARRANGEMENTS:
        found = {one.label: one for one in _arranged(gene, linked)}
        call = GeneCall(gene.name, tuple(sorted(found.values(), key=lambda one: in_order(one.label))))
    else:
        call = _unphased(gene, linked)
    return call.noting(*_hapb3_notes(gene, linked))


def _place(gene: Gene, rsid: str) -> int | None:
    return next((one.index for one in gene.positions if one.rsid == rsid), None) if gene.name == "DPYD" else None


def _linked(gene: Gene, genotypes: Genotypes) -> Genotypes:
    """Puts the exonic variant of HapB3 on the strand of the intronic one where the file does not say."""
    intron, exon = _place(gene, INTRON), _place(gene, EXON)
    if intron is None or exon is None or intron not in genotypes or exon not in genotypes:
        return genotypes
    one, two = genotypes[intron], genotypes[exon]
    if not (one.heterozygous and two.heterozygous) or (one.phased and two.phased):
        return genotypes
    leads = one.bases[0] == gene.positions[intron].reference
    other = tuple(sorted(two.bases, key=lambda base: (base == gene.positions[exon].reference) != leads))
    return {**genotypes, exon: Genotype(other, one.phased, one.phase_set)}


def _deciding(gene: Gene, genotypes: Genotypes) -> Genotypes:
    """Leaves out the exonic variant of HapB3 where its strand was taken from the intronic one, or changes nothing."""
    intron, exon = _place(gene, INTRON), _place(gene, EXON)
    if intron is None or exon is None or intron not in genotypes or exon not in genotypes:
        return genotypes
    if genotypes[intron].heterozygous and not genotypes[intron].phased:
        return {index: one for index, one in genotypes.items() if index != exon}
    return genotypes


def _arranged(gene: Gene, genotypes: Genotypes) -> Iterator[Diplotype]:
    """Gives the diplotype of each way to put the phase sets together."""
    turnable = [[index for index, _ in block] for block in blocks(genotypes)]
    linked = _place(gene, EXON)
    if any(len(block) == 1 and block[0] == linked and not genotypes[block[0]].phased for block in turnable):
        turnable = [block for block in turnable if block[0] != linked or genotypes[block[0]].phased]
    for turns in product((False, True), repeat=max(0, len(turnable) - 1)):
        turned = {index for block, turn in zip(turnable[1:], turns, strict=True) if turn for index in block}
        strands = []
        for copy in range(_ploidy(genotypes)):
            bases = {i: one.bases[copy if i not in turned else 1 - copy] for i, one in genotypes.items()}
            strands.append(Strand(tuple(variants_of(gene, bases)) or (gene.reference,)))
        yield Diplotype.of(*strands)


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
    intron, exon = _place(gene, INTRON), _place(gene, EXON)
    if intron is None or exon is None:
        return []
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
    for copy in range(_ploidy(genotypes)):
        found += variants_of(gene, {i: one.bases[copy] for i, one in _sorted_hapb3(gene, genotypes).items()})
    if not found:
        strands = [Strand((gene.reference,))] * _ploidy(genotypes)
        return GeneCall(gene.name, (Diplotype.of(*strands),))
    return GeneCall(gene.name, variants=tuple(sorted(found, key=in_order)))


def _sorted_hapb3(gene: Gene, genotypes: Genotypes) -> Genotypes:
    """Counts HapB3 by copies, not by strands: the changed bases of both places come first."""
    found = dict(genotypes)
    for place in (_place(gene, INTRON), _place(gene, EXON)):
        if place is not None and place in genotypes:
            reference = gene.positions[place].reference
            bases = genotypes[place].bases
            changed = tuple(base for base in bases if base != reference)
            found[place] = Genotype((*changed, *(base for base in bases if base == reference)))
    return found


def _hapb3_notes(gene: Gene, genotypes: Genotypes) -> Iterator[str]:
    intron, exon = _place(gene, INTRON), _place(gene, EXON)
    if intron is None or exon is None:
        return
    wanted = gene.by_name[HAPB3].bases
    counts = {
        place: sum(base in wanted[place] for base in genotypes[place].bases)
        for place in (intron, exon)
        if place in genotypes
    }
    if intron not in counts and counts.get(exon):
        yield _EXON_ONLY
    elif exon not in counts and counts.get(intron):
        yield _INTRON_ONLY
    elif len(counts) == 2 and counts[intron] != counts[exon]:
        yield _DISAGREE
