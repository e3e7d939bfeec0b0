from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirtwin.access import Caller
from fhirtwin.api.cds.services import patient_view_risk
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, FhirtwinError
from fhirtwin.fhir import validator
from fhirtwin.predictors.registry import all_predictors
from fhirtwin.report import cards as report_cards
from fhirtwin.terms.facts import FLAGS
from tests.gateway_in_process import FHIR, Gateway, maria

EHR = "https://ehr.example/fhir"


def cards(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return list(answer.json["cards"])


def outcome(answer: Any, status: int) -> list[dict[str, Any]]:
    assert answer.status_code == status, answer.text
    assert answer.content_type.startswith(FHIR)
    assert answer.json["resourceType"] == "OperationOutcome"
    return list(answer.json["issue"])


def at_ehr(prefetch: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(prefetch)))


@pytest.fixture
def whole(twin: Gateway, patient: str) -> dict[str, Any]:
    """A prefetch with nothing missing."""
    return twin.prefetch(patient)


def test_discovery_lists_the_service_with_its_templates(twin: Gateway) -> None:
    answer = twin.http.get("/cds-services")
    assert answer.content_type == "application/json"
    (service,) = [s for s in answer.json["services"] if s["id"] == "twin-patient-view"]  # type: ignore[index]
    assert (service["id"], service["hook"]) == ("twin-patient-view", "patient-view")
    assert service["prefetch"]["patient"] == "Patient/{{context.patientId}}"
    assert service["title"] and service["description"]


def test_a_stored_patient_gets_two_risks_stored_and_linked(twin: Gateway, patient: str) -> None:
    found = cards(twin.call(patient, twin.prefetch(patient)))
    stored = twin.reports(patient)
    assert set(stored) == {"prevent-base", "kfre-4-variable"}
    linked = {card["links"][0]["url"] for card in found}
    assert linked == {f"https://twin.example/fhir/RiskAssessment/{report['id']}" for report in stored.values()}
    assert all(report["subject"] == {"reference": f"Patient/{patient}"} for report in stored.values())
    assert all(report["occurrenceDateTime"] == "2026-06-01" for report in stored.values())


def test_cards_and_reports_say_that_it_was_computed_on_ciphertext(twin: Gateway, patient: str) -> None:
    for card in cards(twin.call(patient, twin.prefetch(patient))):
        assert "computed on ciphertext by fhirtwin engine" in card["detail"]
        assert "masked mode" in card["detail"]
    assert len(twin.courier.sent) == 1, "all predictors of a patient travel in one ciphertext"


def test_each_report_has_a_provenance_of_its_version(twin: Gateway, patient: str) -> None:
    twin.call(patient, twin.prefetch(patient))
    for report in twin.reports(patient).values():
        made_by = twin.http.get(f"/fhir/Provenance/pv-{report['id'].removeprefix('ra-')}-1").json
        assert made_by is not None
        assert made_by["target"] == [{"reference": f"RiskAssessment/{report['id']}/_history/1"}]
        assert {entity["what"]["reference"] for entity in made_by["entity"]} == {
            b["reference"] for b in report["basis"]
        }


def test_opening_the_chart_again_writes_nothing(twin: Gateway, patient: str) -> None:
    prefetch = twin.prefetch(patient)
    first = cards(twin.call(patient, prefetch))
    before = twin.reports(patient)
    twin.day = date(2026, 6, 20)
    again = cards(twin.call(patient, prefetch))
    assert twin.reports(patient) == before
    assert [card["uuid"] for card in again] == [card["uuid"] for card in first]
    assert [card["summary"] for card in again] == [card["summary"] for card in first]


def test_a_corrected_input_supersedes_only_the_report_it_went_into(twin: Gateway, patient: str) -> None:
    first = cards(twin.call(patient, twin.prefetch(patient)))
    before = twin.reports(patient)
    found = twin.http.get(f"/fhir/Observation?patient={patient}&code=85354-9").json
    assert found is not None
    pressure = found["entry"][0]["resource"]
    pressure["status"] = "corrected"
    pressure["component"][0]["valueQuantity"]["value"] = 118
    assert twin.http.put(f"/fhir/Observation/{pressure['id']}", json=pressure, content_type=FHIR).status_code == 200
    again = cards(twin.call(patient, twin.prefetch(patient)))
    after = twin.reports(patient)
    assert after["kfre-4-variable"] == before["kfre-4-variable"]
    old, new = before["prevent-base"], after["prevent-base"]
    assert (new["id"], new["status"], new["meta"]["versionId"]) == (old["id"], "corrected", "2")
    assert {"reference": f"Observation/{pressure['id']}/_history/2"} in new["basis"]
    superseded = twin.http.get(f"/fhir/RiskAssessment/{old['id']}/_history/1").json
    assert superseded == old
    assert len({card["uuid"] for card in first} - {card["uuid"] for card in again}) == 1
    assert twin.http.get(f"/fhir/Provenance/pv-{old['id'].removeprefix('ra-')}-2").status_code == 200


