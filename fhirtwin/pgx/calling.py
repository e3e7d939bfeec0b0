"""Calls the genes of a sample: what each gene's rules make of what the file shows.

*Source*: https://pharmcat.clinpgx.org/methods/NamedAlleleMatcher-101/, .../NamedAlleleMatcher-201/ and
.../Gene-Definition-Exceptions/.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from fhirtwin.pgx.calls import Diplotype, GeneCall, Strand
from fhirtwin.pgx.combining import combined
from fhirtwin.pgx.defined import Gene, genes
from fhirtwin.pgx.genotype import UNDOCUMENTED, Genotype, Sample
from fhirtwin.pgx.matching import Genotypes, pairs, singles, top, unseen
from fhirtwin.pgx.variant_lists import LISTED, listed

OTHERWISE_REFERENCE: Final = frozenset({"CACNA1S", "DPYD", "G6PD", "NUDT15", "RYR1", "TPMT"})
"""Genes whose variants are about toxicity: a base that no definition knows counts as the reference, and is noted."""
_LINE: Final = re.compile(r"^line \d+ of the VCF ")
MOST_CHANGED: Final = 10
"""Changed positions that a reason names."""
SLCO1B1_FALLBACK: Final = "rs4149056"
CYP2D6_ALONE: Final = (
    "CYP2D6 is not called from single variants, which show neither deletions, nor copies, nor hybrids with CYP2D7; "
    "bring the call of a caller that reads them as an outside call"
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the one who asks has decided.

    Attributes:
        all_candidates: also report pairs that explain the data less well.
        combinations: name combinations and partial alleles where nothing else explains the data (research).
        cyp2d6: call CYP2D6 from single variants all the same (research).
        sex: of the patient, for G6PD, which lies on the X chromosome.
    """

    all_candidates: bool = False
    combinations: bool = False
    cyp2d6: bool = False
    sex: Literal["male", "female"] | None = None


def call_genes(sample: Sample, rules: Rules = Rules()) -> dict[str, GeneCall]:
    """Calls every defined gene; each one is in the answer, called or with the reason why not."""
    return {name: call_gene(gene, sample, rules) for name, gene in genes().items()}


def call_gene(gene: Gene, sample: Sample, rules: Rules = Rules()) -> GeneCall:
    """Calls one gene."""
    every = (sample.genotypes, sample.refused, sample.contradicted)
    return replace(_call(gene, sample, rules), looked_at=any(of.get(gene.name) for of in every))


def _call(gene: Gene, sample: Sample, rules: Rules) -> GeneCall:
    shown = sample.genotypes.get(gene.name, {})
    if gene.name == "CYP2D6" and not rules.cyp2d6:
        return GeneCall(gene.name, because=CYP2D6_ALONE)
    if contradicted := sample.contradicted.get(gene.name):
        return GeneCall(gene.name, because="; ".join(contradicted.values()))
    refused = sample.refused.get(gene.name, {})
    usable, notes = _usable(gene, shown, rules)
    call = _called(gene, shown, usable, rules)
    if refused and not shown:
        call = replace(call, because="nothing that the file shows of it can be used")
    call = call.noting(*notes, *_refusals(refused))
    missing = tuple(position.index for position in gene.positions if position.index not in usable)
    open_ = tuple(_not_excluded(gene, usable, call)) if missing else ()
    return replace(call, missing=missing, untested=unseen(gene, usable), not_excluded=open_)


def _refusals(refused: Mapping[int, str]) -> Iterator[str]:
    """Gives each reason why positions are not used, once, with the number of them, or of the lines that have it."""
    lines: dict[str, list[str]] = {}
    for reason in dict.fromkeys(refused[index] for index in sorted(refused)):
        lines.setdefault(_LINE.sub("", reason), []).append(reason)
    counts = Counter(refused.values())
    for reasons in lines.values():
        first, at = reasons[0], sum(counts[reason] for reason in reasons)
        where = f", at {at} positions of the gene" if at > 1 else ""
        others = f", as have more lines ({len(reasons) - 1})" if len(reasons) > 1 else ""
        yield f"{first}{others}{where}"


def _not_excluded(gene: Gene, usable: Genotypes, call: GeneCall) -> Iterator[str]:
    """Names alleles that may be there: each shown position has a base of theirs, and some are missing."""
    pairs = (*call.diplotypes, *((call.stand_in,) if call.stand_in else ()))
    called = {gene.reference, *call.variants, *(part for pair in pairs for one in pair.strands for part in one.parts)}
    shown = {index: frozenset(one.bases) for index, one in usable.items()}
    for allele in gene.alleles:
        name = Diplotype.of(Strand((allele.name,))).label
        if name in called or allele.bases.keys() <= shown.keys():
            continue
        if all(bases & allele.bases.get(i, {gene.positions[i].reference}) for i, bases in shown.items()):
            called.add(name)
            yield name


def _usable(gene: Gene, shown: Genotypes, rules: Rules) -> tuple[dict[int, Genotype], list[str]]:
    """Applies what is settled position by position: half calls, bases that no definition knows, copies of X."""
    found: dict[int, Genotype] = {}
    notes: list[str] = []
    for index, one in sorted(shown.items()):
        position = gene.positions[index]
        if None in one.bases and all(base in {None, position.reference} for base in one.bases):
            continue
        kept = _one_copy(gene, one, rules)
        strange = [base for base in kept.bases if base is not None and base not in gene.documented[index]]
        if strange and _counts_as_reference(gene, rules):
            notes.append(f"{_where(gene, index)}: a base that no definition knows was counted as the reference")
            bases = tuple(position.reference if base in strange else base for base in kept.bases)
            kept = replace(kept, bases=bases)
        found[index] = kept
    return found, notes


