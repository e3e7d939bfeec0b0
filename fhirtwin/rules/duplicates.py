"""Duplicate therapy: an ordered ingredient that is taken already, or that another draft orders too.

*Same class* is judged only where a label says that two of a class should not meet: see `tables.kidney` for two
medicines that act on the renin-angiotensin system.

Source: HL7 v3 ActCode DUPTHPGEN: a proposed therapy with the same benefit and the same mechanism as an existing one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from fhirtwin.rules.findings import Citation, Finding, Severity
from fhirtwin.rules.pairs import Pair, pairs, removals
from fhirtwin.rules.saying import capital, how_read
from fhirtwin.rules.situation import Rule, Situation
from fhirtwin.terms import drugs

TOPIC: Final = "duplicate-therapy"
SOURCE: Final = Citation(
    "HL7 v3 ActCode, DUPTHPGEN (duplicate generic alert)",
    "https://terminology.hl7.org/CodeSystem-v3-ActCode.html#v3-ActCode-DUPTHPGEN",
)


def same_ingredient(situation: Situation) -> Iterator[Finding]:
    """Find ingredients that would be taken twice. It may be meant (a renewal, a change of dose), so it is a remark."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs(situation):
        if pair.ingredient == pair.other:
            groups.setdefault(pair.ingredient, []).append(pair)
    yield from (_finding(ingredient, group) for ingredient, group in groups.items())


def _finding(ingredient: str, group: Sequence[Pair]) -> Finding:
    name = drugs.name_of(ingredient)
    drafts = tuple(dict.fromkeys(chain(*(pair.orders for pair in group))))
    facts = tuple(dict.fromkeys(chain(*(pair.facts for pair in group))))
    times = {1: "ordered", 2: "ordered twice"}.get(len(drafts), f"ordered {len(drafts)} times")
    read = how_read(chain(*(pair.notes for pair in group)))
    return Finding(
        rule="duplicate.same-ingredient",
        severity=Severity.WARNING if len(drafts) > 1 else Severity.INFO,
        orders=drafts,
        summary=f"{capital(name)} is {times}{', and taken already' if facts else ''}",
        detail=(*([_TWICE] if len(drafts) > 1 else []), *([_TAKEN] if facts else []), *read),
        facts=facts,
        sources=(SOURCE,),
        remedies=tuple(removals(group)),
        topic=TOPIC,
    )


_TWICE: Final = "More than one draft orders the same ingredient."
_TAKEN: Final = "The record says that it is taken now. When this order renews or changes that one, end the earlier one."


RULES: Final[tuple[Rule, ...]] = (same_ingredient,)
