"""Warfarin, of which guidelines have an algorithm and no rows: the estimated dose as a RiskAssessment, or why not.

*Source*: `fhirtwin.pgx.warfarin` (IWPC 2009); http://hl7.org/fhir/R4/riskassessment.html, linked from
reports by the extension `genomic-risk-assessment` of HL7's Genomics Reporting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx.warfarin import Dose
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.made import Made, made
from fhirtwin.report.genomics.medicines import Medicine
from fhirtwin.rules.genetics import dosing
from fhirtwin.rules.genetics.person import Person
from fhirtwin.twin.gaps import MEDICINES
from fhirtwin.twin.genome import GeneResult
from fhirtwin.twin.state import Fact, Source, TwinState

NAME: Final = "warfarin"
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
        person: whose genes.
        medicines: taken on the day.
        day: of the report.
        max_age: of height and weight.
        unread: why medicines of the record could not be looked at.
    """

    state: TwinState
    person: Person
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
        dose, sources = _dose(inputs)
        return _assessment(dose, sources, about), ""
    except (_NotEstimated, Unprocessable) as error:
        return None, f"{NAME}: no dose was estimated: {str(error).rstrip('.')}."


def _dose(inputs: Inputs) -> tuple[Dose, tuple[Source, ...]]:
    if not inputs.state.lists & MEDICINES:
        raise _NotEstimated("it is not known which medicines are taken")
    if inputs.unread:
        raise _NotEstimated("a medicine that is taken could not be read, and may matter to the equation")
    measured = {name: _measured(inputs, name) for name in dosing.MEASURES}
    genotypes = {gene: _genotype(inputs, gene) for gene in dosing.GENES}
    dose = dosing.estimate(measured, genotypes, [one.name for one in inputs.medicines])
    results = inputs.person.results
    return dose, _sources(measured.values(), [results[gene] for gene in dosing.GENES if gene in results])


def _measured(inputs: Inputs, name: str) -> Fact:
    fact, why = dosing.measure(inputs.state, name, inputs.day, inputs.max_age)
    if fact is None:
        raise _NotEstimated(why)
    return fact


def _genotype(inputs: Inputs, gene: str) -> str:
    name, why = dosing.genotype(gene, inputs.person)
    if why:
        raise _NotEstimated(why)
    return name


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
