from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.twin.state import LOCAL, PatientKey
from tests import parts
from tests.fhir.profiles.builders import profile
from tests.gateway_in_process import Gateway, maria
from tests.parts import BASE, body, condition, observation, patient

JSON = {"Content-Type": "application/fhir+json"}
MRN = {"system": "http://h.test/mrn", "value": "S,1|$"}
OTHER_MRN = {"system": "http://h.test/mrn", "value": "T1"}
REPLACED_BY = {"other": {"reference": "Patient/t"}, "type": "replaced-by"}
REPLACES = {"other": {"reference": "Patient/s"}, "type": "replaces"}


def put(client: FlaskClient, resource: dict[str, Any]) -> None:
    url = f"/fhir/{resource['resourceType']}/{resource['id']}"
    answer = client.put(url, data=body(resource), headers=JSON)
    assert answer.status_code in (200, 201), answer.text


def got(client: FlaskClient, path: str) -> dict[str, Any]:
    return codec.decode(client.get(f"/fhir/{path}").data)


def reference(name: str, id_: str) -> dict[str, Any]:
    return {"name": f"{name}-patient", "valueReference": {"reference": f"Patient/{id_}"}}


def post(client: FlaskClient, *given: dict[str, Any]) -> Any:
    sent = {"resourceType": "Parameters", "parameter": list(given)}
    return client.post("/fhir/Patient/$merge", data=body(sent), headers=JSON)


def merged(client: FlaskClient, *given: dict[str, Any]) -> dict[str, Any]:
    answer = post(client, *(given or (reference("source", "s"), reference("target", "t"))))
    assert answer.status_code == 200, answer.text
    parameters = codec.decode(answer.data)
    assert validate(parameters, type="Parameters") == []
    return {one["name"]: one["resource"] for one in parameters["parameter"]}


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    for resource in (
        patient(id="s", identifier=[MRN], active=True),
        patient(id="t", identifier=[OTHER_MRN], birthDate="1961-01-01"),
        observation("Patient/s", id="o"),
        observation(f"{BASE}/Patient/s", "2085-9", id="absolute"),
        observation("Patient/t", "2160-0", id="own"),
        observation("http://ehr.test/fhir/Patient/s", id="elsewhere"),
        condition("Patient/s", id="c", asserter={"reference": "Patient/s"}),
    ):
        put(client, resource)
    return client


def test_the_source_is_replaced_and_the_target_replaces_it(record: FlaskClient) -> None:
    answer = merged(record)
    source, target = got(record, "Patient/s"), got(record, "Patient/t")
    assert (source["active"], source["link"], source["meta"]["versionId"]) == (False, [REPLACED_BY], "2")
    assert target["link"] == [REPLACES]
    assert target["identifier"] == [OTHER_MRN, {**MRN, "use": "old"}]
    assert answer["result"] == target
    assert "3 resources" in answer["outcome"]["issue"][0]["diagnostics"]
    assert [one["name"] for one in answer["input"]["parameter"]] == ["source-patient", "target-patient"]


def test_searches_and_everything_find_under_the_target_what_was_the_sources(record: FlaskClient) -> None:
    merged(record)
    found = got(record, "Observation?patient=t")
    assert sorted(one["resource"]["id"] for one in found["entry"]) == ["absolute", "o", "own"]
    assert got(record, "Observation?patient=s")["total"] == 0
    assert got(record, "Observation/absolute")["subject"]["reference"] == f"{BASE}/Patient/t"
    assert got(record, "Condition/c")["asserter"] == {"reference": "Patient/t"}
    assert got(record, "Observation/elsewhere")["subject"]["reference"] == "http://ehr.test/fhir/Patient/s"
    urls = [one["fullUrl"] for one in got(record, "Patient/t/$everything")["entry"]]
    assert f"{BASE}/Condition/c" in urls


