"""Allergies: ordered medicines against what the patient is allergic to, directly and across classes.

*Direct* is the same ingredient, or a medicine of a group that the allergy is recorded to. *Across* is what
`tables.allergies` says of others. A direct finding is critical, unless the record calls the risk low or speaks of an
intolerance; one across classes is critical only where the source contraindicates it and the record calls the risk high.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.situation import Order, Rule, Situation
from fhirtwin.rules.tables.allergies import ROWS, CrossReaction
from fhirtwin.terms import drugs
from fhirtwin.twin.mappers.allergy_intolerance import CRITICAL, MILD
from fhirtwin.twin.state import Fact

TOPIC: Final = "allergy"
SOURCE: Final = Citation(
    "HL7 FHIR R4, AllergyIntolerance: a risk of an undesirable response to exposure to the substance",
    "http://hl7.org/fhir/R4/allergyintolerance.html",
)


def allergies(situation: Situation) -> Iterator[Finding]:
    """Find what is ordered although the record speaks against it; a direct finding stands for those across."""
    recorded = situation.state.named("allergy", "intolerance")
    for order in situation.orders:
        for ingredient in order.medicine.ingredients:
            for fact in recorded:
                if _is_direct(ingredient, str(fact.value)):
                    yield _direct(order, ingredient, fact)
                    continue
                for row in ROWS:
                    if str(fact.value) in row.allergens and ingredient in row.medicines:
                        yield _across(order, ingredient, fact, row)


def _is_direct(ingredient: str, allergen: str) -> bool:
    group = drugs.GROUPS.get(allergen)
    return ingredient == allergen or (group is not None and ingredient in group.members)


def _direct(order: Order, ingredient: str, fact: Fact) -> Finding:
    mild = fact.name == "intolerance" or MILD in fact.note
    severity = Severity.WARNING if mild else Severity.CRITICAL
    kind = "an intolerance" if fact.name == "intolerance" else "an allergy"
    return _finding(
        "allergy.direct", severity, order, ingredient, fact, f"{kind} to {_named(fact)} is recorded", SOURCE
    )


def _across(order: Order, ingredient: str, fact: Fact, row: CrossReaction) -> Finding:
    critical = row.contraindicated and CRITICAL in fact.note and fact.name == "allergy"
    severity = Severity.CRITICAL if critical else Severity.WARNING
    why = f"{fact.name} to {_named(fact)} is recorded, cross-reaction possible"
    return _finding(f"allergy.{row.id}", severity, order, ingredient, fact, why, *row.sources, says=row.why)


def _finding(
    rule: str,
    severity: Severity,
    order: Order,
    ingredient: str,
    fact: Fact,
    why: str,
    *sources: Citation,
    says: str = "",
) -> Finding:
    name = drugs.name_of(ingredient)
    risk = f"The record calls it: {fact.note}." if fact.note else "The record does not say how serious it was."
    read = f"The ordered medicine was {order.medicine.note}." if order.medicine.note else ""
    return Finding(
        rule=rule,
        severity=severity,
        orders=(order.reference,),
        summary=f"{name[:1].upper()}{name[1:]}: {why}",
        detail=tuple(text for text in (says, risk, read) if text),
        facts=(fact,),
        sources=sources,
        remedies=(
            Remedy(
                f"Remove the order of {name}",
                Act.REMOVE,
                order=order.reference,
                recommended=severity is Severity.CRITICAL,
            ),
        ),
        topic=TOPIC,
    )


def _named(fact: Fact) -> str:
    value = str(fact.value)
    return drugs.GROUPS[value].title if value in drugs.GROUPS else drugs.name_of(value)


RULES: Final[tuple[Rule, ...]] = (allergies,)
