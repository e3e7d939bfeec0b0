"""`$meta`, `$meta-add` and `$meta-delete`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.operations import meta as operation
from tests import parts
from tests.parts import body, entry, observation, patient, transaction

JSON = {"Content-Type": "application/fhir+json"}
TAG = {"system": "http://x.test/tags", "code": "a", "display": "A"}
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
PROFILE = "http://x.test/StructureDefinition/p"


def put(client: FlaskClient, resource: dict[str, Any]) -> None:
    url = f"/fhir/{resource['resourceType']}/{resource['id']}"
    assert client.put(url, data=body(resource), headers=JSON).status_code == 201


def change(client: FlaskClient, verb: str, meta: dict[str, Any], status: int = 200) -> dict[str, Any]:
    sent = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    answer = client.post(f"/fhir/Patient/p/$meta-{verb}", data=body(sent), headers=JSON)
    assert answer.status_code == status, answer.text
    return returned(answer.data) if status == 200 else answer.json


def returned(data: bytes) -> dict[str, Any]:
    parameters = codec.decode(data)
    assert validate(parameters, type="Parameters") == []
    (one,) = parameters["parameter"]
    assert one["name"] == "return"
    return one["valueMeta"]


def sets(meta: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name in ("profile", "tag", "security")}


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    put(client, patient(id="p", meta={"tag": [TAG]}, multipleBirthInteger=1))
    return client


def test_what_is_added_is_added_once_and_makes_no_new_version(record: FlaskClient) -> None:
    before = record.get("/fhir/Patient/p")
    again = {**TAG, "display": "another", "version": "2"}
    meta = change(
        record, "add", {"tag": [again, {"code": "b"}, {"code": "b"}], "profile": [PROFILE], "security": [LABEL]}
    )
    assert sets(meta) == {"tag": [TAG, {"code": "b"}], "profile": [PROFILE], "security": [LABEL]}
    after = record.get("/fhir/Patient/p")
    assert after.headers["ETag"] == before.headers["ETag"] == 'W/"1"'
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]
    assert codec.decode(after.data) == {**codec.decode(before.data), "meta": meta}
    assert record.get("/fhir/Patient/p/_history").json["total"] == 1
    assert record.get("/fhir/Patient/p/_history/1").data == after.data
    assert returned(record.get("/fhir/Patient/p/$meta").data) == meta


def test_only_the_bytes_of_meta_change(client: FlaskClient) -> None:
    text = b'{ "resourceType":"Patient", "id" : "p",\n "birthDate":"1960-01-01" , "meta": {"tag":[{"code":"a"}]} }'
    client.put("/fhir/Patient/p", data=text, headers=JSON)
    change(client, "delete", {"tag": [{"code": "a"}]})
    data = client.get("/fhir/Patient/p").data
    assert data.startswith(b'{ "resourceType":"Patient", "id" : "p",\n "birthDate":"1960-01-01" , "meta": {')
    assert data.endswith(b"} }") and b"tag" not in data


def test_what_is_deleted_is_gone_and_what_was_not_there_is_no_error(record: FlaskClient) -> None:
    meta = change(
        record, "delete", {"tag": [{"system": TAG["system"], "code": "a"}, {"code": "z"}], "profile": [PROFILE]}
    )
    assert sets(meta) == {}
    assert validate(codec.decode(record.get("/fhir/Patient/p").data)) == []


def test_the_next_update_follows_on_the_version_that_was_labelled(record: FlaskClient) -> None:
    change(record, "add", {"security": [LABEL]})
    answer = record.put(
        "/fhir/Patient/p", data=body(patient(id="p", active=True)), headers=JSON | {"If-Match": 'W/"1"'}
    )
    assert answer.status_code == 200 and answer.headers["ETag"] == 'W/"2"'
    assert LABEL in codec.decode(record.get("/fhir/Patient/p/_history/1").data)["meta"]["security"]


@pytest.mark.parametrize("meta", [{"versionId": "3"}, {"source": "http://x.test"}, {"tag": [{"code": " a"}]}])
def test_what_these_operations_do_not_change_is_refused(record: FlaskClient, meta: dict[str, Any]) -> None:
    change(record, "add", meta, 400)


def test_meta_is_asked_for_of_a_resource_a_type_and_everything(record: FlaskClient) -> None:
    put(record, patient(id="q", meta={"tag": [{**TAG, "display": "other"}], "profile": [PROFILE]}))
    put(record, observation("Patient/p", id="o", meta={"security": [LABEL]}))
    record.put("/fhir/Patient/gone", data=body(patient(id="gone", meta={"tag": [{"code": "gone"}]})), headers=JSON)
    record.delete("/fhir/Patient/gone")
    assert returned(record.get("/fhir/Patient/$meta").data) == {"tag": [TAG], "profile": [PROFILE]}
    everything = {"tag": [TAG], "profile": [PROFILE], "security": [LABEL]}
    assert returned(record.get("/fhir/$meta").data) == everything
    assert returned(record.post("/fhir/$meta").data) == everything


def test_where_nothing_is_in_use_nothing_is_returned(client: FlaskClient) -> None:
    put(client, patient(id="p"))
    assert client.get("/fhir/$meta").json == {"resourceType": "Parameters"}


def test_what_is_not_there_is_404_and_what_was_deleted_410(record: FlaskClient) -> None:
    assert record.get("/fhir/Patient/x/$meta").status_code == 404
    assert record.get("/fhir/Patient/p/$meta-add").status_code == 405
    record.delete("/fhir/Patient/p")
    assert record.get("/fhir/Patient/p/$meta").status_code == 410
    change(record, "add", {"tag": [TAG]}, 410)


def test_too_many_resources_are_refused(record: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "MOST_RESOURCES", 0)
    assert record.get("/fhir/$meta").status_code == 413


def test_however_many_resources_there_are_all_are_gone_through(tmp_path: Path) -> None:
    services = parts.services(tmp_path)
    client = parts.application(services).test_client()
    made = (patient(id=f"p{number}", meta={"tag": [{"code": f"{number}"}]}) for number in range(501))
    entries = [entry("PUT", f"Patient/{one['id']}", one) for one in made]
    assert client.post("/fhir", data=body(transaction(*entries)), headers=JSON).status_code == 200
    assert len(returned(client.get("/fhir/Patient/$meta").data)["tag"]) == 501
    services.store.close()
