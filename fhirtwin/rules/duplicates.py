"""Duplicate therapy: an ordered ingredient that is taken already, or that another draft orders too.

*Same class* is judged only where a label says that two of a class should not meet: see `tables.kidney` for two
medicines that act on the renin-angiotensin system.

Source: HL7 v3 ActCode DUPTHPGEN: a proposed therapy with the same benefit and the same mechanism as an existing one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.pairs import Pair, pairs
from fhirtwin.rules.situation import Rule, Situation
from fhirtwin.terms import drugs

TOPIC: Final = "duplicate-therapy"
SOURCE: Final = Citation(
    "HL7 v3 ActCode, DUPTHPGEN (duplicate generic alert)",
    "https://terminology.hl7.org/CodeSystem-v3-ActCode.html#v3-ActCode-DUPTHPGEN",
)


def same_ingredient(situation: Situation) -> Iterator[Finding]:
    """Find ingredients that would be taken twice. It may be meant (a renewal, a change of dose), so it is a remark."""
    told: set[tuple[str, tuple[str, ...]]] = set()
    for pair in pairs(situation):
        key = (pair.ingredient, pair.orders)
        if pair.ingredient == pair.other and key not in told:
            told.add(key)
            yield _finding(pair)


def _finding(pair: Pair) -> Finding:
    name = drugs.name_of(pair.ingredient)
    shown = f"{name[:1].upper()}{name[1:]}"
    taken = "ordered twice" if pair.other_order else "ordered, and taken already"
    renewed = (
        "Both drafts order the same ingredient."
        if pair.other_order
        else "The record says that it is taken now. When this order renews or changes that one, end the earlier one."
    )
    return Finding(
        rule="duplicate.same-ingredient",
        severity=Severity.WARNING if pair.other_order else Severity.INFO,
        orders=pair.orders,
        summary=f"{shown} is {taken}",
        detail=(renewed, *(f"A medicine was {note}." for note in pair.notes)),
        facts=pair.facts,
        sources=(SOURCE,),
        remedies=(Remedy(f"Remove the order of {name}", Act.REMOVE, order=pair.order.reference),),
        topic=TOPIC,
    )


RULES: Final[tuple[Rule, ...]] = (same_ingredient,)
