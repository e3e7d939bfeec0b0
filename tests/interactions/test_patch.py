from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Forbidden
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.patch import Form, patch
from tests.parts import body, entry, observation, patient, transaction

JSON = {"Content-Type": "application/fhir+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
P = "/fhir/Patient/p"
MALE = [{"op": "replace", "path": "/gender", "value": "male"}]


def operation(type_: str, path: str, **parts: dict[str, Any]) -> dict[str, Any]:
    part = [{"name": "type", "valueCode": type_}, {"name": "path", "valueString": path}]
    return {"name": "operation", "part": [*part, *({"name": name, **value} for name, value in parts.items())]}


def parameters(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", **({"parameter": list(operations)} if operations else {})}


def binary(patch_: Any) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(patch_).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


GENDER = parameters(operation("replace", "Patient.gender", value={"valueCode": "male"}))


@pytest.fixture
def stored(client: FlaskClient) -> str:
    client.put(P, data=body(patient(id="p")), headers=JSON)
    return P


def by_json(client: FlaskClient, patch_: Any, path: str = P, **headers: str):
    return client.patch(path, data=json.dumps(patch_), headers={**JSON_PATCH, **headers})


def by_path(client: FlaskClient, *operations: dict[str, Any], path: str = P, **headers: str):
    return client.patch(path, data=body(parameters(*operations)), headers={**JSON, **headers})


def test_a_json_patch_makes_the_next_version(client: FlaskClient, stored: str) -> None:
    answer = by_json(client, MALE)
    assert (answer.status_code, answer.headers["ETag"], answer.json["gender"]) == (200, 'W/"2"', "male")
    assert answer.headers["Location"].endswith("/Patient/p/_history/2")
    assert client.get(f"{P}/_history/1").json["gender"] == "female"


def test_a_fhirpath_patch_makes_the_next_version(client: FlaskClient, stored: str) -> None:
    answer = client.patch(P, data=body(GENDER), headers=JSON)
    assert (answer.status_code, answer.headers["ETag"], answer.json["gender"]) == (200, 'W/"2"', "male")


@pytest.mark.parametrize("form", ["json", "path"])
def test_what_is_left_alone_keeps_its_bytes(client: FlaskClient, form: str) -> None:
    kept = [
        b'"effectiveDateTime":"2024-03-01T10:00:00.120+05:30"',
        b'"valueQuantity":{ "value" : 0.010, "unit":"x\\u00e9" }',
        b'"referenceRange":[{"low":{"value":1e2}}]',
    ]
    sent = b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},' + b",".join(kept) + b"}"
    client.put("/fhir/Observation/o", data=sent, headers=JSON)
    if form == "json":
        change = b'[{"op":"add","path":"/component","value":[{"code":{"text":"c"},"valueQuantity":{"value":2.50}}]}]'
        answer = client.patch("/fhir/Observation/o", data=change, headers=JSON_PATCH)
        assert b'"value":2.50' in answer.data
    else:
        change = operation(
            "add", "Observation", name={"valueString": "bodySite"}, value={"valueCodeableConcept": {"text": "b"}}
        )
        answer = by_path(client, change, path="/fhir/Observation/o")
    assert answer.status_code == 200
    assert [part for part in kept if part not in answer.data] == []
    assert client.get("/fhir/Observation/o").data == answer.data


@pytest.mark.parametrize(
    "data",
    [
        ("[]", JSON_PATCH),
        (json.dumps([{"op": "replace", "path": "/gender", "value": "female"}]), JSON_PATCH),
        (
            json.dumps([{"op": "add", "path": "/active", "value": True}, {"op": "remove", "path": "/active"}]),
            JSON_PATCH,
        ),
        (json.dumps(parameters()), JSON),
        (json.dumps(parameters(operation("delete", "Patient.photo"))), JSON),
    ],
)
def test_a_patch_that_changes_nothing_makes_no_version(client: FlaskClient, stored: str, data: tuple[str, Any]) -> None:
    before = client.get(P).data
    answer = client.patch(P, data=data[0], headers=data[1])
    assert (answer.status_code, answer.headers["ETag"], answer.data) == (200, 'W/"1"', before)


@pytest.mark.parametrize(
    ("patch_", "place"),
    [
        ([{"op": "replace", "path": "/id", "value": "q"}], "Patient.id"),
        ([{"op": "remove", "path": "/id"}], "Patient.id"),
        ([{"op": "replace", "path": "/resourceType", "value": "Group"}], "Patient.resourceType"),
        ([{"op": "replace", "path": "/meta/versionId", "value": "7"}], "Patient.meta.versionId"),
        ([{"op": "remove", "path": "/meta"}], "Patient.meta.versionId"),
        ([{"op": "replace", "path": "/meta/lastUpdated", "value": "2020-01-01T00:00:00Z"}], "Patient.meta.lastUpdated"),
        ([{"op": "replace", "path": "/gender", "value": "x"}], "Patient.gender"),
        ([{"op": "add", "path": "/nonsense", "value": "x"}], "Patient.nonsense"),
        ([{"op": "add", "path": "/name", "value": []}], "Patient.name"),
        ([{"op": "replace", "path": "", "value": {}}], "Patient.resourceType"),
    ],
)
def test_a_patch_that_must_not_be_is_422_and_no_version(
    client: FlaskClient, stored: str, patch_: Any, place: str
) -> None:
    answer = by_json(client, patch_)
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (422, [place])
    assert client.get(P).headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("operation_", "status"),
    [
        (operation("replace", "Patient.id", value={"valueId": "q"}), 422),
        (operation("delete", "Patient.meta.versionId"), 422),
        (operation("replace", "Patient.gender", value={"valueCode": "x"}), 422),
        (operation("replace", "Patient.active", value={"valueBoolean": True}), 422),
        (operation("replace", "Patient.nonsense", value={"valueString": "x"}), 400),
        (operation("replace", "Patient.gender.", value={"valueCode": "male"}), 400),
    ],
)
def test_a_fhirpath_patch_that_must_not_be_is_refused(
    client: FlaskClient, stored: str, operation_: dict[str, Any], status: int
) -> None:
    answer = by_path(client, operation("delete", "Patient.photo"), operation_)
    assert (answer.status_code, answer.json["resourceType"]) == (status, "OperationOutcome")
    assert client.get(P).headers["ETag"] == 'W/"1"'


