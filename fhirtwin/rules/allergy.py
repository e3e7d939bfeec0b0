"""Allergies: ordered medicines against what the patient is allergic to, directly and across classes.

*Direct* is the same ingredient, or a medicine of a group that the allergy is recorded to. *Across* is what
`tables.allergies` says of others. A direct finding is critical, unless the record calls the risk low or speaks of an
intolerance that it does not call serious; so is one within a class of antibiotics. Any other across classes is critical
only where the source contraindicates it and the record calls the allergy serious.

An allergy stands in a record more than once (by class, by ingredient, from two clinics), so an order has one finding of
each kind, with all that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.rules.findings import Citation, Finding, Severity
from fhirtwin.rules.saying import capital, how_ordered, removal
from fhirtwin.rules.situation import Order, Rule, Situation
from fhirtwin.rules.tables.allergies import ROWS, CrossReaction
from fhirtwin.terms import drugs
from fhirtwin.twin.mappers.allergy_intolerance import CRITICAL, MILD, SEVERE
from fhirtwin.twin.state import Fact

TOPIC: Final = "allergy"
SOURCE: Final = Citation(
    "HL7 FHIR R4, AllergyIntolerance: a risk of an undesirable response to exposure to the substance",
    "http://hl7.org/fhir/R4/allergyintolerance.html",
)

Match = tuple[str, Fact]
"""An ordered ingredient, and an allergy that speaks against it."""


def allergies(situation: Situation) -> Iterator[Finding]:
    """Find what is ordered although the record speaks against it; a direct finding stands for milder ones across."""
    recorded = situation.state.named("allergy", "intolerance")
    for order in situation.orders:
        ordered = order.medicine.ingredients
        direct = [(i, fact) for i in ordered for fact in recorded if _is_direct(i, str(fact.value))]
        if direct:
            yield _direct(order, direct)
        yield from _across(order, recorded, direct)


def _across(order: Order, recorded: tuple[Fact, ...], direct: list[Match]) -> Iterator[Finding]:
    told = {ingredient for ingredient, _ in direct}
    forbidden = any(_forbids(fact) for _, fact in direct)
    for row in ROWS:
        ordered = [i for i in order.medicine.ingredients if i in row.medicines]
        found = [(i, fact) for i in ordered for fact in recorded if str(fact.value) in row.allergens]
        if found:
            finding = _of_row(order, row, found)
            if told.isdisjoint(ordered) or (finding.severity is Severity.CRITICAL and not forbidden):
                yield finding


def _is_direct(ingredient: str, allergen: str) -> bool:
    group = drugs.GROUPS.get(allergen)
    return ingredient == allergen or (group is not None and ingredient in group.members)


def _serious(fact: Fact) -> bool:
    return CRITICAL in fact.note or SEVERE in fact.note


def _forbids(fact: Fact) -> bool:
    """Whether an allergy forbids what it is recorded to: a serious one, or one of which nothing milder is said."""
    return _serious(fact) or (fact.name == "allergy" and MILD not in fact.note)


def _direct(order: Order, found: list[Match]) -> Finding:
    severity = Severity.CRITICAL if any(_forbids(fact) for _, fact in found) else Severity.WARNING
    kind = "an allergy" if any(fact.name == "allergy" for _, fact in found) else "an intolerance"
    why = f"{kind} to {_allergens(found)} is recorded"
    return _finding("allergy.direct", severity, order, found, why, SOURCE)


def _of_row(order: Order, row: CrossReaction, found: list[Match]) -> Finding:
    weighed = [_forbids(fact) if row.same_class else _serious(fact) for _, fact in found]
    severity = Severity.CRITICAL if row.contraindicated and any(weighed) else Severity.WARNING
    kind = "allergy" if any(fact.name == "allergy" for _, fact in found) else "intolerance"
    article = "an " if row.same_class else ""
    how = "of the same class, is recorded" if row.same_class else "is recorded, cross-reaction possible"
    why = f"{article}{kind} to {_allergens(found)}{',' if row.same_class else ''} {how}"
    return _finding(f"allergy.{row.id}", severity, order, found, why, *row.sources, says=row.why)


def _finding(
    rule: str, severity: Severity, order: Order, found: list[Match], why: str, *sources: Citation, says: str = ""
) -> Finding:
    facts = tuple(dict.fromkeys(fact for _, fact in found))
    name = ", ".join(dict.fromkeys(drugs.name_of(ingredient) for ingredient, _ in found))
    notes = "; ".join(dict.fromkeys(fact.note for fact in facts if fact.note))
    risk = f"The record says of it: {notes}." if notes else "The record does not say how serious it was."
    return Finding(
        rule=rule,
        severity=severity,
        orders=(order.reference,),
        summary=f"{capital(name)}: {why}",
        detail=tuple(filter(None, (says, risk, *how_ordered(order)))),
        facts=facts,
        sources=sources,
        remedies=(removal(order, recommended=severity is Severity.CRITICAL),),
        topic=TOPIC,
    )


def _allergens(found: list[Match]) -> str:
    return ", ".join(dict.fromkeys(_named(fact) for _, fact in found))


def _named(fact: Fact) -> str:
    value = str(fact.value)
    return drugs.GROUPS[value].title if value in drugs.GROUPS else drugs.name_of(value)


RULES: Final[tuple[Rule, ...]] = (allergies,)
