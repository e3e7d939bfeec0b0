"""`twin-patient-view`: cardiovascular and kidney risk when a chart is opened.

The prefetch is laid over the twin for this call only; risks are calculated on ciphertext, stored as RiskAssessments and
shown as cards, with one more card for what could not be calculated and why, and one for genes that matter to
prescribing.
"""

from __future__ import annotations

import logging
from datetime import date
from typing import Final

from fhirtwin import timing
from fhirtwin.api.cds.advice import genomics, not_obtained
from fhirtwin.api.cds.advice.twin_of_call import left_of, twin_of
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, Unprocessable
from fhirtwin.intake.prefetch import Template
from fhirtwin.interactions import reporting
from fhirtwin.report import cards, gene_cards
from fhirtwin.terms.concepts.observations import codes_of
from fhirtwin.terms.facts import GENES
from fhirtwin.twin import derived
from fhirtwin.twin.state import TwinState

_log = logging.getLogger("fhirtwin.cds")

FACTS: Final = (
    *("total-cholesterol", "hdl-cholesterol", "systolic-bp", "bmi", "body-weight", "body-height", "smoking-status"),
    *("creatinine", "egfr", "uacr", "hba1c", "pregnancy"),
)
"""What the risks are told from, of what is measured."""

OBSERVATIONS: Final = codes_of(FACTS)
"""LOINC codes of it, which is all that the query asks for: an address has room for some forty."""


def view(call: Call) -> Response:
    """Answer one call."""
    state, here = twin_of(call)
    day = reporting.today(call.parts)
    genes = _genes(call, state, day)
    left = list(not_obtained.of_call(call, left_of(call, here=here)))
    try:
        # A patient of no known server is nobody that a stored report could refer to, so nothing is stored.
        found = reporting.assess(call.parts, call.caller, state, day, keep=here)
    except (EngineUnavailable, EngineAnswerRefused) as error:
        _log.warning("no risk was calculated: %s", error)
        card = cards.engine_failed_card(error, reporting.occasion(call.parts, state, day))
        return Response([card, *genes.cards, *left], lasting=genes.lasting | {card["uuid"]})
    with timing.stage("report"):
        made = [
            cards.risk_card(r.result, r.identity, found.occasion, resource=r.resource, stored=r.stored)
            for r in found.reports
        ]
        if found.refusals:
            made.append(cards.not_calculated_card(found.refusals, found.occasion))
    return Response([*made, *genes.cards, *left], lasting=genes.lasting)


def _genes(call: Call, state: TwinState, day: date) -> Response:
    """What matters of the genes, if somebody looked at any; or that they could not be looked up."""
    if not state.named(*GENES):
        return Response()
    try:
        card = gene_cards.genome_card(derived.as_of(state, day), call.patient, call.parts.genes)
    except (EngineUnavailable, EngineAnswerRefused, Unprocessable) as error:
        _log.warning("no gene was looked up: %s", error)
        failed = gene_cards.not_looked_up_card(error, call.patient)
        return Response([failed], lasting=frozenset({failed["uuid"]}))
    return Response([card] if card else [])


SERVICE: Final = Service(
    id="twin-patient-view",
    hooks=("patient-view",),
    title="Cardiovascular and kidney risk",
    description=(
        "Calculates 10- and 30-year cardiovascular risk (AHA PREVENT) and 2- and 5-year kidney failure risk (KFRE) on "
        "ciphertext, and says what is missing where it cannot."
    ),
    prefetch={
        "patient": Template("Patient/{{context.patientId}}"),
        "conditions": Template("Condition?patient={{context.patientId}}&_count=1000"),
        "procedures": Template("Procedure?patient={{context.patientId}}&_count=1000"),
        "medications": Template("MedicationRequest?patient={{context.patientId}}&_count=1000"),
        "statements": Template("MedicationStatement?patient={{context.patientId}}&_count=1000", required=False),
        "observations": Template(
            f"Observation?patient={{{{context.patientId}}}}&code={','.join(OBSERVATIONS)}&_count=1000"
        ),
        **genomics.PREFETCH,
    },
    handler=view,
)