def test_a_failed_test_is_422_and_undoes_what_came_before(client: FlaskClient, stored: str) -> None:
    answer = by_json(client, [*MALE, {"op": "test", "path": "/birthDate", "value": "1900"}])
    assert (answer.status_code, answer.json["issue"][0]["code"]) == (422, "processing")
    assert client.get(P).json["gender"] == "female"


@pytest.mark.parametrize("headers", [JSON, JSON_PATCH])
@pytest.mark.parametrize("data", ["", " ", "{}", "null", '"x"', "[1]", '[{"op":"move"}]', '{"resourceType":"Patient"}'])
def test_a_body_that_is_no_patch_is_400(client: FlaskClient, stored: str, data: str, headers: dict[str, str]) -> None:
    answer = client.patch(P, data=data, headers=headers)
    assert (answer.status_code, answer.json["resourceType"]) == (400, "OperationOutcome")


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml-patch+xml",
        "application/json-patch+json;charset=latin-1",
        "application/x-json",
    ],
)
def test_another_content_type_is_415_and_the_answer_names_those_that_are_read(
    client: FlaskClient, stored: str, content_type: str
) -> None:
    answer = client.patch(P, data=json.dumps(MALE), headers={"Content-Type": content_type} if content_type else {})
    assert answer.status_code == 415
    assert answer.headers["Accept-Patch"] == "application/json-patch+json, application/fhir+json"


@pytest.mark.parametrize("content_type", ["application/json-patch+json; charset=UTF-8", "Application/JSON-Patch+JSON"])
def test_a_json_patch_may_name_its_charset(client: FlaskClient, stored: str, content_type: str) -> None:
    assert client.patch(P, data=json.dumps(MALE), headers={"Content-Type": content_type}).status_code == 200


def test_a_compressed_patch_is_415(client: FlaskClient, stored: str) -> None:
    assert by_json(client, MALE, **{"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("If-Match", 'W/"1"', 200),
        ("If-Match", "*", 200),
        ("If-Match", 'W/"2"', 412),
        ("If-Match", "1", 400),
        ("If-Match", "", 400),
        ("If-None-Match", 'W/"1"', 412),
        ("If-None-Match", 'W/"2"', 200),
    ],
)
def test_versions_decide(client: FlaskClient, stored: str, header: str, value: str, status: int) -> None:
    assert by_json(client, MALE, **{header: value}).status_code == status
    assert client.get(P).json["gender"] == ("male" if status == 200 else "female")


