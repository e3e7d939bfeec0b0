"""Renal dosing through the door of order-sign."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.terms.systems import SNOMED
from tests.api_cds.advice.test_order_safety import EGFR, SUBJECT, bundle, call, cards, concept, draft
from tests.gateway_in_process import Gateway


def observed(code: str, value: float, unit: str, id_: str) -> dict[str, Any]:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        **EGFR,
        "id": id_,
        "code": concept(code, system="http://loinc.org"),
        "effectiveDateTime": "2026-05-20",
        "valueQuantity": quantity,
    }


def test_contraindicated_by_kidney_function_is_critical_and_the_draft_can_be_deleted(twin: Gateway) -> None:
    low = observed("98979-8", 25, "mL/min/{1.73_m2}", "low")
    (card,) = cards(call(twin, draft("6809"), observations=(low,)))
    assert (card["indicator"], card["summary"]) == (
        "critical",
        "Metformin: contraindicated at eGFR 25 mL/min/1.73 m²",
    )
    (suggestion,) = card["suggestions"]
    assert suggestion["actions"] == [
        {"type": "delete", "description": "Remove metformin", "resourceId": "MedicationRequest/d1"}
    ]
    assert "Observation/low" in card["detail"]


def test_without_weight_the_card_says_so_and_offers_to_measure_it(twin: Gateway) -> None:
    (card,) = cards(call(twin, draft("25480"), observations=(observed("2160-0", 1.4, "mg/dL", "crea"),)))
    assert card["summary"] == "Gabapentin: renal dose not judged: no body weight is known"
    (suggestion,) = card["suggestions"]
    assert suggestion["actions"][0]["resource"]["code"]["coding"][0]["code"] == "29463-7"


@pytest.mark.parametrize("drug", ["6809", "25480", "1364430"])
def test_dialysis_as_a_procedure_ends_in_a_question(twin: Gateway, drug: str) -> None:
    dialysis = {
        "resourceType": "Procedure",
        "id": "hd",
        "status": "completed",
        "code": concept("265764009", system=SNOMED),
        "subject": SUBJECT,
        "performedDateTime": "2026-05-01",
    }
    sent = call(twin, draft(drug), procedures=bundle(dialysis))
    (card,) = cards(sent)
    assert card["indicator"] == "warning"
    assert "ask before dosing" in card["summary"]
