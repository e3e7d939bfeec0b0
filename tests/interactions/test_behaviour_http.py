"""What holds of every address: HEAD, Prefer, ETags, types, methods."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir.validator import RESOURCE_TYPES
from fhirtwin.interactions import offered
from tests.parts import body, entry, patient, transaction

JSON = {"Content-Type": "application/fhir+json"}
P = "/fhir/Patient/p"


@pytest.fixture(autouse=True)
def stored(client: FlaskClient) -> None:
    client.put(P, data=body(patient(id="p")), headers=JSON)


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/metadata",
        P,
        f"{P}/_history",
        f"{P}/_history/1",
        "/fhir/Patient/_history",
        "/fhir/_history",
        "/fhir/Patient?_id=p",
        f"{P}/$twin",
        "/fhir/Patient/none",
        "/fhir/Nonsense/p",
        "/fhir/nothing/at/all",
    ],
)
def test_head_is_get_without_a_body(client: FlaskClient, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (got.status_code, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert int(head.headers["Content-Length"]) > 0
    assert {name: head.headers.get(name) for name in ("ETag", "Last-Modified")} == {
        name: got.headers.get(name) for name in ("ETag", "Last-Modified")
    }


def test_head_of_a_known_version_is_304(client: FlaskClient) -> None:
    assert client.head(P, headers={"If-None-Match": 'W/"1"'}).status_code == 304


def test_a_deleted_version_is_410_and_the_others_are_not(client: FlaskClient) -> None:
    client.delete(P)
    for method in ("GET", "HEAD"):
        found = [client.open(f"{P}/_history/{version}", method=method).status_code for version in (1, 2, 3)]
        assert found == [200, 410, 404]
        assert client.open(P, method=method).status_code == 410


CHANGES: dict[str, Any] = {
    "PUT": patient(id="p", gender="male"),
    "PATCH": {"resourceType": "Parameters"},
    "DELETE": None,
}


def write(client: FlaskClient, method: str, **headers: str):
    sent = CHANGES[method]
    return client.open(P, method=method, data=body(sent) if sent else b"", headers={**JSON, **headers})


@pytest.mark.parametrize("method", sorted(CHANGES))
@pytest.mark.parametrize("value", ["1", "", 'W/"x"', 'W/"1', "W/1", 'W/"1" W/"2"', '""', 'W/"1234567890"', "'1'"])
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_malformed_etag_is_400_and_changes_nothing(client: FlaskClient, method: str, value: str, header: str) -> None:
    answer = write(client, method, **{header: value})
    assert (answer.status_code, answer.json["issue"][0]["code"]) == (400, "invalid")
    assert client.get(P).headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("method", sorted(CHANGES))
def test_a_stale_etag_is_412_and_changes_nothing(client: FlaskClient, method: str) -> None:
    client.put(P, data=body(patient(id="p", active=True)), headers=JSON)
    answer = write(client, method, **{"If-Match": 'W/"1"'})
    assert (answer.status_code, answer.json["resourceType"]) == (412, "OperationOutcome")
    assert client.get(P).headers["ETag"] == 'W/"2"'


@pytest.mark.parametrize("method", sorted(CHANGES))
@pytest.mark.parametrize("value", ['"1"', 'W/"7", W/"1"', "*"])
def test_any_form_of_the_current_etag_is_taken(client: FlaskClient, method: str, value: str) -> None:
    assert write(client, method, **{"If-Match": value}).status_code in (200, 204)


@pytest.mark.parametrize(
    ("prefer", "body_of"),
    [
        ("return=minimal", {"PUT": None, "PATCH": None, "DELETE": None}),
        ("return=representation", {"PUT": "Patient", "PATCH": "Patient", "DELETE": None}),
        ("return=OperationOutcome", dict.fromkeys(CHANGES, "OperationOutcome")),
        ('handling=strict; return="minimal"', {"PUT": None, "PATCH": None, "DELETE": None}),
        ("return=everything", {"PUT": "Patient", "PATCH": "Patient", "DELETE": None}),
    ],
)
@pytest.mark.parametrize("method", sorted(CHANGES))
def test_every_write_returns_as_much_as_preferred(
    client: FlaskClient, method: str, prefer: str, body_of: dict[str, str | None]
) -> None:
    answer = write(client, method, Prefer=prefer)
    assert (answer.json["resourceType"] if answer.data else None) == body_of[method]
    assert answer.status_code == (204 if method == "DELETE" and not answer.data else 200)
    assert "ETag" in answer.headers


@pytest.mark.parametrize("type_", ["patient", "PATIENT", "Nonsense", "DomainResource", "Patient%20", "Element"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST"])
def test_a_type_that_is_none_is_404(client: FlaskClient, method: str, type_: str) -> None:
    path = f"/fhir/{type_}" if method == "POST" else f"/fhir/{type_}/p"
    sent = {**patient(id="p"), "resourceType": "Parameters" if method == "PATCH" else "Patient"}
    data = body({"resourceType": "Parameters"} if method == "PATCH" else sent)
    answer = client.open(path, method=method, data=data if method in ("PUT", "PATCH", "POST") else None, headers=JSON)
    assert answer.status_code == 404


def test_no_way_leads_to_writing_an_audit_event(client: FlaskClient) -> None:
    event = {
        "resourceType": "AuditEvent",
        "id": "a",
        "type": {"code": "rest"},
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"requestor": True}],
        "source": {"observer": {"display": "x"}},
    }
    ways = [
        client.post("/fhir/AuditEvent", data=body(event), headers=JSON),
        client.put("/fhir/AuditEvent/a", data=body(event), headers=JSON),
        client.put("/fhir/AuditEvent?_id=a", data=body(event), headers=JSON),
        client.patch("/fhir/AuditEvent/a", data=body({"resourceType": "Parameters"}), headers=JSON),
        client.delete("/fhir/AuditEvent/a"),
        client.delete("/fhir/AuditEvent?_id=a"),
        client.post("/fhir", data=body(transaction(entry("PUT", "AuditEvent/a", event))), headers=JSON),
        client.post("/fhir", data=body(transaction(entry("POST", "AuditEvent", event))), headers=JSON),
    ]
    assert [answer.status_code for answer in ways] == [405] * len(ways)
    assert client.get("/fhir/AuditEvent?_id=a").json["total"] == 0


def test_metadata_says_what_may_be_done_with_each_type(client: FlaskClient) -> None:
    statement = client.get("/fhir/metadata").json
    assert statement["patchFormat"] == ["application/json-patch+json", "application/fhir+json"]
    resources = {one["type"]: one for one in statement["rest"][0]["resource"]}
    codes = {type_: {one["code"] for one in resource["interaction"]} for type_, resource in resources.items()}
    reads = {"read", "vread", "history-instance", "history-type", "search-type"}
    writes = {"create", "update", "patch", "delete"}
    assert codes.pop("AuditEvent") == reads
    assert codes.pop("Binary") == reads | writes - {"patch"}
    assert codes.pop("Subscription") == reads | writes - {"create"}
    assert all(one == reads | writes == set(offered.INTERACTIONS) for one in codes.values())
    assert codes.keys() | {"AuditEvent", "Binary", "Subscription"} == RESOURCE_TYPES
    said = ("updateCreate", "conditionalCreate", "conditionalRead", "conditionalUpdate", "conditionalDelete")
    assert [resources["Patient"][name] for name in said] == [True, True, "full-support", True, "single"]
    assert [resources["AuditEvent"][name] for name in said] == [False, False, "full-support", False, "not-supported"]
