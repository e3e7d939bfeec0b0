"""What is known of a patient's genes: all facts of the twin about one gene put together, contradictions told.

Genes are for life, so no result is newer than another: two that cannot both be true leave the gene uncalled, whatever
their dates, and both are named by their sources. Nothing is chosen.

* Several diplotypes that fit equally well, and another source with one of them: that one.
* One allele that is there must be in the diplotype. Alone it is no diplotype, except where a person has one copy
  (MT-RNR1; G6PD of a male); two different ones reported for the same time are one (not of CYP2D6, which has tandems).
* Variants reported one by one are put together and matched as those of a VCF are (`fhirtwin.pgx.calling`) where nobody
  gave a diplotype; what was not reported is unknown, not reference. Where somebody did, they must fit it.
* A phenotype of the laboratory counts where no diplotype is known; beside one it is a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fhirtwin.pgx import functions, hgnc, hla, known, naming, phenotype, places
from fhirtwin.pgx.calling import Rules, call_gene
from fhirtwin.pgx.defined import genes
from fhirtwin.pgx.genotype import Genotype, Sample
from fhirtwin.pgx.results import GenePhenotype, Known, Pair
from fhirtwin.pgx.variant_lists import LISTED
from fhirtwin.terms.facts import GENES
from fhirtwin.twin.derived import newest
from fhirtwin.twin.state import Fact, Source, TwinState
from fhirtwin.twin.times import begins, overlap

LABORATORY = "laboratory report"
VARIANTS = "variants that were reported one by one"


@dataclass(frozen=True, slots=True)
class GeneResult:
    """What is known of one gene.

    Attributes:
        known: what a phenotype is told from (`fhirtwin.pgx.phenotype.of_call`).
        sources: the resources it was read from.
        time: FHIR text, of the newest of them; empty when none tells.
        conflict: why sources that contradict one another leave the gene uncalled; empty when they do not.
    """

    known: Known
    sources: tuple[Source, ...]
    time: str
    conflict: str = ""


class _Contradiction(Exception):
    """Sources cannot all be true; the text says how."""


def of(state: TwinState) -> dict[str, GeneResult]:
    """Give what is known of each gene that somebody looked at, by symbol.

    Args:
        state: a twin, stored, as of a day, or with a call laid over it.
    """
    found: dict[str, list[Fact]] = {}
    for fact in state.facts:
        if fact.name in GENES and fact.system == hgnc.SYSTEM and fact.code in hgnc.SYMBOLS:
            found.setdefault(hgnc.SYMBOLS[fact.code], []).append(fact)
    sex = newest(state, "sex")
    word: Literal["male", "female"] | None = "male" if sex and sex.value == "male" else None
    if sex and sex.value == "female":
        word = "female"
    return {gene: _result(gene, facts, word) for gene, facts in sorted(found.items())}


def phenotypes(results: Mapping[str, GeneResult]) -> dict[str, GenePhenotype]:
    """Give the phenotypes that each gene allows, as `fhirtwin.pgx.recommendations.advise` wants them."""
    return {gene: phenotype.of_call(result.known) for gene, result in results.items()}


def allele_statuses(results: Mapping[str, GeneResult]) -> dict[str, dict[str, str]]:
    """Give HLA gene to allele to `positive` or `negative`, as `fhirtwin.pgx.recommendations.advise` wants them."""
    found = {gene: hla.statuses(result.known) for gene, result in results.items() if gene.startswith("HLA-")}
    return {gene: statuses for gene, statuses in found.items() if statuses}


def _result(gene: str, facts: Sequence[Fact], sex: Literal["male", "female"] | None) -> GeneResult:
    sources = tuple(sorted({source for fact in facts for source in fact.sources}))
    time = max((fact.time for fact in facts), key=begins)
    try:
        return GeneResult(_known(gene, facts, sex), sources, time)
    except _Contradiction as told:
        why = f"not called, because {told}"
        return GeneResult(Known(gene, source=LABORATORY, not_called=why), sources, time, str(told))


def _known(gene: str, facts: Sequence[Fact], sex: Literal["male", "female"] | None) -> Known:
    shown = _shown(gene, _named(facts, "variant"))
    pairs = _diplotypes(gene, _named(facts, "diplotype"))
    alleles = _named(facts, "haplotype")
    if not pairs:
        pairs = _of_alleles(gene, alleles, sex)
    elif alleles:
        pairs = _with_alleles(gene, pairs, alleles)
    notes = tuple(dict.fromkeys(fact.note for fact in facts if fact.note))
    if pairs:
        pairs = _fitting(gene, pairs, shown)
        return _checked(_beside(Known(gene, pairs, LABORATORY, _statuses(gene, facts), "", notes), facts))
    if gene.startswith("HLA-") and (said := _statuses(gene, facts)):
        return Known(gene, (), LABORATORY, said, "", notes)
    if shown:
        return _of_variants(gene, shown, facts, sex, notes)
    if words := _words(gene, facts):
        return Known(gene, (), LABORATORY, words, "", notes)
    return Known(gene, (), LABORATORY, (), _why_not(facts), notes)


def _named(facts: Iterable[Fact], name: str) -> list[Fact]:
    return [fact for fact in facts if fact.name == name]


def _diplotypes(gene: str, facts: Sequence[Fact]) -> tuple[Pair, ...]:
    """What all of them allow."""
    left: tuple[Pair, ...] | None = None
    for fact in facts:
        these = naming.diplotypes(gene, str(fact.value))
        kept = these if left is None else tuple(one for one in left if any(_equal(one, other) for other in these))
        if not kept:
            raise _Contradiction("diplotypes of it contradict one another: " + _listed(facts))
        left = kept
    return left or ()


def _listed(facts: Iterable[Fact]) -> str:
    return " and ".join(dict.fromkeys(str(fact.value) for fact in facts))


def _equal(one: Pair, other: Pair) -> bool:
    return sorted(map(functions.spelled, _names(one))) == sorted(map(functions.spelled, _names(other)))


def _names(pair: Pair) -> tuple[str, ...]:
    return (pair.first, pair.second) if pair.second else (pair.first,)


def _with_alleles(gene: str, pairs: tuple[Pair, ...], facts: Sequence[Fact]) -> tuple[Pair, ...]:
    names = [str(fact.value) for fact in facts]
    kept = tuple(p for p in pairs if all(any(naming.same(name, mine) for mine in _names(p)) for name in names))
    if not kept:
        said = " and ".join(dict.fromkeys(names))
        raise _Contradiction(f"the diplotype {naming.text(pairs)} and the allele {said} contradict each other")
    return kept


def _of_alleles(gene: str, facts: Sequence[Fact], sex: str | None) -> tuple[Pair, ...]:
    """The diplotype that single alleles amount to, where they do."""
    names = list({functions.spelled(str(fact.value)): str(fact.value) for fact in facts}.values())
    one_copy = gene == "MT-RNR1" or (gene == "G6PD" and sex == "male")
    if len(names) > (1 if one_copy else 2) and gene != "CYP2D6":
        raise _Contradiction("more different alleles were reported than a person has: " + " and ".join(names))
    if one_copy and names:
        return (Pair(names[0]),)
    together = all(overlap(fact.time, facts[0].time) for fact in facts)
    if len(names) == 2 and together and gene != "CYP2D6" and gene not in LISTED:
        return (Pair(*sorted(names)),)
    return ()


def _shown(gene: str, facts: Sequence[Fact]) -> dict[int, Genotype]:
    found: dict[int, Genotype] = {}
    for fact in facts:
        place = places.read(gene, str(fact.value))
        if place is None:
            continue
        index, shown = place
        together = places.together(found.get(index, shown), shown)
        if together is None:
            raise _Contradiction("variants of it contradict one another at " + str(fact.value).partition(" ")[0])
        found[index] = together
    return found


def _fitting(gene: str, pairs: tuple[Pair, ...], shown: Mapping[int, Genotype]) -> tuple[Pair, ...]:
    kept = tuple(pair for pair in pairs if _fits(gene, pair, shown))
    if not kept:
        raise _Contradiction(
            f"the diplotype {naming.text(pairs)} and variants that were reported contradict each other"
        )
    return kept


def _fits(gene: str, pair: Pair, shown: Mapping[int, Genotype]) -> bool:
    """Whether variants allow a diplotype; of names without a definition, and of listed variants, nothing is said."""
    names = _names(pair)
    defined = genes().get(gene)
    if defined is None or gene in LISTED or not all(name in defined.by_name for name in names):
        return True
    return all(places.fits(defined, names, index, one) for index, one in shown.items())


def _statuses(gene: str, facts: Sequence[Fact]) -> tuple[str, ...]:
    """What is said of single alleles of an HLA gene; an allele that is there is positive."""
    if not gene.startswith("HLA-"):
        return ()
    said = [str(fact.value) for fact in _named(facts, "allele-status")]
    said += [f"{fact.value} {hla.POSITIVE}" for fact in _named(facts, "haplotype")]
    told: dict[str, str] = {}
    for status in said:
        name, _, word = status.partition(" ")
        name = ":".join(name.split(":")[:2])
        if told.setdefault(name, word) != word:
            raise _Contradiction(f"{name} was reported as positive and as negative")
    return tuple(f"{name} {word}" for name, word in sorted(told.items()))


def _checked(found: Known) -> Known:
    """See that the typing of an HLA gene and what is said of its alleles agree."""
    typed = hla.statuses(replace(found, reported=()))
    said = hla.statuses(replace(found, diplotypes=()))
    if wrong := [name for name, word in said.items() if typed.get(name, word) != word]:
        raise _Contradiction(f"the diplotype {naming.text(found.diplotypes)} and a report on {wrong[0]} contradict")
    return found


def _of_variants(
    gene: str,
    shown: Mapping[int, Genotype],
    facts: Sequence[Fact],
    sex: Literal["male", "female"] | None,
    notes: tuple[str, ...],
) -> Known:
    call = call_gene(genes()[gene], Sample({gene: shown}), Rules(sex=sex))
    asked = len(genes()[gene].positions)
    told = f"{asked - len(shown)} of the {asked} positions that define alleles of {gene} were not reported"
    found = replace(known.of(call.noting(told if asked > len(shown) else "")), source=VARIANTS)
    return _beside(replace(found, notes=(*found.notes, *notes)), facts)


def _beside(found: Known, facts: Sequence[Fact]) -> Known:
    """Note what the laboratory said of the phenotype."""
    words = dict.fromkeys(str(fact.value) for fact in _named(facts, "gene-phenotype"))
    return replace(found, notes=(*found.notes, *(f"the laboratory said {word}" for word in words)))


def _words(gene: str, facts: Sequence[Fact]) -> tuple[str, ...]:
    """The laboratory's words, or only its activity scores where it gave both; all must mean the same."""
    words = tuple(dict.fromkeys(str(fact.value) for fact in _named(facts, "gene-phenotype")))
    told = {word: phenotype.of_call(Known(gene, reported=(word,))).agreed for word in words}
    means = {one.word if one else "" for one in told.values()}
    if len(means) > 1:
        raise _Contradiction("phenotypes of it contradict one another: " + " and ".join(words))
    scores = tuple(word for word, one in told.items() if one and one.score)
    if len({one.score for one in told.values() if one and one.score}) > 1:
        raise _Contradiction("activity scores of it contradict one another: " + " and ".join(scores))
    return scores[:1] or words[:1]


def _why_not(facts: Sequence[Fact]) -> str:
    reasons = list(dict.fromkeys(str(fact.value) for fact in _named(facts, "gene-not-called")))
    if _named(facts, "haplotype"):
        reasons.append(f"only the allele {_listed(_named(facts, 'haplotype'))} was reported, not its diplotype")
    return "not called, because " + "; ".join(reasons or ["what was reported of it tells no diplotype"])
