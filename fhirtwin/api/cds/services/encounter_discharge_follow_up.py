"""`twin-encounter-discharge`: results still to come, and monitoring that the medicines need and nobody ordered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin import timing
from fhirtwin.api.cds.advice import follow_up, not_obtained
from fhirtwin.api.cds.contexts import EncounterDischarge
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Fault
from fhirtwin.intake.prefetch import Template
from fhirtwin.report import order_cards
from fhirtwin.rules.findings import Finding
from fhirtwin.rules.monitoring import monitoring_of_taken, unread_medicines
from fhirtwin.rules.pending import ordered_codes, pending, pending_results
from fhirtwin.rules.situation import Situation


def discharge(call: Call) -> Response:
    """Answer one call."""
    if not isinstance(call.context, EncounterDischarge):
        raise Fault("twin-encounter-discharge was called without the context of encounter-discharge")
    situation = follow_up.situation(call, ())
    with timing.stage("report"):
        findings = _findings(call, situation)
        cards = order_cards.finding_cards(findings, situation, call.patient)
        return Response([*cards, *not_obtained.of_call(call, situation.left)])


def _findings(call: Call, situation: Situation) -> Iterator[Finding]:
    resources = call.prefetched.resources
    yield from pending_results(pending(resources, call.context.encounter_id))
    yield from monitoring_of_taken(situation.state, situation.day, ordered_codes(resources))
    yield from unread_medicines(situation.state)


SERVICE: Final = Service(
    id="twin-encounter-discharge",
    hooks=("encounter-discharge",),
    title="Open ends at discharge",
    description=(
        "Lists the results of the encounter that are still to come, and the monitoring that the medicines of the "
        "record need and that is neither there nor ordered."
    ),
    prefetch={
        **follow_up.PREFETCH,
        "results": Template("Observation?patient={{context.patientId}}&encounter={{context.encounterId}}&_count=1000"),
        "reports": Template(
            "DiagnosticReport?patient={{context.patientId}}&encounter={{context.encounterId}}&_count=1000"
        ),
    },
    handler=discharge,
)
