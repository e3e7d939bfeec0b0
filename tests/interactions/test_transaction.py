from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN
from fhirtwin.errors import FhirtwinError
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.transaction import MAX_ROUNDS
from fhirtwin.interactions.transaction import transaction as transact
from tests.parts import BASE, application, body, condition, entry, observation, patient, transaction

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}
MRN = {"system": "urn:oid:1.2.3", "value": "A-1"}
P, O = "urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:00000000-0000-4000-8000-000000000002"  # noqa: E741


def post(client: FlaskClient, *entries: dict, **headers: str):
    return client.post("/fhir", data=body(transaction(*entries)), headers={**JSON, **headers})


def total(client: FlaskClient, type_: str) -> int:
    return client.get(f"/fhir/{type_}?_count=0").json["total"]


def locations(answer) -> list[str]:
    return [one["response"]["location"].split("/_history")[0].removeprefix(f"{BASE}/") for one in answer.json["entry"]]


def test_references_by_full_url_become_the_ids_that_were_made(client: FlaskClient) -> None:
    answer = post(
        client,
        entry(
            "POST", "Observation", observation(P, extension=[{"url": "http://x", "valueReference": {"reference": P}}])
        ),
        entry("POST", "Patient", patient(), fullUrl=P),
    )
    assert answer.status_code == 200
    assert answer.json["type"] == "transaction-response"
    assert [one["response"]["status"] for one in answer.json["entry"]] == ["201 Created", "201 Created"]
    there, who = locations(answer)
    stored = client.get(f"/fhir/{there}").json
    assert stored["subject"]["reference"] == who
    assert stored["extension"][0]["valueReference"]["reference"] == who
    assert client.get(f"/fhir/Observation?patient={who}").json["total"] == 1


def test_entries_that_refer_to_one_another_are_resolved(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("POST", "Observation", observation("Patient/p", hasMember=[{"reference": O}]), fullUrl=P),
        entry("POST", "Observation", observation("Patient/p", derivedFrom=[{"reference": P}]), fullUrl=O),
    )
    first, second = locations(answer)
    assert client.get(f"/fhir/{first}").json["hasMember"][0]["reference"] == second
    assert client.get(f"/fhir/{second}").json["derivedFrom"][0]["reference"] == first


def test_a_relative_reference_is_relative_to_the_server_the_entry_is_from(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("POST", "Patient", patient(), fullUrl="http://ehr.test/Patient/7"),
        entry("POST", "Observation", observation("Patient/7"), fullUrl="http://ehr.test/Observation/8"),
        entry("POST", "Observation", observation("http://other.test/Patient/7")),
        entry("POST", "Observation", observation("Patient/7")),
    )
    who, *observations = locations(answer)
    subjects = [client.get(f"/fhir/{one}").json["subject"]["reference"] for one in observations]
    assert subjects == [who, "http://other.test/Patient/7", "Patient/7"]


def test_a_conditional_reference_finds_what_is_stored(client: FlaskClient) -> None:
    who = client.post("/fhir/Patient", data=body(patient(identifier=[MRN])), headers=JSON).json["id"]
    answer = post(client, entry("POST", "Observation", observation("Patient?identifier=urn:oid:1.2.3|A-1")))
    assert client.get(f"/fhir/{locations(answer)[0]}").json["subject"]["reference"] == f"Patient/{who}"


def test_a_conditional_reference_finds_what_the_same_transaction_stores(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("POST", "Observation", observation("Patient?identifier=urn:oid:1.2.3|A-1")),
        entry("PUT", "Patient/p", patient(id="p", identifier=[MRN])),
    )
    assert client.get(f"/fhir/{locations(answer)[0]}").json["subject"]["reference"] == "Patient/p"


