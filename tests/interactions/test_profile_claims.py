from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fhirtwin import definitions
from fhirtwin.fhir import codec
from fhirtwin.twin import projection
from tests import parts
from tests.fhir.profiles.builders import profile
from tests.parts import body, entry, observation, patient, transaction

JSON = {"Content-Type": "application/fhir+json"}
NAMED = profile({"path": "Patient.name", "min": 1}, name="named", type_="Patient")
CLAIMING = patient(meta={"profile": [NAMED["url"]]})


def test_a_claim_to_an_unknown_profile_is_left_alone(client: FlaskClient) -> None:
    assert client.post("/fhir/Patient", data=body(CLAIMING), headers=JSON).status_code == 201


def test_a_broken_claim_to_a_stored_profile_is_refused_with_its_place(client: FlaskClient) -> None:
    client.post("/fhir/StructureDefinition", data=body(NAMED), headers=JSON)
    answer = client.post("/fhir/Patient", data=body(CLAIMING), headers=JSON)
    assert answer.status_code == 422
    (issue,) = codec.decode(answer.data)["issue"]
    assert (issue["severity"], issue["expression"]) == ("error", ["Patient.name"])
    assert client.put("/fhir/Patient/p", data=body({**CLAIMING, "id": "p"}), headers=JSON).status_code == 422
    right = CLAIMING | {"name": [{"text": "x"}]}
    assert client.post("/fhir/Patient", data=body(right), headers=JSON).status_code == 201


def test_a_transaction_with_a_broken_claim_stores_nothing(client: FlaskClient) -> None:
    client.post("/fhir/StructureDefinition", data=body(NAMED), headers=JSON)
    sent = transaction(
        entry("POST", "Group", {"resourceType": "Group", "type": "person", "actual": True}),
        entry("POST", "Patient", CLAIMING),
    )
    assert client.post("/fhir", data=body(sent), headers=JSON).status_code == 422
    assert client.get("/fhir/Group").json["total"] == 0  # type: ignore[index]


def test_the_claims_of_a_transaction_share_its_time(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.post("/fhir/StructureDefinition", data=body(NAMED), headers=JSON)
    right = CLAIMING | {"name": [{"text": "x"}]}
    sent = body(transaction(entry("POST", "Patient", patient()), entry("POST", "Patient", right)))
    assert client.post("/fhir", data=sent, headers=JSON).status_code == 200
    monkeypatch.setattr(definitions, "MAX_UNIT_SECONDS", 0.0)
    answer = client.post("/fhir", data=sent, headers=JSON)
    assert answer.status_code == 422
    (issue,) = codec.decode(answer.data)["issue"]
    assert (issue["code"], issue["expression"]) == ("too-costly", ["Bundle.entry[1]"])
    assert client.post("/fhir/Patient", data=body(right), headers=JSON).status_code == 201


@pytest.mark.parametrize(
    "url",
    ["http://hl7.org/fhir/StructureDefinition/bodyweight", "http://hl7.org/fhir/StructureDefinition/vitalsigns|4.0.1"],
)
def test_profiles_of_r4_are_known(client: FlaskClient, url: str) -> None:
    claiming = observation("Patient/p", "29463-7", meta={"profile": [url]})
    assert client.post("/fhir/Observation", data=body(claiming), headers=JSON).status_code == 422


def test_a_claim_to_a_type_of_r4_is_right_for_that_type(client: FlaskClient) -> None:
    claiming = patient(meta={"profile": ["http://hl7.org/fhir/StructureDefinition/Patient"]})
    assert client.post("/fhir/Patient", data=body(claiming), headers=JSON).status_code == 201
    wrong = patient(meta={"profile": ["http://hl7.org/fhir/StructureDefinition/Observation"]})
    assert client.post("/fhir/Patient", data=body(wrong), headers=JSON).status_code == 422


def test_nobody_changes_what_a_profile_of_r4_means(client: FlaskClient) -> None:
    url = "http://hl7.org/fhir/StructureDefinition/bodyweight"
    anything = profile() | {"url": url}
    assert client.post("/fhir/StructureDefinition", data=body(anything), headers=JSON).status_code == 201
    claiming = observation("Patient/p", "29463-7", meta={"profile": [url]})
    assert client.post("/fhir/Observation", data=body(claiming), headers=JSON).status_code == 422


def test_claims_can_be_ignored(tmp_path: Path) -> None:
    services = parts.services(tmp_path, profile_claims="ignore")
    client = parts.application(services).test_client()
    client.post("/fhir/StructureDefinition", data=body(NAMED), headers=JSON)
    assert client.post("/fhir/Patient", data=body(CLAIMING), headers=JSON).status_code == 201
    services.store.close()


def test_a_claim_to_another_version_is_one_to_an_unknown_profile(client: FlaskClient) -> None:
    for url in ("http://hl7.org/fhir/StructureDefinition/bodyweight|5.0.0", projection.TWIN_FACT + "|99"):
        claiming = observation("Patient/p", "29463-7", meta={"profile": [url]})
        assert client.post("/fhir/Observation", data=body(claiming), headers=JSON).status_code == 201
    ours = observation("Patient/p", "29463-7", meta={"profile": [projection.TWIN_FACT]})
    assert client.post("/fhir/Observation", data=body(ours), headers=JSON).status_code == 422