def _counts_as_reference(gene: Gene, rules: Rules) -> bool:
    return gene.name in OTHERWISE_REFERENCE and (not rules.combinations or gene.name in LISTED)


def _one_copy(gene: Gene, one: Genotype, rules: Rules) -> Genotype:
    """Takes the two equal bases that callers write for the one X chromosome of a male as one."""
    if gene.chromosome == "chrX" and rules.sex == "male" and len(one.bases) == 2 and not one.heterozygous:
        return replace(one, bases=one.bases[:1])
    return one


def _where(gene: Gene, index: int) -> str:
    return f"{gene.name} {gene.chromosome}:{gene.positions[index].start}"


def _called(gene: Gene, shown: Genotypes, usable: Genotypes, rules: Rules) -> GeneCall:
    because = _because(gene, shown, usable, rules)
    if because:
        return _uncalled(gene, usable, because)
    if gene.name in LISTED:
        return listed(gene, usable)
    haploid = all(len(one.bases) == 1 for one in usable.values())
    found = singles(gene, usable) if haploid else pairs(gene, usable)
    if found:
        return _chosen(gene, usable, found, rules)
    if rules.combinations and (together := combined(gene, usable)):
        return GeneCall(gene.name, together)
    return _uncalled(gene, usable, _unexplained(gene, usable))


def _because(gene: Gene, shown: Genotypes, usable: Genotypes, rules: Rules) -> str:
    """Says what keeps a gene from being called before anything is matched."""
    if not usable:
        return "the file shows none of its positions" if not shown else "the file leaves all of its positions open"
    lacking = [_where(gene, index) for index in sorted(gene.required - usable.keys())]
    if lacking:
        return f"positions without which it is not called are not shown: {', '.join(lacking)}"
    copies = {len(one.bases) for one in usable.values()}
    if gene.chromosome == "chrX" and rules.sex == "male" and 2 in copies:
        return "two different bases on the X chromosome of a male; mend the genotypes, or the sex that was stated"
    if gene.chromosome == "chrX" and rules.sex == "female" and copies == {1}:
        return "one copy of the X chromosome in a female; mend the genotypes, or the sex that was stated"
    if len(copies) > 1:
        return "some positions have one copy and some two; mend the genotypes"
    if copies == {1} and gene.chromosome != "chrX":
        return "one copy of a chromosome of which there are two; mend the genotypes"
    if gene.name not in LISTED and (half := [i for i, one in usable.items() if None in one.bases]):
        return f"half calls at {', '.join(_where(gene, index) for index in half)}: one copy is open"
    return ""


def _unexplained(gene: Gene, usable: Genotypes) -> str:
    strange = [i for i, one in usable.items() if any(base not in gene.documented[i] for base in one.bases)]
    if strange:
        places = ", ".join(_where(gene, index) for index in strange)
        return f"a base that no definition knows at {places}"
    changed = [_shown(gene, i, one) for i, one in sorted(usable.items()) if _is_changed(gene, i, one)]
    more = [f"{len(changed) - MOST_CHANGED} more"] if len(changed) > MOST_CHANGED else []
    return f"no pair of defined alleles explains what the file shows: {', '.join([*changed[:MOST_CHANGED], *more])}"


def _is_changed(gene: Gene, index: int, one: Genotype) -> bool:
    return any(base != gene.positions[index].reference for base in one.bases)


def _shown(gene: Gene, index: int, one: Genotype) -> str:
    """Names a position and its bases, for people: `CYP2C19 chr10:94781859 (rs4244285) A/A`."""
    rsid = gene.positions[index].rsid
    return f"{_where(gene, index)}{f' ({rsid})' if rsid else ''} {'/'.join(base or UNDOCUMENTED for base in one.bases)}"


def _chosen(gene: Gene, usable: Genotypes, found: list[Diplotype], rules: Rules) -> GeneCall:
    """Keeps the best, or the one that an agreed list picks among what unphased data cannot tell apart."""
    best = top(found)
    heterozygous = [one for one in usable.values() if one.heterozygous]
    if gene.picks and len(found) > 1 and not all(one.phased for one in heterozygous):
        pick = gene.picks.get(frozenset(one.label for one in found))
        if pick:
            best = tuple(one for one in found if one.label == pick)
    if rules.all_candidates:
        return GeneCall(gene.name, best, candidates=tuple(one for one in found if one not in best))
    others = tuple(one for one in found if one not in best) if gene.picks else ()
    return GeneCall(gene.name, best, candidates=others)


def _uncalled(gene: Gene, usable: Mapping[int, Genotype], because: str) -> GeneCall:
    """Gives no call; of SLCO1B1, the one variant that its guideline rests on may stand in."""
    call = GeneCall(gene.name, because=because)
    if gene.name != "SLCO1B1":
        return call
    place = gene.by_rsid[SLCO1B1_FALLBACK]
    shown = usable.get(place.index)
    if shown is None or len(shown.bases) != 2 or not set(shown.bases) <= {place.reference, *place.alternates}:
        return call
    strands = [Strand(("*1" if base == place.reference else "*5",)) for base in shown.bases]
    bases = "/".join(f"{SLCO1B1_FALLBACK} {base}" for base in sorted(base or UNDOCUMENTED for base in shown.bases))
    return replace(call, stand_in=Diplotype.of(*strands), notes=(f"no star alleles; {bases} stands in",))
