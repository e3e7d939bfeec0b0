from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Forbidden
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.delete import delete
from fhirtwin.interactions.withdrawing import NOTE
from tests.gateway_in_process import Gateway, maria
from tests.parts import body, condition, entry, observation, patient, transaction

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}
P = "/fhir/Patient/p"


@pytest.fixture
def stored(client: FlaskClient) -> str:
    client.put(P, data=body(patient(id="p")), headers=JSON)
    return P


def post(client: FlaskClient, *entries: dict):
    return client.post("/fhir", data=body(transaction(*entries)), headers=JSON)


def test_delete_is_204_and_names_the_version(client: FlaskClient, stored: str) -> None:
    answer = client.delete(stored)
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (204, b"", 'W/"2"')
    assert "Content-Type" not in answer.headers


def test_what_was_deleted_is_gone_and_its_past_is_not(client: FlaskClient, stored: str) -> None:
    client.delete(stored)
    for path in (stored, f"{stored}/_history/2"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["issue"][0]["code"]) == (410, "deleted")
    assert client.get(f"{stored}/_history/1").json["gender"] == "female"
    assert client.get("/fhir/Patient?birthdate=1960-05-04").json["total"] == 0
    assert client.get("/fhir/Patient?_id=p").json["total"] == 0


def test_deleting_again_is_204_and_makes_no_version(client: FlaskClient, stored: str) -> None:
    client.delete(stored)
    again = client.delete(stored)
    assert (again.status_code, again.headers["ETag"]) == (204, 'W/"2"')
    assert client.get(f"{stored}/_history/3").status_code == 404


def test_deleting_what_never_was_is_204_and_stores_nothing(client: FlaskClient) -> None:
    answer = client.delete(P)
    assert (answer.status_code, "ETag" in answer.headers) == (204, False)
    assert client.get(P).status_code == 404


def test_an_update_brings_it_back_with_the_next_version(client: FlaskClient, stored: str) -> None:
    client.delete(stored)
    answer = client.put(stored, data=body(patient(id="p")), headers=JSON)
    assert (answer.status_code, answer.headers["ETag"]) == (201, 'W/"3"')
    assert client.get("/fhir/Patient?birthdate=1960-05-04").json["total"] == 1
    assert client.get(f"{stored}/_history/2").status_code == 410


@pytest.mark.parametrize(("header", "status"), [('W/"1"', 204), ("*", 204), ('W/"2"', 412), ("1", 400), ("", 400)])
def test_if_match_decides(client: FlaskClient, stored: str, header: str, status: int) -> None:
    assert client.delete(stored, headers={"If-Match": header}).status_code == status
    assert client.get(stored).status_code == (410 if status == 204 else 200)


def test_if_match_where_nothing_is_is_412(client: FlaskClient) -> None:
    assert client.delete(P, headers={"If-Match": "*"}).status_code == 412


def test_if_none_match_keeps_what_it_names(client: FlaskClient, stored: str) -> None:
    assert client.delete(stored, headers={"If-None-Match": 'W/"1"'}).status_code == 412
    assert client.get(stored).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"), [("Nonsense/p", 404), ("patient/p", 404), ("Patient", 400), ("AuditEvent/p", 405)]
)
def test_what_cannot_be_deleted_is_refused(client: FlaskClient, stored: str, path: str, status: int) -> None:
    answer = client.delete(f"/fhir/{path}")
    assert (answer.status_code, answer.json["resourceType"]) == (status, "OperationOutcome")
    assert client.get(stored).status_code == 200


def test_whoever_may_only_write_may_not_delete(services: Services, client: FlaskClient, stored: str) -> None:
    with pytest.raises(Forbidden):
        delete(services, Caller("writer", OPEN.may - {"delete"}), "Patient", "p")
    assert client.get(stored).status_code == 200


def test_the_twin_forgets_what_it_said(client: FlaskClient, stored: str) -> None:
    client.put("/fhir/Observation/o", data=body(observation("Patient/p", id="o")), headers=JSON)
    client.put("/fhir/Condition/c", data=body(condition("Patient/p", id="c")), headers=JSON)
    before = client.get(f"{P}/$twin")
    client.delete("/fhir/Observation/o")
    after = client.get(f"{P}/$twin")
    assert b'"total-cholesterol"' in before.data
    assert b'"total-cholesterol"' not in after.data
    assert b'"diabetes"' in after.data
    assert after.headers["ETag"] != before.headers["ETag"]