def test_history_keeps_what_was_said_before(record: FlaskClient) -> None:
    before = record.get("/fhir/Observation/o").data
    merged(record)
    assert record.get("/fhir/Observation/o/_history/1").data == before
    assert got(record, "Observation/o")["meta"]["versionId"] == "2"


def test_records_of_what_happened_and_references_to_a_version_stay(record: FlaskClient) -> None:
    agent = [{"who": {"reference": "Patient/s"}}]
    target = [{"reference": "Patient/s"}]
    stamp = "2024-01-01T00:00:00Z"
    put(record, {"resourceType": "Provenance", "id": "pv", "target": target, "recorded": stamp, "agent": agent})
    put(record, observation("Patient/s/_history/1", id="versioned", performer=[{"reference": "Patient/s"}]))
    merged(record)
    assert got(record, "Provenance/pv")["target"] == target
    versioned = got(record, "Observation/versioned")
    assert versioned["subject"]["reference"] == "Patient/s/_history/1"
    assert versioned["performer"] == [{"reference": "Patient/t"}]


def test_the_twin_of_the_target_holds_both_and_that_of_the_source_nothing(
    record: FlaskClient, services: Services
) -> None:
    merged(record)
    target, source = (services.store.twin(PatientKey(LOCAL, id_)) for id_ in ("t", "s"))
    assert target and source
    assert {"total-cholesterol", "hdl-cholesterol", "creatinine"} <= {fact.name for fact in target.facts}
    assert [fact.value for fact in target.facts if fact.name == "birth-date"] == ["1961-01-01"]
    assert source.facts == () and "replaced" in source.unused[0].reason


def test_a_preview_shows_the_result_and_changes_nothing(record: FlaskClient) -> None:
    before = got(record, "_history")["total"]
    preview = {"name": "preview", "valueBoolean": True}
    answer = merged(record, reference("source", "s"), reference("target", "t"), preview)
    assert answer["result"]["link"] == [REPLACES]
    assert "3 resources" in answer["outcome"]["issue"][0]["diagnostics"]
    assert got(record, "_history")["total"] == before


def test_merging_again_moves_what_came_since_and_else_changes_nothing(record: FlaskClient) -> None:
    merged(record)
    before = got(record, "_history")["total"]
    merged(record)
    assert got(record, "_history")["total"] == before
    put(record, observation("Patient/s", id="late"))
    merged(record)
    assert got(record, "Observation/late")["subject"]["reference"] == "Patient/t"
    assert got(record, "_history")["total"] == before + 2


def test_patients_are_named_by_identifiers_too(record: FlaskClient) -> None:
    given = [
        {"name": "source-patient-identifier", "valueIdentifier": MRN},
        {"name": "target-patient-identifier", "valueIdentifier": OTHER_MRN},
    ]
    assert merged(record, *given)["result"]["id"] == "t"
    # The target has both numbers now, and the source still has its own.
    answer = post(record, *given)
    assert answer.status_code == 412 and "source-patient" in answer.text


