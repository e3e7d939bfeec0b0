"""`twin-medication-refill`: results that the refilled medicines need and that are missing or too old.

What is taken beside a refill changes nothing of that, so medicines stated as taken are not asked for.
"""

from __future__ import annotations

from typing import Final

from fhirtwin import timing
from fhirtwin.api.cds.advice import follow_up
from fhirtwin.api.cds.contexts import MedicationRefill
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Fault
from fhirtwin.report import order_cards
from fhirtwin.rules import drafts
from fhirtwin.rules.monitoring import monitoring
from fhirtwin.rules.pending import ordered_codes


def refill(call: Call) -> Response:
    """Answer one call."""
    context = call.context
    if not isinstance(context, MedicationRefill):
        raise Fault("twin-medication-refill was called without the context of medication-refill")
    found = drafts.read(context.medications)
    situation = follow_up.situation(call, found.orders)
    with timing.stage("report"):
        findings = monitoring(situation, ordered_codes(call.prefetched.resources))
        cards = order_cards.finding_cards(findings, situation, call.patient)
        if found.unjudged:
            base = call.parts.settings.base_url
            cards.append(order_cards.not_judged_card(found.unjudged, (), call.patient, base, len(found.orders)))
    return Response(cards)


SERVICE: Final = Service(
    id="twin-medication-refill",
    hooks=("medication-refill",),
    title="Monitoring of refilled medicines",
    description=(
        "Says which results the refilled medicines need that are missing or older than their source lets pass, for "
        "instance a lithium level, potassium or INR, and offers to order them."
    ),
    prefetch={key: template for key, template in follow_up.PREFETCH.items() if key != "statements"},
    handler=refill,
)
