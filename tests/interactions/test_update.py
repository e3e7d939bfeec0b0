from __future__ import annotations

import threading

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.update import update
from tests.parts import body, observation, patient

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}


def put(client: FlaskClient, resource: dict, **headers: str):
    path = f"/fhir/{resource['resourceType']}/{resource['id']}"
    return client.put(path, data=body(resource), headers={**JSON, **headers})


def test_update_where_nothing_is_creates_under_that_id(client: FlaskClient) -> None:
    answer = put(client, patient(id="p"))
    assert (answer.status_code, answer.headers["ETag"], answer.json["id"]) == (201, 'W/"1"', "p")


def test_update_makes_the_next_version(client: FlaskClient) -> None:
    put(client, patient(id="p"))
    answer = put(client, patient(id="p", gender="male"))
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert answer.json["meta"]["versionId"] == "2"


def test_update_that_says_the_same_makes_no_version(client: FlaskClient) -> None:
    put(client, patient(id="p"))
    read = client.get("/fhir/Patient/p").data
    spaced = client.put("/fhir/Patient/p", data=read.replace(b",", b" ,\n"), headers=JSON)
    assert (spaced.status_code, spaced.headers["ETag"], spaced.data) == (200, 'W/"1"', read)


def test_a_digit_more_is_another_version(client: FlaskClient) -> None:
    def sent(value: str) -> bytes:
        plain = body(observation("Patient/p", id="o"))
        return plain.replace(b'"value": 200', b'"value": ' + value.encode())

    client.put("/fhir/Observation/o", data=sent("200"), headers=JSON)
    answer = client.put("/fhir/Observation/o", data=sent("200.0"), headers=JSON)
    assert answer.headers["ETag"] == 'W/"2"'
    assert b'"value": 200.0' in answer.data


@pytest.mark.parametrize(("header", "status"), [('W/"1"', 200), ("*", 200), ('W/"2"', 412), ("1", 400), ("", 400)])
def test_if_match_decides(client: FlaskClient, header: str, status: int) -> None:
    put(client, patient(id="p"))
    answer = put(client, patient(id="p", gender="male"), **{"If-Match": header})
    assert answer.status_code == status
    assert client.get("/fhir/Patient/p").json["gender"] == ("male" if status == 200 else "female")


def test_if_match_where_nothing_is_is_412(client: FlaskClient) -> None:
    assert put(client, patient(id="p"), **{"If-Match": "*"}).status_code == 412
    assert client.get("/fhir/Patient/p").status_code == 404


@pytest.mark.parametrize(
    ("header", "status"), [("*", 412), ('W/"1"', 412), ('W/"7", W/"1"', 412), ('W/"2"', 200), ("1", 400)]
)
def test_if_none_match_keeps_what_is_there(client: FlaskClient, header: str, status: int) -> None:
    put(client, patient(id="p"))
    answer = put(client, patient(id="p", gender="male"), **{"If-None-Match": header})
    assert answer.status_code == status
    assert client.get("/fhir/Patient/p").json["gender"] == ("male" if status == 200 else "female")


def test_if_none_match_any_creates_where_nothing_is(client: FlaskClient) -> None:
    assert put(client, patient(id="p"), **{"If-None-Match": "*"}).status_code == 201


@pytest.mark.parametrize("resource", [patient(), patient(id="q"), observation("Patient/p", id="p")])
def test_body_that_is_not_what_the_url_names_is_400(client: FlaskClient, resource: dict) -> None:
    answer = client.put("/fhir/Patient/p", data=body(resource), headers=JSON)
    assert answer.status_code == 400
    assert answer.json["issue"][0]["expression"]


def test_an_id_that_cannot_be_one_is_400(client: FlaskClient) -> None:
    assert client.put("/fhir/Patient/a_b", data=body(patient(id="a_b")), headers=JSON).status_code == 400


def test_writers_at_once_neither_wait_for_ever_nor_lose_a_version(services: Services) -> None:
    statuses: list[int] = []

    def write(writer: int) -> None:
        for number in range(3):
            sent = body(patient(id="p", multipleBirthInteger=writer * 10 + number))
            statuses.append(update(services, OPEN, "Patient", "p", sent).status)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = services.store.read("Patient", "p")
    assert stored is not None
    assert (sorted(statuses), stored.version) == ([200] * 95 + [201], 96)


def test_correcting_a_resource_takes_its_fact_away(client: FlaskClient) -> None:
    put(client, patient(id="p"))
    put(client, observation("Patient/p", id="o"))
    facts = len(client.get("/fhir/Patient/p/$twin").json["entry"])
    put(client, observation("Patient/p", id="o", status="entered-in-error"))
    assert len(client.get("/fhir/Patient/p/$twin").json["entry"]) == facts - 1


def test_a_resource_that_moves_to_another_patient_takes_its_facts_along(client: FlaskClient) -> None:
    put(client, patient(id="p"))
    put(client, patient(id="q"))
    put(client, observation("Patient/p", id="o"))
    p, q = (len(client.get(f"/fhir/Patient/{id_}/$twin").json["entry"]) for id_ in "pq")
    put(client, observation("Patient/q", id="o"))
    moved = tuple(len(client.get(f"/fhir/Patient/{id_}/$twin").json["entry"]) for id_ in "pq")
    assert moved == (p - 1, q + 1)
