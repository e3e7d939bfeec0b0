from __future__ import annotations

import json
from typing import Any

import pytest

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, Unavailable
from fhirtwin.fhir import codec, validator
from fhirtwin.interactions import reporting
from fhirtwin.interactions.context import Services
from fhirtwin.twin.state import LOCAL, PatientKey
from tests.gateway_in_process import DAY, FHIR, Gateway, maria

Bundle = dict[str, Any]


def got(twin: Gateway, patient: str, query: str = "") -> Bundle:
    answer = twin.http.get(f"/fhir/Patient/{patient}/$assess{query}")
    assert answer.status_code == 200, answer.text
    return dict(codec.decode(answer.data))


def kinds(bundle: Bundle) -> list[str]:
    return [entry["resource"]["resourceType"] for entry in bundle["entry"]]


def issues(bundle: Bundle) -> list[dict[str, Any]]:
    return list(bundle["entry"][-1]["resource"]["issue"])


def refused(twin: Gateway, url: str, status: int, method: str = "GET") -> str:
    answer = twin.http.open(f"/fhir/Patient/{url}", method=method)
    assert answer.status_code == status, answer.text
    assert answer.json is not None
    return str(answer.json["issue"][0]["diagnostics"])


def test_it_gives_a_valid_bundle_of_risks_and_reasons(twin: Gateway, patient: str) -> None:
    bundle = got(twin, patient)
    assert validator.validate(bundle, type="Bundle") == []
    assert bundle["type"] == "collection"
    assert kinds(bundle) == ["RiskAssessment", "RiskAssessment", "OperationOutcome"]


def test_an_output_left_out_is_information_with_its_reason(twin: Gateway, patient: str) -> None:
    (issue,) = issues(got(twin, patient, "?predictor=prevent-base"))
    assert (issue["severity"], issue["code"]) == ("information", "business-rule")
    assert "30-year risk of" in issue["diagnostics"]
    assert "age is outside 30 to 59 years" in issue["diagnostics"]


def test_a_get_stores_nothing_and_gives_no_address(twin: Gateway, patient: str) -> None:
    bundle = got(twin, patient)
    assert twin.reports(patient) == {}
    for entry in bundle["entry"]:
        assert entry["fullUrl"].startswith("urn:uuid:")
        assert "id" not in entry["resource"]


def test_a_post_stores_only_when_asked_to(twin: Gateway, patient: str) -> None:
    url = f"/fhir/Patient/{patient}/$assess"
    assert twin.http.post(url).status_code == 200
    assert twin.http.post(f"{url}?store=false").status_code == 200
    assert twin.reports(patient) == {}
    stored = twin.http.post(f"{url}?store=true").json
    assert stored is not None
    there = twin.reports(patient)
    urls = {e["fullUrl"] for e in stored["entry"] if e["resource"]["resourceType"] == "RiskAssessment"}
    assert urls == {f"https://twin.example/fhir/RiskAssessment/{report['id']}" for report in there.values()}
    assert [e["resource"] for e in stored["entry"][:2]] == [there["kfre-4-variable"], there["prevent-base"]]


def test_a_body_of_parameters_says_the_same(twin: Gateway, patient: str) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "predictor", "valueCode": "kfre-4-variable"}, {"name": "store", "valueBoolean": True}],
    }
    answer = twin.http.post(f"/fhir/Patient/{patient}/$assess", json=body, content_type=FHIR)
    assert answer.status_code == 200, answer.text
    assert set(twin.reports(patient)) == {"kfre-4-variable"}


def test_the_hook_and_the_operation_store_the_same_report(twin: Gateway, patient: str) -> None:
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    before = twin.reports(patient)
    twin.call(patient, twin.prefetch(patient))
    assert twin.reports(patient) == before


def test_a_get_that_would_store_is_refused(twin: Gateway, patient: str) -> None:
    assert "POST" in refused(twin, f"{patient}/$assess?store=true", 405)
    assert twin.reports(patient) == {}