def test_result_patient_says_what_the_target_becomes(record: FlaskClient) -> None:
    wanted = patient(id="t", identifier=[OTHER_MRN], link=[REPLACES], gender="male")
    result = {"name": "result-patient", "resource": wanted}
    merged(record, reference("source", "s"), reference("target", "t"), result)
    target = got(record, "Patient/t")
    assert {**target, "meta": None} == {**wanted, "meta": None}


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ([reference("source", "s")], 400, "target-patient"),
        ([reference("source", "s"), reference("target", "s")], 422, "one Patient"),
        ([reference("source", "x"), reference("target", "t")], 404, "Patient"),
        (
            [{"name": "source-patient", "valueReference": {"reference": "Group/s"}}, reference("target", "t")],
            400,
            "refer",
        ),
        ([{"name": "source-patient", "valueReference": {"display": "x"}}, reference("target", "t")], 400, "refer"),
        (
            [
                {"name": "source-patient", "valueReference": {"reference": "http://e.test/Patient/s"}},
                reference("target", "t"),
            ],
            400,
            "this server",
        ),
        (
            [
                {"name": "source-patient-identifier", "valueIdentifier": {"system": "http://h.test/mrn"}},
                reference("target", "t"),
            ],
            400,
            "value",
        ),
        (
            [{"name": "source-patient-identifier", "valueIdentifier": {"value": "none"}}, reference("target", "t")],
            404,
            "No Patient",
        ),
        (
            [
                reference("source", "s"),
                {"name": "source-patient-identifier", "valueIdentifier": OTHER_MRN},
                reference("target", "t"),
            ],
            400,
            "two Patients",
        ),
    ],
)
def test_what_names_no_two_patients_is_refused(
    record: FlaskClient, given: list[dict[str, Any]], status: int, says: str
) -> None:
    answer = post(record, *given)
    assert answer.status_code == status, answer.text
    assert says in answer.text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": "s"}, "id of the target"),
        ({"link": []}, "replaces"),
        ({"link": [REPLACES, {"other": {"reference": "Patient/z"}, "type": "replaced-by"}]}, "replaced itself"),
        ({"identifier": [MRN]}, "identifiers"),
    ],
)
def test_a_result_that_is_not_the_target_is_refused(record: FlaskClient, changes: dict[str, Any], says: str) -> None:
    wanted = {**patient(id="t", link=[REPLACES], identifier=[OTHER_MRN]), **changes}
    wanted = {name: value for name, value in wanted.items() if value}
    identifier = {"name": "target-patient-identifier", "valueIdentifier": OTHER_MRN}
    answer = post(record, reference("source", "s"), identifier, {"name": "result-patient", "resource": wanted})
    assert answer.status_code == 400 and says in answer.text


def test_a_patient_who_was_replaced_is_no_target_and_no_source_of_another(record: FlaskClient) -> None:
    merged(record)
    put(record, patient(id="u"))
    for given in (
        (reference("source", "u"), reference("target", "s")),
        (reference("source", "s"), reference("target", "u")),
    ):
        answer = post(record, *given)
        assert answer.status_code == 422 and "Patient/t" in answer.text


def test_what_refuses_a_replaced_patient_names_the_last_of_a_chain(record: FlaskClient) -> None:
    put(record, patient(id="u"))
    merged(record)
    merged(record, reference("source", "t"), reference("target", "u"))
    answer = record.get("/fhir/Patient/s/$twin")
    assert answer.status_code == 422 and "Patient/u" in answer.text
    assert "creatinine" in record.get("/fhir/Patient/u/$twin").text


def test_patients_who_replace_each_other_are_refused_without_end(record: FlaskClient) -> None:
    put(record, patient(id="s", link=[REPLACED_BY]))
    put(record, patient(id="t", link=[{"other": {"reference": "Patient/s"}, "type": "replaced-by"}]))
    assert record.get("/fhir/Patient/s/$twin").status_code == 422


def test_more_than_the_limit_is_refused_with_the_number_and_nothing_changes(tmp_path: Path) -> None:
    services = parts.services(tmp_path, max_merge_resources=2)
    client = parts.application(services).test_client()
    for resource in (patient(id="s"), patient(id="t"), *(observation("Patient/s", id=f"o{n}") for n in range(3))):
        put(client, resource)
    answer = post(client, reference("source", "s"), reference("target", "t"))
    assert answer.status_code == 413 and "More than 2" in answer.text
    assert "link" not in got(client, "Patient/s")
    services.store.close()


def test_whoever_may_not_update_may_not_merge(record: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "OPEN", Caller("reader", OPEN.may - {"update"}))
    assert post(record, reference("source", "s"), reference("target", "t")).status_code == 403


