"""Warfarin, of which guidelines have an algorithm and no rows: the estimated dose as a RiskAssessment, or why not.

*Source*: `fhirtwin.pgx.warfarin` (IWPC 2009); http://hl7.org/fhir/R4/riskassessment.html, linked from
reports by the extension `genomic-risk-assessment` of HL7's Genomics Reporting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx import functions, warfarin
from fhirtwin.pgx.results import Known
from fhirtwin.pgx.warfarin import Dose, Person
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.made import Made, made
from fhirtwin.report.genomics.medicines import Medicine
from fhirtwin.twin.derived import newest
from fhirtwin.twin.genome import GeneResult
from fhirtwin.twin.state import Fact, Source, TwinState
from fhirtwin.twin.times import last_day

NAME: Final = "warfarin"
OF_STRAND: Final = {
    functions.spelled("rs9923231 reference (C)"): "G",
    functions.spelled("rs9923231 variant (T)"): "A",
}
"""VKORC1 is on the minus strand: C>T at rs9923231 is -1639G>A of the gene."""
LISTS: Final = frozenset({"MedicationRequest", "MedicationStatement"})
RACE: Final = "missing or mixed race"
ASSUMED: Final = (
    "Race is not read from the record; the equation's weight for missing or mixed race was taken. The dose is an "
    "estimate for starting; INR decides."
)


class _NotEstimated(Exception):
    """There is no estimate; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the estimate is made from.

    Attributes:
        state: the twin as of the day.
        results: of genes.
        medicines: taken on the day.
        day: of the report.
        max_age: of height and weight.
        unread: why medicines of the record could not be looked at.
    """

    state: TwinState
    results: Mapping[str, GeneResult]
    medicines: tuple[Medicine, ...]
    day: date
    max_age: timedelta
    unread: tuple[str, ...] = ()


def estimate(inputs: Inputs, about: About) -> tuple[Made | None, str]:
    """Estimate the weekly dose.

    Returns:
        The RiskAssessment and empty text; or None and why there is none.
    """
    try:
        person, sources = _person(inputs)
        return _assessment(warfarin.estimate(person), sources, about), ""
    except (_NotEstimated, Unprocessable) as error:
        return None, f"{NAME}: no dose was estimated: {str(error).rstrip('.')}."


def _person(inputs: Inputs) -> tuple[Person, tuple[Source, ...]]:
    if not inputs.state.lists & LISTS:
        raise _NotEstimated("it is not known which medicines are taken")
    if inputs.unread:
        raise _NotEstimated("a medicine that is taken could not be read, and may matter to the equation")
    age, height, weight = (_fact(inputs, name) for name in ("age", "body-height", "body-weight"))
    taken = {one.name for one in inputs.medicines}
    genes = [inputs.results[gene] for gene in ("VKORC1", "CYP2C9") if gene in inputs.results]
    person = Person(
        age=int(Decimal(str(age.value))),
        height=float(Decimal(str(height.value))),
        weight=float(Decimal(str(weight.value))),
        vkorc1=vkorc1(inputs.results.get("VKORC1")),
        cyp2c9=cyp2c9(inputs.results.get("CYP2C9")),
        race=RACE,
        inducer=bool(taken & warfarin.INDUCERS),
        amiodarone="amiodarone" in taken,
    )
    return person, _sources((age, height, weight), genes)


def _fact(inputs: Inputs, name: str) -> Fact:
    fact = newest(inputs.state, name)
    if fact is None:
        raise _NotEstimated(f"{name.replace('-', ' ')} is not known, or its newest value cannot be told")
    day = last_day(fact.time)
    if name != "age" and (day is None or inputs.day - day > inputs.max_age):
        raise _NotEstimated(f"{name.replace('-', ' ')} is too old")
    return fact


def vkorc1(result: GeneResult | None) -> str:
    """The genotype at -1639 as the equation names it."""
    bases = tuple(map(functions.spelled, _alleles(result)))
    if not bases:
        return "unknown"
    if not set(bases) <= {*OF_STRAND} or len(bases) != 2:
        raise _NotEstimated("the equation does not know the genotype of VKORC1")
    return f"-1639 {'AG' if len(set(bases)) == 2 else 2 * OF_STRAND[bases[0]]}"


def cyp2c9(result: GeneResult | None) -> str:
    """The genotype of CYP2C9 as the equation names it; other alleles than *1, *2 and *3 are not in it."""
    alleles = _alleles(result)
    if not alleles:
        return "unknown"
    named = "/".join(sorted(alleles))
    if named not in warfarin.CYP2C9:
        raise _NotEstimated("the equation does not know the genotype of CYP2C9")
    return named


def _alleles(result: GeneResult | None) -> tuple[str, ...]:
    """Both alleles of the only call; none when the gene is not known."""
    known = result.known if result else Known("")
    if len(known.diplotypes) > 1:
        raise _NotEstimated(f"several genotypes of {known.gene} fit equally well")
    return (known.diplotypes[0].first, known.diplotypes[0].second) if known.diplotypes else ()


def _sources(facts: Iterable[Fact], genes: Iterable[GeneResult]) -> tuple[Source, ...]:
    found = {source for fact in facts for source in fact.sources} | {s for gene in genes for s in gene.sources}
    return tuple(sorted(found))


def _assessment(dose: Dose, sources: tuple[Source, ...], about: About) -> Made:
    weekly = f"{dose.weekly:.1f}"
    terms = ", ".join(f"{name} {value:+.4f}" for name, value in dose.terms)
    resource: dict[str, Any] = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "method": {"text": f"IWPC 2009 warfarin dose, {dose.equation} equation"},
        "subject": {"reference": about.subject},
        "occurrenceDateTime": about.day,
        "basis": [about.refer(source) for source in sources],
        "prediction": [
            {
                "outcome": {"text": f"Stable dose of warfarin: about {weekly} mg a week"},
                "rationale": f"The square of: {terms}. {dose.source}.",
            }
        ],
        "note": [{"text": ASSUMED}],
    }
    return made(resource, about.subject, about.day, NAME)