def test_a_patient_of_another_server_is_another_patient(twin: Gateway, patient: str) -> None:
    prefetch = at_ehr(twin.prefetch(patient))
    assert len(cards(twin.call(patient, prefetch, fhirServer=EHR + "/"))) == 2
    assert twin.reports(patient) == {}
    there = twin.reports(f"{EHR}/Patient/{patient}")
    assert set(there) == {"prevent-base", "kfre-4-variable"}
    for report in there.values():
        assert report["subject"] == {"reference": f"{EHR}/Patient/{patient}"}
        assert all(basis["reference"].startswith(f"{EHR}/") for basis in report["basis"])


def test_nobody_of_ours_and_of_no_server_gets_cards_and_no_report(twin: Gateway, patient: str) -> None:
    text = json.dumps(twin.prefetch(patient)).replace(patient, "unknown-here")
    found = cards(twin.call("unknown-here", json.loads(text), fhirServer=...))
    assert len(found) == 2
    assert all("links" not in card and "**Not stored:**" in card["detail"] for card in found)
    assert twin.reports("unknown-here") == {}


def test_what_the_call_brings_counts_for_the_call_only(twin: Gateway, patient: str) -> None:
    prefetch = at_ehr(twin.prefetch(patient))
    version = twin.http.get(f"/fhir/Patient/{patient}/$twin").headers["ETag"]
    prefetch["conditions"]["entry"].append(
        {
            "resource": {
                "resourceType": "Condition",
                "id": "stroke",
                "subject": {"reference": f"Patient/{patient}"},
                "verificationStatus": {
                    "coding": [
                        {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}
                    ]
                },
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": "22298006"}]},
                "onsetDateTime": "2020-01-01",
            }
        }
    )
    found = cards(twin.call(patient, prefetch))
    refused = [card for card in found if "not calculated" in card["summary"]]
    assert len(refused) == 1
    assert "known cardiovascular disease" in refused[0]["detail"]
    assert twin.http.get(f"/fhir/Patient/{patient}/$twin").headers["ETag"] == version


def test_a_source_that_only_the_call_brought_is_told_and_not_pointed_at(twin: Gateway, patient: str) -> None:
    prefetch = at_ehr(twin.prefetch(patient))
    pressure = next(e["resource"] for e in prefetch["observations"]["entry"] if "85354-9" in str(e["resource"]["code"]))
    pressure["id"], pressure["effectiveDateTime"] = "not-stored-here", "2026-05-31T20:00:00Z"
    cards(twin.call(patient, prefetch))
    basis = twin.reports(patient)["prevent-base"]["basis"]
    assert {"type": "Observation", "display": "sent with the call, not stored on this server"} in basis
    assert "not-stored-here" not in str(basis)
    for reference in (each["reference"] for each in basis if "reference" in each):
        assert twin.http.get(f"/fhir/{reference}").status_code == 200


def test_a_source_that_was_deleted_here_is_not_pointed_at_without_a_version(twin: Gateway, patient: str) -> None:
    prefetch = at_ehr(twin.prefetch(patient))
    pressure = next(e["resource"] for e in prefetch["observations"]["entry"] if "85354-9" in str(e["resource"]["code"]))
    twin.http.delete(f"/fhir/Observation/{pressure['id']}")
    del pressure["meta"]
    cards(twin.call(patient, prefetch))
    basis = twin.reports(patient)["prevent-base"]["basis"]
    assert {"type": "Observation", "display": "sent with the call, not stored on this server"} in basis
    assert pressure["id"] not in str(basis)


def test_a_source_without_a_version_is_pointed_at_without_one(twin: Gateway, patient: str) -> None:
    prefetch = at_ehr(twin.prefetch(patient))
    for entry in prefetch["observations"]["entry"]:
        del entry["resource"]["meta"]
    cards(twin.call(patient, prefetch))
    references = [basis["reference"] for basis in twin.reports(patient)["prevent-base"]["basis"]]
    observed = [reference for reference in references if reference.startswith("Observation/")]
    assert observed and not any("_history" in reference for reference in observed)


def test_what_is_missing_becomes_a_card_that_names_it(twin: Gateway) -> None:
    record = json.loads(maria())
    record["entry"] = [e for e in record["entry"] if "9318-7" not in json.dumps(e) and "14646-4" not in json.dumps(e)]
    patient = twin.load(json.dumps(record))
    found = cards(twin.call(patient, twin.prefetch(patient)))
    told = " ".join(card["detail"] for card in found)
    assert "HDL cholesterol is missing" in told
    assert "urine albumin-creatinine ratio is missing" in told


