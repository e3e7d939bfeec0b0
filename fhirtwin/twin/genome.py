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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fhirtwin.pgx import hgnc, hla, phenotype
from fhirtwin.pgx.results import GenePhenotype, Known
from fhirtwin.terms.facts import GENES
from fhirtwin.twin.derived import newest
from fhirtwin.twin.genomics.remarks import LABORATORY
from fhirtwin.twin.genomics.settling import VARIANTS, Contradiction, Sex, settled
from fhirtwin.twin.state import Fact, Source, TwinState
from fhirtwin.twin.times import begins

__all__ = ["LABORATORY", "VARIANTS", "GeneResult", "allele_statuses", "of", "phenotypes"]


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


def of(state: TwinState) -> dict[str, GeneResult]:
    """Give what is known of each gene that somebody looked at, by symbol.

    Args:
        state: a twin, stored, as of a day, or with a call laid over it.
    """
    found: dict[str, list[Fact]] = {}
    for fact in state.facts:
        if fact.name in GENES and fact.system == hgnc.SYSTEM and fact.code in hgnc.SYMBOLS:
            found.setdefault(hgnc.SYMBOLS[fact.code], []).append(fact)
    sex = _sex(state)
    return {gene: _result(gene, facts, sex) for gene, facts in sorted(found.items())}


def phenotypes(results: Mapping[str, GeneResult]) -> dict[str, GenePhenotype]:
    """Give the phenotypes that each gene allows, as `fhirtwin.pgx.recommendations.advise` wants them."""
    return {gene: phenotype.of_call(result.known) for gene, result in results.items()}


def allele_statuses(results: Mapping[str, GeneResult]) -> dict[str, dict[str, str]]:
    """Give HLA gene to allele to `positive` or `negative`, as `fhirtwin.pgx.recommendations.advise` wants them."""
    found = {gene: hla.statuses(result.known) for gene, result in results.items() if gene.startswith("HLA-")}
    return {gene: statuses for gene, statuses in found.items() if statuses}


def _sex(state: TwinState) -> Sex:
    told = newest(state, "sex")
    match told.value if told else "":
        case "male":
            return "male"
        case "female":
            return "female"
    return None


def _result(gene: str, facts: Sequence[Fact], sex: Sex) -> GeneResult:
    sources = tuple(sorted({source for fact in facts for source in fact.sources}))
    time = max((fact.time for fact in facts), key=begins)
    try:
        return GeneResult(settled(gene, facts, sex), sources, time)
    except Contradiction as told:
        why = f"not called, because {told}"
        return GeneResult(Known(gene, source=LABORATORY, not_called=why), sources, time, str(told))