@pytest.mark.parametrize("there", [0, 2])
def test_a_conditional_reference_that_fits_none_or_several_is_412(client: FlaskClient, there: int) -> None:
    for _ in range(there):
        client.post("/fhir/Patient", data=body(patient(identifier=[MRN])), headers=JSON)
    answer = post(
        client,
        entry("PUT", "Group/g", {"resourceType": "Group", "id": "g", "type": "person", "actual": True}),
        entry("POST", "Observation", observation("Patient?identifier=urn:oid:1.2.3|A-1")),
    )
    assert answer.status_code == 412
    assert answer.json["issue"][0]["expression"][0].startswith("Bundle.entry[1]")
    assert (total(client, "Group"), total(client, "Observation")) == (0, 0)


def test_a_second_run_of_conditional_creates_refers_to_the_existing_ids(client: FlaskClient) -> None:
    def run():
        return post(
            client,
            entry("POST", "Patient", patient(identifier=[MRN]), fullUrl=P, ifNoneExist="identifier=urn:oid:1.2.3|A-1"),
            entry("POST", "Observation", observation(P)),
        )

    first, second = run(), run()
    assert [one["response"]["status"] for one in second.json["entry"]] == ["200 OK", "201 Created"]
    assert locations(second)[0] == locations(first)[0]
    again = client.get(f"/fhir/{locations(second)[1]}").json
    assert again["subject"]["reference"] == locations(first)[0]


def test_failure_at_an_entry_leaves_nothing_and_names_the_entry(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("POST", "Patient", patient(), fullUrl=P),
        entry("POST", "Observation", observation(P)),
        entry("PUT", "Observation/o", observation(P, id="o"), ifMatch='W/"3"'),
    )
    assert answer.status_code == 412
    assert answer.json["issue"][0]["expression"] == ["Bundle.entry[2]"]
    assert (total(client, "Patient"), total(client, "Observation")) == (0, 0)


def test_an_invalid_resource_is_named_by_its_place_in_the_bundle(client: FlaskClient) -> None:
    answer = post(client, entry("POST", "Patient", patient()), entry("POST", "Patient", patient(gender=7)))
    assert answer.status_code == 400
    assert answer.json["issue"][0]["expression"] == ["Bundle.entry[1].resource.gender"]
    assert total(client, "Patient") == 0


def test_reads_and_searches_see_what_the_transaction_wrote(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("GET", "Observation?patient=p&code=2093-3"),
        entry("GET", "Patient/p"),
        entry("GET", "Patient/p", ifNoneMatch='W/"1"'),
        entry("PUT", "Patient/p", patient(id="p")),
        entry("POST", "Observation", observation("Patient/p")),
    )
    found, read, known, *_ = answer.json["entry"]
    assert found["resource"]["total"] == 1
    assert read["resource"]["id"] == "p"
    assert known["response"]["status"] == "304 Not Modified"