def test_what_is_not_there_cannot_be_patched(client: FlaskClient, stored: str) -> None:
    client.delete(P)
    assert by_json(client, MALE).status_code == 410
    assert by_json(client, MALE, "/fhir/Patient/none").status_code == 404
    assert by_json(client, MALE, "/fhir/Nonsense/p").status_code == 404
    assert by_json(client, MALE, "/fhir/Patient/none", **{"If-Match": "*"}).status_code == 412


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [("return=minimal", None), ("return=representation", "Patient"), ("return=OperationOutcome", "OperationOutcome")],
)
def test_a_patch_returns_as_much_as_preferred(client: FlaskClient, stored: str, prefer: str, kind: str | None) -> None:
    answer = by_json(client, MALE, Prefer=prefer)
    assert (answer.json["resourceType"] if answer.data else None) == kind


TEXT = '<div xmlns="http://www.w3.org/1999/xhtml">a woman</div>'


@pytest.mark.parametrize(
    ("status", "patch_", "code", "left"),
    [
        ("generated", MALE, 200, False),
        ("extensions", MALE, 200, False),
        ("empty", MALE, 200, True),
        ("additional", MALE, 422, True),
        (
            "additional",
            [*MALE, {"op": "replace", "path": "/text/div", "value": TEXT.replace("woman", "man")}],
            200,
            True,
        ),
        (
            "generated",
            [*MALE, {"op": "replace", "path": "/text/div", "value": TEXT.replace("woman", "man")}],
            200,
            True,
        ),
        ("generated", [{"op": "add", "path": "/meta/tag", "value": [{"code": "x"}]}], 200, True),
        ("generated", [], 200, True),
    ],
)
def test_no_narrative_is_left_that_may_be_untrue(
    client: FlaskClient, status: str, patch_: Any, code: int, left: bool
) -> None:
    client.put(P, data=body(patient(id="p", text={"status": status, "div": TEXT})), headers=JSON)
    assert by_json(client, patch_).status_code == code
    assert ("text" in client.get(P).json) is left


def test_a_patch_refreshes_the_twin(client: FlaskClient, stored: str) -> None:
    client.put("/fhir/Observation/o", data=body(observation("Patient/p", id="o")), headers=JSON)
    facts = len(client.get(f"{P}/$twin").json["entry"])
    by_json(client, [{"op": "replace", "path": "/status", "value": "entered-in-error"}], "/fhir/Observation/o")
    assert len(client.get(f"{P}/$twin").json["entry"]) == facts - 1
    assert client.get("/fhir/Observation?status=entered-in-error").json["total"] == 1


def test_what_is_not_enforced_cannot_be_patched_into_force(client: FlaskClient) -> None:
    sent = {"status": "off", "reason": "r", "criteria": "x", "channel": {"type": "rest-hook"}}
    client.put("/fhir/Subscription/s", data=body({"resourceType": "Subscription", "id": "s", **sent}), headers=JSON)
    active = [{"op": "replace", "path": "/status", "value": "requested"}]
    assert by_json(client, active, "/fhir/Subscription/s").status_code == 422


def test_whoever_may_only_update_may_not_patch(services: Services, client: FlaskClient, stored: str) -> None:
    with pytest.raises(Forbidden):
        patch(services, Caller("writer", OPEN.may - {"patch"}), "Patient", "p", b"[]", Form.JSON)


# ---- in Bundles ----------------------------------------------------------------------------------------------------


def post(client: FlaskClient, *entries: dict[str, Any], kind: str = "transaction"):
    return client.post("/fhir", data=body({**transaction(*entries), "type": kind}), headers=JSON)


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.data
    return [one["response"]["status"][:3] for one in answer.json["entry"]]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("sent", [GENDER, binary(MALE)], ids=["fhirpath", "json"])
