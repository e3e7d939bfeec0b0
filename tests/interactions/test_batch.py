from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Forbidden
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.batch import batch
from fhirtwin.interactions.context import Services
from tests.parts import body, entry, observation, patient

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}
P = "urn:uuid:00000000-0000-4000-8000-000000000001"


def sent(*entries: dict[str, Any]) -> bytes:
    return body({"resourceType": "Bundle", "type": "batch", "entry": list(entries)})


def post(client: FlaskClient, *entries: dict[str, Any], **headers: str):
    return client.post("/fhir", data=sent(*entries), headers={**JSON, **headers})


def statuses(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.data
    return [int(one["response"]["status"][:3]) for one in answer.json["entry"]]


def total(client: FlaskClient, type_: str) -> int:
    return client.get(f"/fhir/{type_}?_count=0").json["total"]


def test_every_entry_has_its_own_outcome_in_the_order_sent(client: FlaskClient) -> None:
    client.put("/fhir/Patient/old", data=body(patient(id="old")), headers=JSON)
    answer = post(
        client,
        entry("GET", "Patient/p"),
        entry("GET", "Patient/never"),
        entry("PUT", "Patient/p", patient(id="p")),
        entry("POST", "Patient", patient(gender=7)),
        entry("PATCH", "Patient/p", patient()),
        entry("DELETE", "Patient/old"),
        {"resource": patient()},
        entry("PUT", "Patient/q", patient(id="q"), ifMatch='W/"3"'),
        entry("POST", "Observation", observation("Patient/p")),
        entry("GET", "Observation?patient=p"),
    )
    assert statuses(answer) == [200, 404, 201, 400, 400, 204, 400, 412, 201, 200]
    assert answer.json["type"] == "batch-response"
    assert validate(codec.decode(answer.data), type="Bundle") == []
    entries = answer.json["entry"]
    assert entries[0]["resource"]["id"] == "p"
    assert entries[9]["resource"]["total"] == 1
    assert entries[2]["response"]["location"].endswith("/Patient/p/_history/1")
    assert (total(client, "Patient"), total(client, "Observation")) == (1, 1)


def test_a_failed_entry_names_its_place(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("PUT", "Patient/p", patient(id="p")),
        entry("POST", "Patient", patient(gender=7)),
        entry("GET", "Patient/never"),
        entry("POST", "Patient/p", patient()),
        entry("POST", "Patient", patient(), ifMatch="*"),
    )
    told = [one["response"]["outcome"]["issue"][0] for one in answer.json["entry"][1:]]
    assert [issue["expression"] for issue in told] == [
        ["Bundle.entry[1].resource.gender"],
        ["Bundle.entry[2]"],
        ["Bundle.entry[3].request.url"],
        ["Bundle.entry[4].request.ifMatch"],
    ]
    assert [issue["code"] for issue in told] == ["structure", "not-found", "invalid", "invalid"]


def test_an_entry_that_fails_when_it_is_stored_leaves_the_others(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("POST", "Observation", observation("Patient?identifier=urn:x|1")),
        entry("POST", "Patient", patient()),
        entry("POST", "Observation", observation("Patient/p")),
    )
    assert statuses(answer) == [412, 201, 201]
    assert (total(client, "Patient"), total(client, "Observation")) == (1, 1)


def test_entries_do_not_know_one_another(client: FlaskClient) -> None:
    answer = post(client, entry("POST", "Patient", patient(), fullUrl=P), entry("POST", "Observation", observation(P)))
    assert statuses(answer) == [201, 400]
    issue = answer.json["entry"][1]["response"]["outcome"]["issue"][0]
    assert issue["expression"] == ["Bundle.entry[1].resource.subject"]


def test_an_entry_sees_what_an_earlier_one_stored(client: FlaskClient) -> None:
    made = entry(
        "POST", "Patient", patient(identifier=[{"system": "urn:x", "value": "1"}]), ifNoneExist="identifier=urn:x|1"
    )
    assert statuses(post(client, made, made)) == [201, 200]
    assert total(client, "Patient") == 1


def test_resources_come_back_when_preferred(client: FlaskClient) -> None:
    made = entry("POST", "Patient", patient())
    assert "resource" not in post(client, made).json["entry"][0]
    assert post(client, made, Prefer="return=representation").json["entry"][0]["resource"]["gender"] == "female"


def test_an_update_says_whether_it_created(client: FlaskClient) -> None:
    one = entry("PUT", "Patient/p", patient(id="p"))
    assert [statuses(post(client, one)), statuses(post(client, one))] == [[201], [200]]


def test_each_entry_is_permitted_by_itself(services: Services, client: FlaskClient) -> None:
    reader = Caller("reader", frozenset({"batch", "read"}))
    entries = (entry("PUT", "Patient/p", patient(id="p")), entry("DELETE", "Patient/p"), entry("GET", "Patient?_id=p"))
    answer = codec.decode(batch(services, reader, sent(*entries, entry("GET", "Patient/p"))).body)
    assert [one["response"]["status"][:3] for one in answer["entry"]] == ["403", "403", "403", "404"]
    with pytest.raises(Forbidden):
        batch(services, Caller("writer", OPEN.may - {"batch"}), sent(*entries))
    assert total(client, "Patient") == 0


@pytest.mark.parametrize(
    ("entries", "status", "place"),
    [
        ([entry("POST", "Patient", patient()), 7], 400, "Bundle.entry[1]"),
        ([entry("POST", "Patient", patient())] * 21, 413, "Bundle.entry"),
    ],
)
def test_a_wrong_bundle_is_refused_whole(client: FlaskClient, entries: list[Any], status: int, place: str) -> None:
    answer = post(client, *entries)
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (status, [place])
    assert total(client, "Patient") == 0


def test_an_entry_without_request_or_with_the_fullurl_of_another_fails_alone(client: FlaskClient) -> None:
    same = entry("POST", "Patient", patient(), fullUrl=P)
    answers = post(client, same, {"resource": patient()}, same).json["entry"]
    assert [one["response"]["status"][:3] for one in answers] == ["201", "400", "400"]
    places = [one["response"]["outcome"]["issue"][0]["expression"] for one in answers[1:]]
    assert places == [["Bundle.entry[1]"], ["Bundle.entry[2].fullUrl"]]


def test_a_fullurl_comes_once_in_the_answer(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    first, again = post(client, entry("GET", "Patient/p"), entry("GET", "Patient/p")).json["entry"]
    assert first["fullUrl"].endswith("/fhir/Patient/p")
    assert again["resource"] == first["resource"]
    assert "fullUrl" not in again


def test_a_batch_that_is_no_bundle_or_no_json_is_400(client: FlaskClient) -> None:
    for data in (body(patient(type="batch")), b'{"type": "batch",', b'{"type": "batch", "a": ' + b"[" * 5000, b"\xff"):
        assert client.post("/fhir", data=data, headers=JSON).status_code == 400


def test_an_empty_batch_is_answered(client: FlaskClient) -> None:
    answer = client.post("/fhir", data=body({"resourceType": "Bundle", "type": "batch"}), headers=JSON)
    assert (answer.status_code, answer.json) == (200, {"resourceType": "Bundle", "type": "batch-response"})