def test_a_read_of_what_is_not_there_fails_the_transaction(client: FlaskClient) -> None:
    answer = post(client, entry("POST", "Patient", patient()), entry("GET", "Patient/none"))
    assert answer.status_code == 404
    assert answer.json["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert total(client, "Patient") == 0


def test_resources_come_back_when_preferred(client: FlaskClient) -> None:
    made = entry("POST", "Patient", patient())
    assert "resource" not in post(client, made).json["entry"][0]
    full = post(client, made, Prefer="return=representation").json["entry"][0]
    assert full["fullUrl"] == f"{BASE}/Patient/{full['resource']['id']}"
    told = post(client, made, Prefer="return=OperationOutcome").json["entry"][0]
    assert told["response"]["outcome"]["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("returning", ["minimal", "representation", "OperationOutcome"])
def test_the_answer_is_valid_fhir(client: FlaskClient, returning: str) -> None:
    entries = (entry("PUT", "Patient/p", patient(id="p")), entry("GET", "Patient/p"), entry("GET", "Patient?_id=p"))
    answer = post(client, *entries, Prefer=f"return={returning}")
    assert validate(codec.decode(answer.data), type="Bundle") == []


def test_twins_are_refreshed(client: FlaskClient) -> None:
    post(
        client,
        entry("PUT", "Patient/p", patient(id="p")),
        entry("POST", "Observation", observation("Patient/p")),
        entry("POST", "Condition", condition("Patient/p")),
    )
    twin = client.get("/fhir/Patient/p/$twin")
    assert twin.status_code == 200
    assert b'"diabetes"' in twin.data
    assert b'"total-cholesterol"' in twin.data


@pytest.mark.parametrize(
    ("entries", "status", "place"),
    [
        ([entry("PATCH", "Patient/p", patient())], 400, "Bundle.entry[0]"),
        ([entry("PATCH", "Patient/p")], 400, "Bundle.entry[0]"),
        ([entry("POST", "Nonsense", patient())], 400, "Bundle.entry[0].request.url"),
        ([entry("POST", "Patient/p", patient())], 400, "Bundle.entry[0].request.url"),
        ([entry("PUT", "Patient", patient())], 400, "Bundle.entry[0].request.url"),
        ([entry("PUT", "Patient?nonsense=p", patient(id="p"))], 400, "Bundle.entry[0]"),
        ([entry("PATCH", "Patient", {"resourceType": "Parameters"})], 400, "Bundle.entry[0].request.url"),
        ([entry("DELETE", "Patient")], 400, "Bundle.entry[0].request.url"),
        ([entry("GET", P)], 400, "Bundle.entry[0].request.url"),
        ([entry("GET", "Patient/p/$everything")], 400, "Bundle.entry[0].request.url"),
        ([entry("GET", "http://other.test/Patient/p")], 400, "Bundle.entry[0].request.url"),
        ([entry("POST", "Observation", patient())], 400, "Bundle.entry[0].request.url"),
        ([entry("POST", "Patient")], 400, "Bundle.entry[0]"),
        ([{"resource": patient()}], 400, "Bundle.entry[0]"),
        ([entry("PUT", "Patient/p", patient(id="q"))], 400, "Bundle.entry[0].resource.id"),
        ([entry("POST", "Observation", observation(P))], 400, "Bundle.entry[0].resource.subject"),
        ([entry("GET", "Patient?nonsense=1")], 400, "Bundle.entry[0]"),
        (
            [entry("POST", "Patient", patient(), fullUrl=P), entry("POST", "Patient", patient(), fullUrl=P)],
            400,
            "Bundle.entry[1].fullUrl",
        ),
        (
            [entry("PUT", "Patient/p", patient(id="p")), entry("PUT", "Patient/p", patient(id="p", active=True))],
            400,
            "Bundle.entry[1].request.url",
        ),
        (
            [entry("POST", "Patient", patient(), ifNoneExist="identifier=a|b") for _ in range(2)],
            400,
            "Bundle.entry[1].request.ifNoneExist",
        ),
        ([entry("POST", "Patient", patient())] * 21, 413, "Bundle.entry"),
    ],
)
def test_a_wrong_entry_is_refused_by_its_place(
    client: FlaskClient, entries: list[dict], status: int, place: str
) -> None:
    answer = post(client, *entries)
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (status, [place])
    assert total(client, "Patient") == 0


@pytest.mark.parametrize(("links", "status"), [(MAX_ROUNDS, 200), (MAX_ROUNDS + 1, 413)])
def test_a_chain_of_conditional_references_has_an_end(services: Services, links: int, status: int) -> None:
    def link(number: int) -> dict:
        ahead = [{"reference": f"Observation?identifier=urn:x|{number + 1}"}] if number < links else None
        identifier = [{"system": "urn:x", "value": str(number)}]
        return entry("POST", "Observation", observation("Patient/p", identifier=identifier, hasMember=ahead))

    larger = replace(services, settings=replace(services.settings, max_bundle_entries=100))
    client = application(larger).test_client()
    assert post(client, *map(link, range(1, links + 1))).status_code == status
    assert total(client, "Observation") == (links if status == 200 else 0)


@pytest.mark.parametrize("text", ["Patient?", "Patient?_count=1", "Patient?name=Anna Maria&nonsense=1"])
def test_a_conditional_reference_that_names_no_condition_is_400_and_not_stored(client: FlaskClient, text: str) -> None:
    assert post(client, entry("POST", "Observation", observation(text))).status_code == 400
    assert total(client, "Observation") == 0


def test_a_condition_may_be_written_with_a_space(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p", name=[{"text": "Anna Maria"}])), headers=JSON)
    (there,) = locations(post(client, entry("POST", "Observation", observation("Patient?name=Anna Maria"))))
    assert client.get(f"/fhir/{there}").json["subject"]["reference"] == "Patient/p"


@pytest.mark.parametrize(
    ("method", "condition_"),
    [
        ("PUT", {"ifNoneExist": "identifier=urn:oid:1.2.3|A-1"}),
        ("POST", {"ifMatch": 'W/"1"'}),
        ("POST", {"ifNoneMatch": "*"}),
    ],
)
def test_a_condition_that_would_not_hold_is_refused(
    client: FlaskClient, method: str, condition_: dict[str, str]
) -> None:
    one = entry(method, "Patient/p" if method == "PUT" else "Patient", patient(id="p"))
    one["request"] |= condition_
    answer = post(client, one)
    assert answer.status_code == 400
    assert answer.json["issue"][0]["expression"] == [f"Bundle.entry[0].request.{next(iter(condition_))}"]
    assert total(client, "Patient") == 0


def test_if_none_match_of_an_entry_keeps_what_is_there(client: FlaskClient) -> None:
    one = entry("PUT", "Patient/p", patient(id="p"))
    one["request"]["ifNoneMatch"] = "*"
    assert [post(client, one).status_code, post(client, one).status_code] == [200, 412]


def test_ids_may_be_the_same_in_several_types(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("PUT", "Patient/x", patient(id="x")),
        entry("PUT", "Observation/x", observation("Patient/x", id="x")),
        entry("DELETE", "Condition/x"),
    )
    assert [one["response"]["status"][:3] for one in answer.json["entry"]] == ["201", "201", "204"]
    assert [client.get(f"/fhir/{type_}/x").status_code for type_ in ("Patient", "Observation")] == [200, 200]


def test_of_transactions_at_once_exactly_one_wins_a_version(services: Services) -> None:
    statuses: list[int] = []

    def carry_out(number: int) -> None:
        change = entry("PUT", "Patient/p", patient(id="p", multipleBirthInteger=number), ifMatch='W/"1"')
        gone = entry("DELETE", "Patient/p", ifMatch='W/"1"')
        sent = body(transaction(gone if number % 2 else change, entry("POST", "Observation", observation("Patient/p"))))
        try:
            statuses.append(transact(services, OPEN, sent).status)
        except FhirtwinError as error:
            statuses.append(error.status)

    transact(services, OPEN, body(transaction(entry("PUT", "Patient/p", patient(id="p")))))
    threads = [threading.Thread(target=carry_out, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [412] * 15
    client = application(services).test_client()
    assert (total(client, "Observation"), client.get("/fhir/Patient/p/_history").json["total"]) == (1, 2)


@pytest.mark.parametrize("kind", ["collection", "searchset", None])
def test_another_type_of_bundle_is_400(client: FlaskClient, kind: str | None) -> None:
    sent = {"resourceType": "Bundle", "type": kind} if kind else patient()
    assert client.post("/fhir", data=body(sent), headers=JSON).status_code == 400


def test_an_empty_transaction_is_answered(client: FlaskClient) -> None:
    answer = client.post("/fhir", data=body({"resourceType": "Bundle", "type": "transaction"}), headers=JSON)
    assert (answer.status_code, answer.json) == (200, {"resourceType": "Bundle", "type": "transaction-response"})
