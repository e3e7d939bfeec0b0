from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from tests.parts import BASE, body, entry, observation, patient, transaction

JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    entries = [
        entry("PUT", "Patient/p", patient(id="p")),
        entry("PUT", "Observation/o", observation(f"{BASE}/Patient/p", id="o")),
        entry("PUT", "Observation/theirs", observation("http://ehr.test/fhir/Patient/p", "2085-9", id="theirs")),
    ]
    assert client.post("/fhir", data=body(transaction(*entries)), headers=JSON).status_code == 200
    return client


def test_the_twin_is_valid_fhir_and_each_fact_points_at_a_version_that_can_be_read(record: FlaskClient) -> None:
    answer = record.get("/fhir/Patient/p/$twin")
    assert answer.status_code == 200
    assert validate(codec.decode(answer.data)) == []
    assert f"{BASE}/Observation/o/_history/1" in answer.text
    assert record.get("/fhir/Observation/o/_history/1").status_code == 200


def test_the_twin_has_nothing_of_another_servers_patient_of_the_same_id(record: FlaskClient) -> None:
    assert "hdl-cholesterol" not in record.get("/fhir/Patient/p/$twin").text


def test_the_twin_as_of_a_day_knows_nothing_later(record: FlaskClient) -> None:
    assert "total-cholesterol" in record.get("/fhir/Patient/p/$twin?date=2024-03-02").text
    assert "total-cholesterol" not in record.get("/fhir/Patient/p/$twin?date=2024-02-28").text


@pytest.mark.parametrize("query", ["date=yesterday", "date=2024-03", "date=2024-03-01&date=2024-03-02", "nonsense=1"])
def test_a_wrong_parameter_is_400(record: FlaskClient, query: str) -> None:
    assert record.get(f"/fhir/Patient/p/$twin?{query}").status_code == 400


def test_there_is_no_twin_of_a_patient_who_is_not_stored(record: FlaskClient) -> None:
    record.post("/fhir/Observation", data=body(observation("Patient/unknown")), headers=JSON)
    assert record.get("/fhir/Patient/unknown/$twin").status_code == 404