def test_a_day_in_the_past_is_assessed_with_what_was_known_then(twin: Gateway, patient: str) -> None:
    bundle = got(twin, patient, "?date=2020-01-01")
    assert kinds(bundle) == ["OperationOutcome"]
    assert {issue["severity"] for issue in issues(bundle)} == {"warning"}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("date=2026-06-02", "future"),
        ("date=2026-6-1", "YYYY-MM-DD"),
        ("date=20260601", "YYYY-MM-DD"),
        ("date=2026-02-30", "YYYY-MM-DD"),
        ("date=2026-05-01&date=2026-05-02", "once"),
        ("predictor=astrology", "kfre-4-variable, prevent-base"),
        ("prediktor=prevent-base", "prediktor"),
    ],
)
def test_a_wrong_parameter_is_400_in_words(twin: Gateway, patient: str, query: str, says: str) -> None:
    assert says in refused(twin, f"{patient}/$assess?{query}", 400)


def test_store_must_be_true_or_false(twin: Gateway, patient: str) -> None:
    assert "true or false" in refused(twin, f"{patient}/$assess?store=yes", 400, "POST")


def test_nobody_is_404(twin: Gateway) -> None:
    refused(twin, "nobody/$assess", 404)


@pytest.mark.parametrize(("error", "status"), [(EngineUnavailable("late"), 503), (EngineAnswerRefused("wrong"), 502)])
def test_a_failed_engine_is_an_error_and_nothing_is_stored(
    twin: Gateway, patient: str, error: EngineUnavailable | EngineAnswerRefused, status: int
) -> None:
    twin.courier.fails = error
    refused(twin, f"{patient}/$assess?store=true", status, "POST")
    assert twin.reports(patient) == {}


def test_acute_kidney_injury_refuses_the_kidney_equation(twin: Gateway) -> None:
    record = json.loads(maria())
    template = next(e for e in record["entry"] if '"2160-0"' in json.dumps(e))
    for number, (value, day) in enumerate(((0.8, "2026-05-26"), (2.6, "2026-05-31"))):
        entry = json.loads(json.dumps(template))
        entry["fullUrl"] = f"urn:uuid:00000000-0000-4000-8000-00000000000{number}"
        entry["resource"]["valueQuantity"]["value"] = value
        entry["resource"]["effectiveDateTime"] = day
        record["entry"].append(entry)
    bundle = got(twin, twin.load(json.dumps(record)), "?predictor=kfre-4-variable")
    assert kinds(bundle) == ["OperationOutcome"]
    assert any("kidney" in issue["diagnostics"] for issue in issues(bundle))


def test_who_may_not_is_refused_before_anything_is_read(twin: Gateway, patient: str) -> None:
    twin.caller = Caller("reader", frozenset({"read"}))
    refused(twin, f"{patient}/$assess", 403)
    twin.caller = Caller("asker", frozenset({"operation"}))
    refused(twin, f"{patient}/$assess?store=true", 403, "POST")
    assert twin.http.get(f"/fhir/Patient/{patient}/$assess").status_code == 200


def test_report_and_provenance_are_written_together_or_not_at_all(
    twin: Gateway, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "provenance", lambda *_, **__: {"resourceType": "Provenance", "id": "x"})
    refused(twin, f"{patient}/$assess?store=true", 500, "POST")
    assert twin.reports(patient) == {}


def test_two_who_store_at_once_store_one(twin: Gateway, patient: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settled = reporting._settled
    interrupted = []

    def meanwhile(*given: Any) -> Any:
        found = settled(*given)
        if not interrupted:
            interrupted.append(True)
            twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
        return found

    monkeypatch.setattr(reporting, "_settled", meanwhile)
    twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")
    assert {report["meta"]["versionId"] for report in twin.reports(patient).values()} == {"1"}


def test_a_server_without_an_engine_says_so(twin: Gateway, patient: str) -> None:
    bare = Services(twin.parts.settings, twin.parts.store)
    state = bare.store.twin(PatientKey(LOCAL, patient))
    assert state is not None
    with pytest.raises(Unavailable):
        reporting.assess(bare, OPEN, state, DAY, keep=False)
