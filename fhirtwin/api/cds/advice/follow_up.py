"""What the services share that follow medicines and problems up: the situation of a call, and what it is read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin import timing
from fhirtwin.api.cds.advice.twin_of_call import left_of, twin_of
from fhirtwin.api.cds.service import Call
from fhirtwin.intake.prefetch import Template
from fhirtwin.interactions import reporting
from fhirtwin.rules.monitoring_table import ROWS
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.terms.concepts.observations import codes_of
from fhirtwin.twin import derived

FACTS: Final = tuple(sorted({fact for row in ROWS for due in row.dues for fact in due.check.facts}))
"""What monitoring is told from, of what is measured."""

PREFETCH: Final[Mapping[str, Template]] = {
    "patient": Template("Patient/{{context.patientId}}"),
    "medications": Template("MedicationRequest?patient={{context.patientId}}&_count=1000"),
    "statements": Template("MedicationStatement?patient={{context.patientId}}&_count=1000", required=False),
    "observations": Template(
        f"Observation?patient={{{{context.patientId}}}}&code={','.join(codes_of(FACTS))}&_count=1000"
    ),
    "orders": Template("ServiceRequest?patient={{context.patientId}}&status=active&_count=1000"),
}
"""Results and orders are required: without them everything would look due."""


def situation(call: Call, orders: tuple[Order, ...]) -> Situation:
    """Give the patient as of today, with the call laid over the twin, and the orders that are looked at."""
    state, here = twin_of(call)
    with timing.stage("map"):
        day = reporting.today(call.parts)
        return Situation(orders, derived.as_of(state, day), day, left=left_of(call, here=here))
