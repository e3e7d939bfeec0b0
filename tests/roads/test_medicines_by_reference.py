"""Medicines that a record names by a reference: read where the Medication is there, and never taken for absent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.roads.gateway import Running, maria

URN = "urn:uuid:00000000-0000-4000-8000-0000000000aa"


def _record(mrn: str, *, medication: bool, last: bool = False) -> str:
    """Maria's record, its statin ordered by a reference; with the Medication, first or last in the Bundle, or not."""
    record = json.loads(maria().replace("MRN-004711", mrn))
    order = next(e["resource"] for e in record["entry"] if "atorvastatin" in json.dumps(e))
    concept = order.pop("medicationCodeableConcept")
    order["medicationReference"] = {"reference": URN if medication else "Medication/elsewhere"}
    if medication:
        drug = {"resourceType": "Medication", "code": concept}
        entry = {"fullUrl": URN, "resource": drug, "request": {"method": "POST", "url": "Medication"}}
        record["entry"].insert(len(record["entry"]) if last else 0, entry)
    return json.dumps(record)


def _prevent(gateway: Running, patient: str) -> dict[str, Any]:
    answer = gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess", params={"predictor": "prevent-base"})
    return dict(answer.json()["entry"][0]["resource"])


@pytest.mark.parametrize("last", [False, True])
def test_a_stored_medication_is_read_wherever_it_stands_in_the_bundle(gateway: Running, last: bool) -> None:
    patient = gateway.post_record(_record(f"MRN-REFERENCE-{last}", medication=True, last=last))
    report = _prevent(gateway, patient)
    assert {p["outcome"]["coding"][0]["code"] for p in report["prediction"]} == {"total-cvd", "ascvd", "heart-failure"}
    assert "statin" not in json.dumps(report["note"]), "it is recorded, so nothing is assumed of it"


def test_a_medicine_that_cannot_be_read_is_not_taken_for_no_statin(gateway: Running) -> None:
    patient = gateway.post_record(_record("MRN-ELSEWHERE", medication=False))
    report = _prevent(gateway, patient)
    assert {p["outcome"]["coding"][0]["code"] for p in report["prediction"]} == {"heart-failure"}, "weighs no statin"
    assert "statin is not known" in json.dumps(report["note"])


def test_a_medication_in_the_prefetch_is_read(gateway: Running) -> None:
    patient = gateway.post_record(_record("MRN-PREFETCH", medication=False))
    prefetch = gateway.prefetch(patient)
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "83367"}
    drug = {"resourceType": "Medication", "id": "elsewhere", "code": {"coding": [coding]}}
    prefetch["medications"]["entry"].append({"resource": drug, "search": {"mode": "include"}})
    cards = gateway.call(patient, prefetch).json()["cards"]
    assert any("atherosclerotic" in card["summary"] for card in cards)
    assert not any("statin is not known" in card["detail"] for card in cards)