def test_what_is_missing_is_offered_to_be_ordered_for_the_patient_of_the_call(twin: Gateway) -> None:
    record = json.loads(maria())
    record["entry"] = [e for e in record["entry"] if "9318-7" not in json.dumps(e) and "14646-4" not in json.dumps(e)]
    patient = twin.load(json.dumps(record))
    found = cards(twin.call(patient, twin.prefetch(patient), fhirServer=EHR))
    orders = [one for card in found for one in card["suggestions"] if one["label"].startswith("Order ")]
    assert [one["label"] for one in orders] == ["Order HDL cholesterol", "Order urine albumin-creatinine ratio"]
    for (action,) in (one["actions"] for one in orders):
        assert action["type"] == "create"
        assert action["resource"]["subject"] == {"reference": f"Patient/{patient}"}
        assert validator.validate(action["resource"], type="ServiceRequest") == []


def test_a_risk_can_be_filed_where_the_patient_is(twin: Gateway, patient: str) -> None:
    """This server stands in for the EHR's: what it is offered it takes, and every source is where the copy says."""
    first = cards(twin.call(patient, twin.prefetch(patient), fhirServer=EHR))
    again = cards(twin.call(patient, twin.prefetch(patient), fhirServer=EHR))
    assert [card["suggestions"] for card in first] == [card["suggestions"] for card in again]
    for card in first:
        (one,) = card["suggestions"]
        (action,) = one["actions"]
        copy = action["resource"]
        assert all(isinstance(p["probabilityDecimal"], float | int) for p in copy["prediction"])
        assert twin.http.post("/fhir/RiskAssessment", json=copy, content_type=FHIR).status_code == 201
        for source in copy["basis"]:
            assert twin.http.get(f"/fhir/{source['reference']}").status_code == 200


def test_a_filed_risk_can_be_accepted_by_its_uuid(twin: Gateway, patient: str) -> None:
    card = cards(twin.call(patient, twin.prefetch(patient), fhirServer=EHR))[0]
    told = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
        "outcomeTimestamp": "2026-06-01T12:00:30Z",
    }
    answer = twin.http.post("/cds-services/twin-patient-view/feedback", json={"feedback": [told]})
    assert (answer.status_code, answer.json) == (200, {})


def test_a_risk_of_a_patient_kept_here_is_in_the_record_already(twin: Gateway, patient: str) -> None:
    assert all("suggestions" not in card for card in cards(twin.call(patient, twin.prefetch(patient))))


def test_nothing_is_sent_when_nobody_is_eligible(twin: Gateway) -> None:
    record = json.loads(maria())
    record["entry"] = [e for e in record["entry"] if e["resource"]["resourceType"] != "Observation"]
    patient = twin.load(json.dumps(record))
    (card,) = cards(twin.call(patient, twin.prefetch(patient)))
    assert "not calculated" in card["summary"]
    assert twin.courier.sent == []
    assert twin.reports(patient) == {}


@pytest.mark.parametrize("error", [EngineUnavailable("late"), EngineAnswerRefused("wrong")])
def test_a_failed_engine_is_a_card_and_nothing_is_stored(twin: Gateway, patient: str, error: FhirtwinError) -> None:
    twin.courier.fails = error
    (card,) = cards(twin.call(patient, twin.prefetch(patient)))
    assert card["indicator"] == "warning"
    assert "engine" in card["summary"]
    assert twin.reports(patient) == {}


