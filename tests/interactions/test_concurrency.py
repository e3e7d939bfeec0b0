"""Thirty-two writers at once, through four stores as four gateway processes would have them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.interactions.context import Services
from fhirtwin.store import Store
from tests.parts import application, body, entry, observation, patient, services, transaction

pytestmark = pytest.mark.databases

WRITERS = 32
JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture
def clients(tmp_path: Path, database_url: str) -> Iterator[list[FlaskClient]]:
    parts: list[Services] = [services(tmp_path, database_url=database_url)]
    parts += [replace(parts[0], store=Store.open(parts[0].settings)) for _ in range(3)]
    yield [application(part).test_client() for part in parts]
    for part in parts:
        part.store.close()


def at_once(clients: list[FlaskClient], work: Callable[[FlaskClient, int], Any]) -> list[Any]:
    """Do `work(client, number)` for every writer, all begun at one moment; what each gave."""
    gate = threading.Barrier(WRITERS)
    answers: list[Any] = [None] * WRITERS

    def run(number: int) -> None:
        client = clients[number % len(clients)].application.test_client()
        gate.wait()
        answers[number] = work(client, number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def put(client: FlaskClient, number: int, id_: str = "one", **headers: str) -> Any:
    name = [{"family": f"by {number}"}]
    return client.put(f"/fhir/Patient/{id_}", data=body(patient(id=id_, name=name)), headers={**JSON, **headers})


def test_one_writer_wins_each_version_and_the_others_are_told(clients: list[FlaskClient]) -> None:
    put(clients[0], -1)
    for version in range(1, 4):
        match, before = {"If-Match": f'W/"{version}"'}, 100 * version  # nobody sends what is there already
        answers = at_once(clients, lambda client, n: put(client, before + n, **match))  # noqa: B023
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: WRITERS - 1}
        (won,) = (number for number, answer in enumerate(answers) if answer.status_code == 200)
        current = clients[0].get("/fhir/Patient/one").json
        assert (current["meta"]["versionId"], current["name"]) == (str(version + 1), [{"family": f"by {before + won}"}])


def test_writers_without_a_condition_all_get_a_version_of_their_own(clients: list[FlaskClient]) -> None:
    answers = at_once(clients, put)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: WRITERS - 1}
    assert {answer.headers["ETag"] for answer in answers} == {f'W/"{n}"' for n in range(1, WRITERS + 1)}
    history = clients[0].get("/fhir/Patient/one/_history").json
    kept = {one["resource"]["name"][0]["family"] for one in history["entry"]}
    assert kept == {f"by {number}" for number in range(WRITERS)}


def test_conditional_creates_of_the_same_make_one(clients: list[FlaskClient]) -> None:
    sent = body(patient(identifier=[{"system": "urn:oid:1.2.3", "value": "A-1"}]))
    headers = {**JSON, "If-None-Exist": "identifier=urn:oid:1.2.3|A-1"}
    answers = at_once(clients, lambda client, _: client.post("/fhir/Patient", data=sent, headers=headers))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: WRITERS - 1}
    assert len({answer.json["id"] for answer in answers}) == 1


def test_bundles_about_different_patients_all_succeed_and_nothing_is_lost(clients: list[FlaskClient]) -> None:
    def post(client: FlaskClient, number: int) -> Any:
        who = f"p{number}"
        entries = [entry("PUT", f"Patient/{who}", patient(id=who))]
        entries += [entry("POST", "Observation", observation(f"Patient/{who}")) for _ in range(3)]
        return client.post("/fhir", data=body(transaction(*entries)), headers=JSON)

    answers = at_once(clients, post)
    assert {answer.status_code for answer in answers} == {200}
    assert clients[1].get("/fhir/Patient?_count=0").json["total"] == WRITERS
    for number in range(WRITERS):
        assert clients[2].get(f"/fhir/Observation?patient=p{number}&_count=0").json["total"] == 3


def test_bundles_that_write_the_same_in_different_orders_do_not_lock_one_another_out(
    clients: list[FlaskClient],
) -> None:
    def post(client: FlaskClient, number: int) -> Any:
        ids = [f"p{(number + place * (1 if number % 2 else -1)) % 6}" for place in range(6)]
        entries = [entry("PUT", f"Patient/{id_}", patient(id=id_, name=[{"family": f"by {number}"}])) for id_ in ids]
        return client.post("/fhir", data=body(transaction(*entries)), headers=JSON)

    answers = at_once(clients, post)
    assert {answer.status_code for answer in answers} == {200}
    found = clients[3].get("/fhir/Patient").json["entry"]
    assert {one["resource"]["meta"]["versionId"] for one in found} == {str(WRITERS)}
    assert len({one["resource"]["name"][0]["family"] for one in found}) == 1  # the last bundle, whole
