"""The main job, as an EHR sees it: a record goes in, a hook is called, risks come back as cards and RiskAssessments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.roads.gateway import FHIR, Running, days_ago, maria

UNUSED = ("entered-in-error", "refuted")


@pytest.fixture(scope="module")
def cards(gateway: Running, patient: str) -> list[dict[str, Any]]:
    answer = gateway.call(patient, gateway.prefetch(patient))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["cards"])


def reports(gateway: Running, patient: str) -> list[dict[str, Any]]:
    found = gateway.http.get(f"{gateway.base}/RiskAssessment", params={"patient": patient}).json()
    return [entry["resource"] for entry in found.get("entry", ())]


def test_both_risks_come_back_as_cards(cards: list[dict[str, Any]]) -> None:
    assert len([card for card in cards if "RiskAssessment/" in json.dumps(card.get("links", ""))]) == 2
    for card in cards:
        assert len(card["summary"]) < 140
        assert card["indicator"] in ("info", "warning", "critical")


def test_every_prediction_is_a_percentage_with_ages_and_sources(
    gateway: Running, patient: str, cards: list[dict[str, Any]]
) -> None:
    assert cards
    found = reports(gateway, patient)
    outcomes = {p["outcome"]["coding"][0]["code"] for report in found for p in report["prediction"]}
    assert outcomes == {"total-cvd", "ascvd", "heart-failure", "kidney-failure"}
    for report in found:
        assert report["subject"] == {"reference": f"Patient/{patient}"}
        for prediction in report["prediction"]:
            assert 0 < prediction["probabilityDecimal"] < 100
            assert str(prediction["probabilityDecimal"]) in prediction["rationale"]
            assert prediction["whenRange"]["low"]["code"] == "a"
        for basis in report["basis"]:
            source = gateway.http.get(f"{gateway.base}/{basis['reference'].partition('/_history')[0]}")
            assert source.status_code == 200, basis
            assert source.json()["status" if "status" in source.json() else "resourceType"] not in UNUSED


def test_opening_the_chart_again_makes_no_new_report(
    gateway: Running, patient: str, cards: list[dict[str, Any]]
) -> None:
    before = sorted((report["id"], report["meta"]["versionId"]) for report in reports(gateway, patient))
    again = gateway.call(patient, gateway.prefetch(patient)).json()["cards"]
    after = sorted((report["id"], report["meta"]["versionId"]) for report in reports(gateway, patient))
    assert after == before
    assert [card["uuid"] for card in again] == [card["uuid"] for card in cards]


def test_a_corrected_input_supersedes_the_report(gateway: Running) -> None:
    patient = gateway.post_record(maria().replace("MRN-004711", "MRN-CORRECTED"))
    gateway.call(patient, gateway.prefetch(patient))
    before = {report["id"]: report for report in reports(gateway, patient)}
    pressure = gateway.http.get(f"{gateway.base}/Observation", params={"patient": patient, "code": "85354-9"}).json()
    corrected = pressure["entry"][0]["resource"]
    corrected["status"] = "corrected"
    corrected["component"][0]["valueQuantity"]["value"] = 118
    url = f"{gateway.base}/Observation/{corrected['id']}"
    assert gateway.http.put(url, json=corrected, headers={"Content-Type": FHIR}).status_code == 200
    gateway.call(patient, gateway.prefetch(patient))
    after = {report["id"]: report for report in reports(gateway, patient)}
    changed = [rid for rid in after if rid not in before or after[rid]["meta"] != before[rid]["meta"]]
    assert len(changed) == 1
    assert after[changed[0]]["status"] == "corrected"
    assert set(before) <= set(after)


def test_a_patient_of_another_server_is_reported_by_absolute_references(gateway: Running, patient: str) -> None:
    ehr = "https://ehr.example/fhir"
    prefetch = json.loads(json.dumps(gateway.prefetch(patient)))
    answer = gateway.call(patient, prefetch, fhirServer=ehr)
    assert answer.status_code == 200, answer.text
    found = gateway.http.get(f"{gateway.base}/RiskAssessment", params={"subject": f"{ehr}/Patient/{patient}"}).json()
    subjects = {entry["resource"]["subject"]["reference"] for entry in found["entry"]}
    assert subjects == {f"{ehr}/Patient/{patient}"}
    bases = [basis["reference"] for entry in found["entry"] for basis in entry["resource"]["basis"]]
    assert bases and all(reference.startswith(f"{ehr}/") for reference in bases)


def test_assess_reads_without_storing_and_stores_when_posted(gateway: Running) -> None:
    patient = gateway.post_record(maria().replace("MRN-004711", "MRN-ASSESS"))
    url = f"{gateway.base}/Patient/{patient}/$assess"
    bundle = gateway.http.get(url).json()
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds.count("RiskAssessment") == 2
    assert reports(gateway, patient) == []
    assert gateway.http.get(url, params={"store": "true"}).status_code in (400, 405)
    assert gateway.http.post(url, params={"store": "true"}).status_code == 200
    assert len(reports(gateway, patient)) == 2


def test_assess_names_what_is_missing(gateway: Running) -> None:
    record = json.loads(maria().replace("MRN-004711", "MRN-MISSING"))
    record["entry"] = [e for e in record["entry"] if "9318-7" not in json.dumps(e) and "14646-4" not in json.dumps(e)]
    patient = gateway.post_record(json.dumps(record))
    bundle = gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess").json()
    outcome = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "OperationOutcome")
    told = json.dumps(outcome).lower()
    assert "hdl" in told and "albumin" in told


def test_acute_kidney_injury_stops_the_kidney_equation(gateway: Running) -> None:
    record = json.loads(maria().replace("MRN-004711", "MRN-AKI"))
    creatinine = next(e for e in record["entry"] if '"2160-0"' in json.dumps(e))
    for number, (value, day) in enumerate(((0.8, 6), (2.6, 1))):
        entry = json.loads(json.dumps(creatinine))
        entry["fullUrl"] = f"urn:uuid:00000000-0000-4000-8000-00000000000{number}"
        entry["resource"]["valueQuantity"]["value"] = value
        entry["resource"]["effectiveDateTime"] = days_ago(day)
        record["entry"].append(entry)
    patient = gateway.post_record(json.dumps(record))
    bundle = gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess?predictor=kfre-4-variable").json()
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["OperationOutcome"]
    assert "kidney" in json.dumps(bundle).lower()


def test_twin_tells_each_fact_with_its_source(gateway: Running, patient: str) -> None:
    answer = gateway.http.get(f"{gateway.base}/Patient/{patient}/$twin")
    assert answer.status_code == 200
    text = answer.text
    assert "systolic-bp" in text and "/_history/1" in text
    assert "54.0" not in text, "a value entered in error is no fact"
