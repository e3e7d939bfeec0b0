from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.parts import body, patient

JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture
def stored(client: FlaskClient) -> str:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    return "/fhir/Patient/p"


def test_read_gives_version_and_time(client: FlaskClient, stored: str) -> None:
    answer = client.get(stored)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Last-Modified"].endswith("GMT")


@pytest.mark.parametrize("header", ['W/"1"', '"1"', 'W/"7", W/"1"', "*"])
def test_read_of_a_known_version_is_304_without_body(client: FlaskClient, stored: str, header: str) -> None:
    answer = client.get(stored, headers={"If-None-Match": header})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == 'W/"1"'


def test_read_of_another_version_is_200(client: FlaskClient, stored: str) -> None:
    assert client.get(stored, headers={"If-None-Match": 'W/"2"'}).status_code == 200


def test_malformed_if_none_match_is_400(client: FlaskClient, stored: str) -> None:
    assert client.get(stored, headers={"If-None-Match": "one"}).status_code == 400


def test_head_has_the_headers_and_no_body(client: FlaskClient, stored: str) -> None:
    answer = client.head(stored)
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (200, b"", 'W/"1"')


@pytest.mark.parametrize("path", ["Patient/none", "Nonsense/1", "patient/p", "Patient/p/_history/2", "Patient/p/$none"])
def test_what_is_not_there_is_404_with_an_outcome(client: FlaskClient, stored: str, path: str) -> None:
    answer = client.get(f"/fhir/{path}")
    assert answer.status_code == 404
    assert answer.json["resourceType"] == "OperationOutcome"
    assert answer.json["issue"][0]["code"] == "not-found"


def test_vread_gives_each_version_as_it_was(client: FlaskClient, stored: str) -> None:
    client.put(stored, data=body(patient(id="p", gender="male")), headers=JSON)
    assert client.get(f"{stored}/_history/1").json["gender"] == "female"
    assert client.get(f"{stored}/_history/2").json["gender"] == "male"
    assert client.get(f"{stored}/_history/2").data == client.get(stored).data
    assert client.get(f"{stored}/_history/x").status_code == 404
