"""What a guideline recommends to change in a medicine, as a Task: another medicine, less of it, more of it.

Other advice (a limit, a caution, a level to watch) has no answer in LOINC's list LL4049-4. It is in the
implication.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/StructureDefinition-medication-recommendation.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from fhirtwin.pgx import currency
from fhirtwin.pgx.advice import Step, compose
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.pgx.labels import Statement
from fhirtwin.report.genomics import codes
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.made import Made, made
from fhirtwin.report.genomics.medicines import Medicine
from fhirtwin.rules.genetics import wording
from fhirtwin.terms.systems import LOINC

ANOTHER: Final = ("LA26421-0", "Consider alternative medication")
LESS: Final = ("LA26422-8", "Decrease dose")
MORE: Final = ("LA26423-6", "Increase dose")
KINDS: Final = {"avoid": ANOTHER, "alternative": ANOTHER, "reduce": LESS, "increase": MORE}


def of_row(row: Recommendation, medicine: Medicine, implication: Made, about: About) -> tuple[Made, ...]:
    """One Task for each kind of change among the steps of a row."""
    kinds = dict.fromkeys(KINDS[one.verb] for one in row.steps if one.verb in KINDS)
    whom = "" if row.population == "general" else f" ({row.population})"
    now = currency.replaced(row.drug.name, row.key)
    since = f" CPIC replaced this on 2024-03-20: {now}." if now else ""
    return tuple(
        _task(kind, f"{whom}: {compose(steps_of(kind, row.steps))}{since}", medicine, implication, about)
        for kind in kinds
    )


def of_label(one: Statement, medicine: Medicine, implication: Made, about: About) -> Made:
    """The Task for what a label forbids: another medicine."""
    return _task(ANOTHER, f": {wording.what_a_label_forbids(one)}", medicine, implication, about)


def steps_of(kind: tuple[str, str], steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that are of one kind of change."""
    return tuple(one for one in steps if KINDS.get(one.verb) == kind)


def _task(kind: tuple[str, str], what: str, medicine: Medicine, implication: Made, about: About) -> Made:
    resource: dict[str, Any] = {
        "resourceType": "Task",
        "meta": {"profile": [codes.RECOMMENDATION]},
        "status": "requested",
        "intent": "proposal",
        "code": codes.concept(LOINC, kind[0], kind[1], kind[1]),
        "description": f"{medicine.name}{what}",
        "for": {"reference": about.subject},
        "reasonReference": implication.reference,
    }
    statements = [source for source in medicine.sources if source.type == "MedicationStatement"]
    if statements:
        resource["focus"] = about.refer(statements[0])
    return made(resource, implication.uuid, kind[0])
