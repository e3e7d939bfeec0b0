from __future__ import annotations

from typing import Any

from fhirtwin.interactions.withdrawing import NOTE
from tests.gateway_in_process import FHIR, Gateway


def everything(twin: Gateway, patient: str) -> dict[str, dict[str, Any]]:
    found = twin.http.get(f"/fhir/RiskAssessment?patient={patient}").json
    assert found is not None
    return {entry["resource"]["id"]: entry["resource"] for entry in found["entry"]}


def one(twin: Gateway, patient: str, code: str) -> dict[str, Any]:
    found = twin.http.get(f"/fhir/Observation?patient={patient}&code={code}").json
    assert found is not None
    return dict(found["entry"][0]["resource"])


def put(twin: Gateway, resource: dict[str, Any]) -> None:
    url = f"/fhir/{resource['resourceType']}/{resource['id']}"
    assert twin.http.put(url, json=resource, content_type=FHIR).status_code == 200


def test_a_source_entered_in_error_withdraws_what_rests_on_it(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = twin.reports(patient)
    put(twin, {**one(twin, patient, "85354-9"), "status": "entered-in-error"})
    twin.call(patient, twin.prefetch(patient))
    after = everything(twin, patient)
    withdrawn = after[before["prevent-base"]["id"]]
    assert withdrawn["status"] == "entered-in-error"
    assert withdrawn["note"][-1] == {"text": NOTE}
    assert withdrawn["prediction"] == before["prevent-base"]["prediction"]
    kidney = before["kfre-4-variable"]
    assert after[kidney["id"]] == kidney, "what does not rest on it stands as it was"


def test_what_was_withdrawn_is_not_withdrawn_again(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    put(twin, {**one(twin, patient, "85354-9"), "status": "entered-in-error"})
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = everything(twin, patient)
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    assert everything(twin, patient) == before


def test_a_newer_measurement_withdraws_nothing(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = everything(twin, patient)
    newer = {**one(twin, patient, "85354-9"), "effectiveDateTime": "2026-05-31T18:00:00Z"}
    assert twin.http.post("/fhir/Observation", json=newer, content_type=FHIR).status_code == 201
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    after = everything(twin, patient)
    assert len(after) == len(before) + 1
    assert {report["status"] for report in after.values()} == {"final"}


def test_a_read_only_assessment_withdraws_nothing(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = everything(twin, patient)
    put(twin, {**one(twin, patient, "85354-9"), "status": "entered-in-error"})
    assert twin.http.get(f"/fhir/Patient/{patient}/$assess").status_code == 200
    assert everything(twin, patient) == before


def test_a_risk_assessment_of_somebody_else_is_left_alone(twin: Gateway, patient: str) -> None:
    theirs = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "basis": [{"reference": "Observation/gone"}],
    }
    made = twin.http.post("/fhir/RiskAssessment", json=theirs, content_type=FHIR)
    assert made.status_code == 201 and made.json is not None
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    assert everything(twin, patient)[made.json["id"]] == made.json


def test_the_record_of_another_server_is_not_judged_by_what_a_call_leaves_out(twin: Gateway, patient: str) -> None:
    prefetch, ehr = twin.prefetch(patient), "https://ehr.example/fhir"
    twin.call(patient, prefetch, fhirServer=ehr)
    before = twin.reports(f"{ehr}/Patient/{patient}")
    prefetch["observations"]["entry"] = [
        e for e in prefetch["observations"]["entry"] if "85354-9" not in str(e["resource"]["code"])
    ]
    twin.call(patient, prefetch, fhirServer=ehr)
    assert twin.reports(f"{ehr}/Patient/{patient}") == before


def test_a_source_that_counts_again_makes_it_stand_again(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = twin.reports(patient)["prevent-base"]
    pressure = one(twin, patient, "85354-9")
    put(twin, {**pressure, "status": "entered-in-error"})
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    put(twin, {**pressure, "status": "final"})
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    after = everything(twin, patient)[before["id"]]
    assert (after["status"], after["meta"]["versionId"]) == ("corrected", "3")
    assert NOTE not in str(after["note"])


def test_a_call_cannot_withdraw_by_what_it_sends(twin: Gateway, patient: str) -> None:
    prefetch = twin.prefetch(patient)
    twin.call(patient, prefetch)
    before = everything(twin, patient)
    for entry in prefetch["observations"]["entry"]:
        entry["resource"]["status"] = "entered-in-error"
    twin.call(patient, prefetch)
    assert everything(twin, patient) == before


def systolic(pressure: dict[str, Any], value: int) -> dict[str, Any]:
    parts = [
        {**part, "valueQuantity": {**part["valueQuantity"], "value": value}} if "8480-6" in str(part["code"]) else part
        for part in pressure["component"]
    ]
    return {**pressure, "component": parts}


def test_a_source_corrected_out_of_range_withdraws_though_nothing_takes_its_place(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = twin.reports(patient)["prevent-base"]
    put(twin, {**systolic(one(twin, patient, "85354-9"), 260), "status": "corrected"})
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    after = everything(twin, patient)[before["id"]]
    assert (after["status"], after["note"][-1]) == ("entered-in-error", {"text": NOTE})


def test_a_source_whose_corrected_date_makes_it_an_old_one_withdraws(twin: Gateway, patient: str) -> None:
    pressure = one(twin, patient, "85354-9")
    older = {**systolic(pressure, 111), "effectiveDateTime": "2026-01-05T08:00:00Z"}
    assert twin.http.post("/fhir/Observation", json=older, content_type=FHIR).status_code == 201
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = twin.reports(patient)["prevent-base"]
    put(twin, {**pressure, "status": "corrected", "effectiveDateTime": "2025-12-05T08:00:00Z"})
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    after = everything(twin, patient)
    assert after[before["id"]]["status"] == "entered-in-error"
    standing = [r for r in after.values() if r["method"] == before["method"] and r["status"] == "final"]
    assert len(standing) == 1


def test_a_new_version_that_says_the_same_withdraws_nothing(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = everything(twin, patient)
    pressure = one(twin, patient, "85354-9")
    put(twin, {**pressure, "note": [{"text": "sitting"}]})
    newer = {**pressure, "effectiveDateTime": "2026-05-31T18:00:00Z"}
    assert twin.http.post("/fhir/Observation", json=newer, content_type=FHIR).status_code == 201
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    assert {everything(twin, patient)[id_]["status"] for id_ in before} == {"final"}


def test_what_changes_in_the_course_of_time_withdraws_nothing(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = everything(twin, patient)
    person = twin.http.get(f"/fhir/Patient/{patient}").json
    assert person is not None
    put(twin, {**person, "deceasedDateTime": "2026-05-31"})
    found = twin.http.get(f"/fhir/MedicationRequest?patient={patient}&status=active").json
    assert found is not None and found["entry"]
    for entry in found["entry"]:
        put(twin, {**entry["resource"], "status": "stopped"})
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    after = everything(twin, patient)
    assert before.keys() == after.keys()
    assert {report["status"] for report in after.values()} == {"final"}


def test_a_corrected_birth_date_withdraws_what_was_calculated_at_the_wrong_age(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = everything(twin, patient)
    person = twin.http.get(f"/fhir/Patient/{patient}").json
    assert person is not None
    put(twin, {**person, "birthDate": f"{int(person['birthDate'][:4]) - 5}{person['birthDate'][4:]}"})
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    after = everything(twin, patient)
    assert {after[id_]["status"] for id_ in before} == {"entered-in-error"}
    assert {report["status"] for id_, report in after.items() if id_ not in before} == {"final"}