def test_a_bundle_may_patch(client: FlaskClient, stored: str, kind: str, sent: dict[str, Any]) -> None:
    reading = entry("GET", "Patient/p")
    answer = post(client, reading, entry("PATCH", "Patient/p", sent, ifMatch='W/"1"'), kind=kind)
    assert statuses(answer) == ["200", "200"]
    assert answer.json["entry"][0]["resource"]["gender"] == "male"
    assert answer.json["entry"][1]["response"]["etag"] == 'W/"2"'
    assert answer.json["entry"][1]["response"]["location"].endswith("/Patient/p/_history/2")


@pytest.mark.parametrize(
    ("request_", "sent", "status", "place"),
    [
        (entry("PATCH", "Patient/none"), GENDER, 404, "Bundle.entry[0]"),
        (entry("PATCH", "Patient/p", ifMatch='W/"2"'), GENDER, 412, "Bundle.entry[0]"),
        (entry("PATCH", "Patient/p", ifNoneExist="_id=p"), GENDER, 400, "Bundle.entry[0].request.ifNoneExist"),
        (entry("PATCH", "Patient/p"), binary([{"op": "x"}]), 400, "Bundle.entry[0]"),
        (entry("PATCH", "Patient/p"), binary({}), 400, "Bundle.entry[0]"),
        (entry("PATCH", "Patient/p"), {"resourceType": "Binary", "contentType": "text/plain"}, 400, "Bundle.entry[0]"),
        (
            entry("PATCH", "Patient/p"),
            {"resourceType": "Binary", "contentType": "application/json-patch+json"},
            400,
            "Bundle.entry[0]",
        ),
        (
            entry("PATCH", "Patient/p"),
            parameters(operation("delete", "Patient.nonsense")),
            400,
            "Bundle.entry[0].resource.parameter[0]",
        ),
        (entry("PATCH", "Binary/p"), binary([]), 405, "Bundle.entry[0]"),
        (
            entry("PATCH", "Patient/p"),
            binary([{"op": "replace", "path": "/gender", "value": "x"}]),
            422,
            "Bundle.entry[0]",
        ),
        (
            entry("PATCH", "Patient/p"),
            parameters(operation("replace", "Patient.photo", value={"valueAttachment": {"title": "t"}})),
            422,
            "Bundle.entry[0].resource.parameter[0]",
        ),
    ],
)
def test_a_wrong_patch_of_an_entry_is_refused_by_its_place(
    client: FlaskClient, stored: str, request_: dict[str, Any], sent: dict[str, Any], status: int, place: str
) -> None:
    one = {**request_, "resource": sent}
    answer = post(client, one, entry("POST", "Patient", patient()))
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (status, [place])
    assert client.get("/fhir/Patient").json["total"] == 1
    assert statuses(post(client, one, entry("POST", "Patient", patient()), kind="batch")) == [str(status), "201"]


def test_a_patch_refers_to_what_the_same_transaction_stores(client: FlaskClient, stored: str) -> None:
    urn = "urn:uuid:00000000-0000-4000-8000-000000000001"
    name, value = {"valueString": "managingOrganization"}, {"valueReference": {"reference": urn}}
    answer = post(
        client,
        entry("PATCH", "Patient/p", parameters(operation("add", "Patient", name=name, value=value))),
        entry("POST", "Organization", {"resourceType": "Organization", "name": "O"}, fullUrl=urn),
    )
    made = answer.json["entry"][1]["response"]["location"].split("/_history")[0].rsplit("/", 2)[1:]
    assert client.get(P).json["managingOrganization"] == {"reference": "/".join(made)}


def test_what_stood_there_before_is_no_fault_of_the_patch(client: FlaskClient) -> None:
    urn = "urn:uuid:00000000-0000-4000-8000-000000000009"
    client.put(P, data=body(patient(id="p", managingOrganization={"reference": urn})), headers=JSON)
    assert statuses(post(client, entry("PATCH", "Patient/p", GENDER))) == ["200"]


def test_a_patch_comes_after_deletions_and_beside_no_other_write_of_its_resource(
    client: FlaskClient, stored: str
) -> None:
    for other in (entry("DELETE", "Patient/p"), entry("PUT", "Patient/p", patient(id="p"))):
        assert post(client, entry("PATCH", "Patient/p", GENDER), other).status_code == 400
    assert client.get(P).headers["ETag"] == 'W/"1"'