def test_a_corrupted_answer_is_an_error_and_never_a_risk(twin: Gateway, patient: str) -> None:
    def flip(scores: Any) -> Any:
        spoilt = bytearray(scores.sealed_sums)
        spoilt[len(spoilt) // 2] ^= 1
        return replace(scores, sealed_sums=bytes(spoilt))

    twin.courier.spoil = flip
    (card,) = cards(twin.call(patient, twin.prefetch(patient)))
    assert "in quarantine because it gave a wrong answer" in card["summary"]
    assert twin.reports(patient) == {}


def test_an_absent_key_is_412_by_name(twin: Gateway, patient: str) -> None:
    prefetch = twin.prefetch(patient)
    del prefetch["procedures"]
    (issue,) = outcome(twin.call(patient, prefetch), 412)
    assert "`procedures`" in issue["diagnostics"]
    assert issue["expression"] == ["prefetch.procedures"]


def test_another_patients_resource_is_422_without_a_word_of_whose(twin: Gateway, patient: str) -> None:
    prefetch = at_ehr(twin.prefetch(patient))
    prefetch["observations"]["entry"][2]["resource"]["subject"]["reference"] = "Patient/somebody-else"
    (issue,) = outcome(twin.call(patient, prefetch), 422)
    assert issue["expression"] == ["prefetch.observations.entry[2]"]
    assert "somebody-else" not in json.dumps(issue)
    assert twin.reports(patient) == {}


def test_invalid_fhir_in_the_prefetch_is_400_by_place(twin: Gateway, patient: str) -> None:
    prefetch = at_ehr(twin.prefetch(patient))
    prefetch["observations"]["entry"][0]["resource"]["statsu"] = "final"
    issues = outcome(twin.call(patient, prefetch), 400)
    assert ["prefetch.observations.entry[0].resource.statsu"] in [issue["expression"] for issue in issues]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"hook": "order-sign"}, "hook"),
        ({"hookInstance": ...}, "hookInstance"),
        ({"fhirServer": "ehr"}, "fhirServer"),
        ({"context": {"userId": "Practitioner/p"}}, "context.patientId"),
    ],
)
def test_a_wrong_call_is_400_by_member(twin: Gateway, patient: str, change: dict[str, Any], place: str) -> None:
    (issue,) = outcome(twin.call(patient, {}, **change), 400)
    assert issue["expression"] == [place]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"hook":', "application/json", 400),
        (b'{"hook":"a","hook":"b"}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"context":' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400),
        (b'{"prefetch":{"x":1e2000000}}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"<Bundle/>", "application/fhir+xml", 415),
        (b"{" + b" " * 10_000_001 + b"}", "application/json", 413),
    ],
    ids=["broken", "duplicate", "array", "deep", "decimal-bomb", "text", "xml", "too-long"],
)
def test_a_body_that_cannot_be_read_is_refused(twin: Gateway, body: bytes, kind: str, status: int) -> None:
    outcome(twin.http.post("/cds-services/twin-patient-view", data=body, content_type=kind), status)


def test_an_unknown_service_is_404(twin: Gateway) -> None:
    outcome(twin.http.post("/cds-services/nobody", json={}), 404)


def test_a_caller_who_may_not_is_403(twin: Gateway, patient: str) -> None:
    prefetch = twin.prefetch(patient)
    twin.caller = Caller("nobody")
    outcome(twin.call(patient, prefetch), 403)
    assert twin.courier.sent == []


def test_an_answer_that_breaks_the_rules_is_500_and_does_not_leave(
    twin: Gateway, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefetch = twin.prefetch(patient)
    monkeypatch.setattr(report_cards, "risk_card", lambda *_, **__: {"summary": "x" * 200})
    (issue,) = outcome(twin.call(patient, prefetch), 500)
    assert "cards[0].summary" in issue["diagnostics"]


def test_an_engine_failure_is_logged_without_the_patient(
    twin: Gateway, patient: str, caplog: pytest.LogCaptureFixture
) -> None:
    twin.courier.fails = EngineUnavailable("The engine did not answer in time.")
    with caplog.at_level(logging.WARNING, "fhirtwin"):
        twin.call(patient, twin.prefetch(patient))
    assert "did not answer in time" in caplog.text
    assert patient not in caplog.text


@given(removed=st.sets(st.integers(0, 14)), lists=st.sets(st.sampled_from(["conditions", "procedures", "medications"])))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_missing_there_are_cards_that_may_leave(
    twin: Gateway, whole: dict[str, Any], removed: set[int], lists: set[str]
) -> None:
    prefetch = {**whole, **dict.fromkeys(lists)}
    entries = [e for number, e in enumerate(whole["observations"]["entry"]) if number not in removed]
    found = {**whole["observations"], "total": len(entries), "entry": entries}
    prefetch["observations"] = found if entries else None
    answer = twin.call(whole["patient"]["id"], prefetch, fhirServer=EHR)
    assert cards(answer), "no card would mean that there is nothing to say"


def test_public_requests_are_answered_or_told_what_is_missing(twin: Gateway, shared: Path) -> None:
    folder = shared / "data" / "cds-hooks" / "requests"
    statuses = Counter()
    for path in sorted(folder.glob("*/*.json")):
        sent = json.loads(path.read_text())
        if not isinstance(sent, dict) or sent.get("hook") != "patient-view" or "context" not in sent:
            continue
        answer = twin.http.post("/cds-services/twin-patient-view", json=sent)
        if "/" in sent["context"].get("patientId", "/"):  # CDS Hooks wants the bare id
            assert ["context.patientId"] in [issue["expression"] for issue in outcome(answer, 400)], path.name
        else:
            outcome(answer, 412)
        statuses[answer.status_code] += 1
    assert statuses == {412: 12, 400: 3}


def test_the_query_asks_for_all_that_the_predictors_weigh() -> None:
    derived = {"age", "sex", "current-smoker", "birth-date"}
    weighed = {i.fact for predictor in all_predictors() for i in predictor.inputs} - derived - {*FLAGS}
    assert weighed <= {*patient_view_risk.FACTS}