def test_assessments_that_rest_on_the_source_are_withdrawn_and_the_target_is_assessed(twin: Gateway) -> None:
    source = twin.load(maria())
    put(twin.http, patient(id="t", birthDate="1961-01-01"))
    assert twin.http.post(f"/fhir/Patient/{source}/$assess?store=true").status_code == 200
    stored = set(twin.reports(source))
    merged(twin.http, reference("source", source), reference("target", "t"))
    assert {report["status"] for report in twin.reports("t").values()} == {"entered-in-error"}
    assert set(twin.reports("t")) == stored and twin.reports(source) == {}
    kinds = [one["resource"]["resourceType"] for one in got(twin.http, "Patient/t/$assess")["entry"]]
    assert "RiskAssessment" in kinds


def test_a_hook_and_an_assessment_of_a_replaced_patient_name_the_one_to_use(twin: Gateway) -> None:
    source = twin.load(maria())
    prefetch = twin.prefetch(source)
    put(twin.http, patient(id="t"))
    merged(twin.http, reference("source", source), reference("target", "t"))
    for answer in (twin.http.get(f"/fhir/Patient/{source}/$assess"), twin.call(source, prefetch)):
        assert answer.status_code == 422 and "Patient/t" in answer.text


def test_a_hook_whose_own_patient_was_replaced_is_refused_too(twin: Gateway) -> None:
    source = twin.load(maria())
    prefetch = twin.prefetch(source)
    prefetch["patient"]["link"] = [{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]
    answer = twin.call(source, prefetch)
    assert answer.status_code == 422 and "Patient/new" in answer.text


def told(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What a search says of itself: severity and text."""
    outcomes = [one["resource"] for one in found.get("entry", ()) if one["search"]["mode"] == "outcome"]
    return [(issue["severity"], issue["diagnostics"]) for one in outcomes for issue in one["issue"]]


@pytest.mark.parametrize(
    "query", ["patient=s", "patient=Patient/s,Patient/t", f"subject={BASE}/Patient/s&_summary=count"]
)
def test_a_search_by_the_source_names_the_target(record: FlaskClient, query: str) -> None:
    assert told(got(record, f"Observation?{query}")) == []
    merged(record)
    found = got(record, f"Observation?{query}")
    name = query.partition("=")[0]
    text = f"`{name}` names Patient/s, who was replaced by Patient/t: search for that one."
    assert told(found) == [("information", text)]
    assert validate(found, type="Bundle") == []


@pytest.mark.parametrize(
    "path",
    [
        "Observation?patient=t",
        "Observation?patient=nobody",
        "Observation?patient=http://ehr.test/fhir/Patient/s",
        "Observation?subject=Group/s",
        "Observation?patient:missing=true",
        "Observation?performer=s",
        "Patient?_id=s",
    ],
)
def test_a_search_that_does_not_ask_for_the_source_tells_nothing(record: FlaskClient, path: str) -> None:
    merged(record)
    assert told(got(record, path)) == []


def test_only_the_first_page_of_a_search_by_the_source_tells(record: FlaskClient) -> None:
    merged(record)
    for id_ in ("late", "later"):
        put(record, observation("Patient/s", id=id_))
    first = got(record, "Observation?patient=s&_count=1")
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert (len(told(first)), first["total"]) == (1, 2)
    assert told(got(record, following.removeprefix(f"{BASE}/"))) == []


def test_a_search_tells_nothing_of_a_source_that_the_caller_may_not_see(
    record: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(record)
    monkeypatch.setattr(parts, "OPEN", Caller("some", OPEN.may, frozenset({"somebody-else"})))
    assert told(got(record, "Observation?patient=s")) == []


def test_what_is_moved_is_not_judged_by_profiles_that_came_later(record: FlaskClient) -> None:
    url = "http://p.test/dated"
    put(record, observation("Patient/s", id="claiming", meta={"profile": [url]}))
    dated = profile({"path": "Observation.issued", "min": 1}, name="dated", type_="Observation")
    assert record.post("/fhir/StructureDefinition", data=body(dated | {"url": url}), headers=JSON).status_code == 201
    merged(record)
    assert got(record, "Observation/claiming")["subject"] == {"reference": "Patient/t"}
