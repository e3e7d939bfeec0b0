"""What order-select and order-sign share: drafts against the twin and against one another.

No cards means that every draft was checked and nothing was found. What was not checked is always said.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from fhirtwin import timing
from fhirtwin.api.cds.advice import genomics, not_obtained
from fhirtwin.api.cds.advice.twin_of_call import left_of, twin_of
from fhirtwin.api.cds.advice.unread import unread
from fhirtwin.api.cds.service import Call, Response
from fhirtwin.errors import TooLarge
from fhirtwin.intake.prefetch import Template
from fhirtwin.interactions import reporting
from fhirtwin.report import order_cards
from fhirtwin.report.card import Card
from fhirtwin.rules import drafts, registry
from fhirtwin.rules.drafts import Unjudged
from fhirtwin.rules.findings import Finding
from fhirtwin.rules.genetics import not_called
from fhirtwin.rules.situation import Situation
from fhirtwin.terms.concepts.observations import codes_of
from fhirtwin.twin import derived
from fhirtwin.twin.state import TwinState

_log = logging.getLogger("fhirtwin.cds")

FACTS: Final = (
    *(
        "creatinine",
        "egfr",
        "body-weight",
        "body-height",
        "potassium",
        "sodium",
        "magnesium",
        "calcium",
        "qtc-interval",
    ),
    *(
        "lithium-level",
        "digoxin-level",
        "tsh",
        "inr",
        "neutrophils",
        "platelets",
        "alt",
        "bilirubin-total",
        "pregnancy",
    ),
)
"""What rules look at, of what is measured; an address has room for some forty codes."""

PREFETCH: Final[Mapping[str, Template]] = {
    "patient": Template("Patient/{{context.patientId}}"),
    "medications": Template("MedicationRequest?patient={{context.patientId}}&_count=1000"),
    "statements": Template("MedicationStatement?patient={{context.patientId}}&_count=1000", required=False),
    "allergies": Template("AllergyIntolerance?patient={{context.patientId}}&_count=1000"),
    "conditions": Template("Condition?patient={{context.patientId}}&_count=1000"),
    "procedures": Template("Procedure?patient={{context.patientId}}&_count=1000", required=False),
    "observations": Template(
        f"Observation?patient={{{{context.patientId}}}}&code={','.join(codes_of(FACTS))}&_count=1000", required=False
    ),
    **genomics.PREFETCH,
}

MOST_DRAFTS: Final = 100
"""Draft orders of medicines in one call. Each is looked at beside each other: twice as many, four times the work."""

_PLACE: Final = "context.draftOrders"


def judge(call: Call, resources: Iterable[Mapping[str, Any]], selected: Collection[str] | None = None) -> Response:
    """Answer a call.

    Args:
        call: with its prefetch.
        resources: of the Bundle of drafts.
        selected: references of the drafts to speak of, the others being looked at beside them; None means all.

    Raises:
        TooLarge: there are more than `MOST_DRAFTS`.
    """
    state, here = twin_of(call)
    with timing.stage("map"):
        day = reporting.today(call.parts)
        found = drafts.read(resources)
        if len(found.orders) > MOST_DRAFTS:
            raise TooLarge(
                f"At most {MOST_DRAFTS} draft orders of medicines are judged in one call.", expression=_PLACE
            )
        ended = derived.ended(state, "medicine", day)
        parts = call.parts
        situation = Situation(
            orders=found.orders,
            state=derived.as_of(state, day),
            day=day,
            ended=ended,
            genes=parts.genes,
            texts=parts.pgx_knowledge,
            oldest_measure=timedelta(days=parts.settings.max_age_vitals_days),
            has_unjudged=bool(found.unjudged),
            left=left_of(call, here=here),
            forgotten=derived.forgotten_pregnancies(state, day),
        )
    with timing.stage("report"):
        findings = [f for f in registry.judge(situation) if _wanted(f.orders, selected)]
        cards = order_cards.finding_cards(findings, situation, call.patient)
        lasting = _lasting(findings, cards)
        cards += _not_judged(call, state, situation, _chosen(found.unjudged, selected), findings)
        cards += not_obtained.of_orders(call, _spoken_of(situation, selected))
    return Response(cards, lasting=lasting)


def _lasting(findings: Sequence[Finding], cards: Sequence[Card]) -> frozenset[str]:
    """The cards of what failed, each of which is logged."""
    failed = [(finding, card["uuid"]) for finding, card in zip(findings, cards, strict=True) if finding.of_failure]
    for finding, _ in failed:
        _log.warning("orders were not judged by everything: %s", finding.summary)
    return frozenset(uuid for _, uuid in failed)


def _spoken_of(situation: Situation, selected: Collection[str] | None) -> Situation:
    return replace(situation, orders=tuple(o for o in situation.orders if _wanted([o.reference], selected)))


def _wanted(orders: Sequence[str], selected: Collection[str] | None) -> bool:
    return selected is None or any(reference in selected for reference in orders)


def _chosen(unjudged: Sequence[Unjudged], selected: Collection[str] | None) -> tuple[Unjudged, ...]:
    return tuple(one for one in unjudged if selected is None or one.reference in selected)


def _not_judged(
    call: Call, state: TwinState, situation: Situation, unjudged: Sequence[Unjudged], findings: Sequence[Finding]
) -> Iterator[Card]:
    told = not_called.told(findings)
    left = tuple(one for one in unread(call, state, situation) if one.reference not in told)
    if unjudged or left:
        judged = len(situation.orders)
        yield order_cards.not_judged_card(unjudged, left, call.patient, call.parts.settings.base_url, judged)
