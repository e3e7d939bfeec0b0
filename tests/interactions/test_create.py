from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.parts import BASE, body, entry, observation, patient, transaction

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}
MRN = {"system": "urn:oid:1.2.3", "value": "A-1"}


def test_create_answers_201_with_location_version_and_the_bytes_sent(client: FlaskClient) -> None:
    kept = b'"status":"final", "code":{"text":"x\\u00e9"}, "valueQuantity":{"value":0.010} }'
    sent = b'{ "resourceType" : "Observation", ' + kept
    answer = client.post("/fhir/Observation", data=sent, headers=JSON)
    id_ = answer.json["id"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{BASE}/Observation/{id_}/_history/1"
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.content_type == "application/fhir+json; charset=utf-8"
    assert answer.data.endswith(kept)
    assert client.get(f"/fhir/Observation/{id_}").data == answer.data


def test_create_makes_its_own_id_whatever_the_body_says(client: FlaskClient) -> None:
    answer = client.post("/fhir/Patient", data=body(patient(id="mine")), headers=JSON)
    assert answer.status_code == 201
    assert answer.json["id"] != "mine"
    assert client.get("/fhir/Patient/mine").status_code == 404


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [("return=minimal", None), ("return=representation", "Patient"), ("return=OperationOutcome", "OperationOutcome")],
)
def test_create_returns_as_much_as_preferred(client: FlaskClient, prefer: str, kind: str | None) -> None:
    answer = client.post("/fhir/Patient", data=body(patient()), headers={**JSON, "Prefer": prefer})
    assert answer.status_code == 201
    assert (answer.json["resourceType"] if answer.data else None) == kind


def test_conditional_create_stores_once(client: FlaskClient) -> None:
    headers = {**JSON, "If-None-Exist": "identifier=urn:oid:1.2.3|A-1"}
    first = client.post("/fhir/Patient", data=body(patient(identifier=[MRN])), headers=headers)
    second = client.post("/fhir/Patient", data=body(patient(identifier=[MRN])), headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json["id"] == first.json["id"]
    assert client.get("/fhir/Patient").json["total"] == 1


def test_conditional_create_with_two_matches_is_412_and_stores_nothing(client: FlaskClient) -> None:
    for _ in range(2):
        client.post("/fhir/Patient", data=body(patient(identifier=[MRN])), headers=JSON)
    headers = {**JSON, "If-None-Exist": "identifier=urn:oid:1.2.3|A-1"}
    answer = client.post("/fhir/Patient", data=body(patient()), headers=headers)
    assert answer.status_code == 412
    assert client.get("/fhir/Patient").json["total"] == 2


@pytest.mark.parametrize("criteria", ["", "_count=1", "nonsense", "unknown=1", "birthdate=yesterday"])
def test_conditional_create_without_a_usable_condition_is_400(client: FlaskClient, criteria: str) -> None:
    answer = client.post("/fhir/Patient", data=body(patient()), headers={**JSON, "If-None-Exist": criteria})
    assert answer.status_code == 400
    assert client.get("/fhir/Patient").json["total"] == 0


RULE = {"text": "a policy"}


@pytest.mark.parametrize(
    ("type_", "resource"),
    [
        ("Subscription", {"status": "active", "reason": "r", "criteria": "Patient", "channel": {"type": "rest-hook"}}),
        ("Subscription", {"status": "requested", "reason": "r", "criteria": "x", "channel": {"type": "rest-hook"}}),
        ("Consent", {"status": "active", "policyRule": RULE, "provision": {"provision": [{"type": "deny"}]}}),
        (
            "Consent",
            {
                "status": "active",
                "policyRule": {
                    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]
                },
            },
        ),
    ],
)
def test_what_would_not_be_enforced_is_refused_with_422(client: FlaskClient, type_: str, resource: dict) -> None:
    consent = {"scope": {"text": "s"}, "category": [{"text": "c"}]} if type_ == "Consent" else {}
    sent = {"resourceType": type_, "id": "x", **consent, **resource}
    answer = client.put(f"/fhir/{type_}/x", data=body(sent), headers=JSON)
    assert answer.status_code == 422
    assert answer.json["issue"][0]["code"] == "processing"
    off = {**sent, "status": "off" if type_ == "Subscription" else "inactive"}
    assert client.put(f"/fhir/{type_}/x", data=body(off), headers=JSON).status_code == 201


def test_nobody_can_subscribe(client: FlaskClient) -> None:
    sent = {"status": "requested", "reason": "r", "criteria": "Patient", "channel": {"type": "rest-hook"}}
    subscription = {"resourceType": "Subscription", **sent}
    assert client.post("/fhir/Subscription", data=body(subscription), headers=JSON).status_code == 405
    bundle = transaction(entry("POST", "Subscription", {**subscription, "status": "off"}))
    assert client.post("/fhir", data=body(bundle), headers=JSON).status_code == 405


def test_create_refreshes_the_twin(client: FlaskClient) -> None:
    id_ = client.post("/fhir/Patient", data=body(patient()), headers=JSON).json["id"]
    before = client.get(f"/fhir/Patient/{id_}/$twin")
    client.post("/fhir/Observation", data=body(observation(f"Patient/{id_}")), headers=JSON)
    after = client.get(f"/fhir/Patient/{id_}/$twin")
    assert len(after.json["entry"]) == len(before.json["entry"]) + 1
    assert after.headers["ETag"] != before.headers["ETag"]