def test_the_twin_of_a_deleted_patient_is_gone(client: FlaskClient, stored: str) -> None:
    client.delete(stored)
    assert client.get(f"{stored}/$twin").status_code == 410


def test_a_transaction_deletes_first(client: FlaskClient) -> None:
    mrn = [{"system": "urn:x", "value": "1"}]
    client.put(P, data=body(patient(id="p", identifier=mrn)), headers=JSON)
    answer = post(
        client,
        entry("GET", "Patient?identifier=urn:x|1"),
        entry("POST", "Patient", patient(identifier=mrn), ifNoneExist="identifier=urn:x|1"),
        entry("DELETE", "Patient/p", ifMatch='W/"1"'),
        entry("DELETE", "Patient/never"),
    )
    found, made, gone, never = answer.json["entry"]
    assert found["resource"]["total"] == 1
    assert made["response"]["status"] == "201 Created"
    assert (gone["response"]["status"], gone["response"]["etag"]) == ("204 No Content", 'W/"2"')
    assert never == {"response": {"status": "204 No Content"}}
    assert client.get(P).status_code == 410
    assert validate(codec.decode(answer.data), type="Bundle") == []


def test_a_failing_transaction_deletes_nothing(client: FlaskClient, stored: str) -> None:
    answer = post(client, entry("DELETE", "Patient/p"), entry("GET", "Patient/p"))
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (410, ["Bundle.entry[1]"])
    assert client.get(stored).status_code == 200


@pytest.mark.parametrize(
    ("entries", "status", "place"),
    [
        ([entry("DELETE", "Patient/p", ifMatch='W/"7"')], 412, "Bundle.entry[0]"),
        ([entry("DELETE", "Patient?nonsense=p")], 400, "Bundle.entry[0]"),
        ([entry("DELETE", "Patient")], 400, "Bundle.entry[0].request.url"),
        ([entry("DELETE", "Patient/p", ifNoneMatch="*")], 400, "Bundle.entry[0].request.ifNoneMatch"),
        (
            [entry("PUT", "Patient/p", patient(id="p", active=True)), entry("DELETE", "Patient/p")],
            400,
            "Bundle.entry[1].request.url",
        ),
    ],
)
def test_a_wrong_deletion_fails_the_transaction(
    client: FlaskClient, stored: str, entries: list[dict], status: int, place: str
) -> None:
    answer = post(client, *entries)
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (status, [place])
    assert client.get(stored).headers["ETag"] == 'W/"1"'


def test_a_transaction_brings_back_as_created(client: FlaskClient, stored: str) -> None:
    client.delete(stored)
    answer = post(client, entry("PUT", "Patient/p", patient(id="p")))
    assert answer.json["entry"][0]["response"]["status"] == "201 Created"


def test_what_rests_on_a_deleted_source_is_withdrawn_by_the_next_assessment(twin: Gateway) -> None:
    who = twin.load(maria())
    assess = f"/fhir/Patient/{who}/$assess?store=true"
    twin.http.post(assess)
    before = twin.reports(who)["prevent-base"]
    pressure = twin.http.get(f"/fhir/Observation?patient={who}&code=85354-9").json["entry"][0]["resource"]["id"]
    twin.http.delete(f"/fhir/Observation/{pressure}")
    twin.http.post(assess)
    after = twin.http.get(f"/fhir/RiskAssessment/{before['id']}").json
    assert (after["status"], after["note"][-1]) == ("entered-in-error", {"text": NOTE})


def test_a_deleted_assessment_is_stored_again_by_the_next_one(twin: Gateway) -> None:
    who = twin.load(maria())
    assess = f"/fhir/Patient/{who}/$assess?store=true"
    twin.http.post(assess)
    path = f"/fhir/RiskAssessment/{twin.reports(who)['prevent-base']['id']}"
    twin.http.delete(path)
    assert "prevent-base" not in twin.reports(who)
    twin.http.post(assess)
    assert twin.http.get(path).headers["ETag"] == 'W/"3"'
