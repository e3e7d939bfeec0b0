"""How a transaction treats links, identities, failures, repetition and other writers."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN
from fhirtwin.errors import FhirtwinError
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.transaction import transaction as transact
from tests.parts import BASE, application, body, entry, observation, patient, transaction

JSON = {"Content-Type": "application/fhir+json"}
MRN = [{"system": "urn:oid:1.2.3", "value": "A-1"}]
A, B = (f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def post(client: FlaskClient, *entries: dict[str, Any], kind: str = "transaction", **headers: str):
    sent = body({**transaction(*entries), "type": kind})
    return client.post("/fhir", data=sent, headers={**JSON, **headers})


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.data
    return [one["response"]["status"][:3] for one in answer.json["entry"]]


def located(answer: Any, number: int) -> str:
    assert answer.status_code == 200, answer.data
    location = answer.json["entry"][number]["response"]["location"]
    return str(location.split("/_history")[0].removeprefix(f"{BASE}/"))


def document(binary: str, **members: Any) -> dict[str, Any]:
    content = [{"attachment": {"url": binary, "contentType": "text/plain"}}]
    return {"resourceType": "DocumentReference", "status": "current", "content": content, **members}


BINARY = {"resourceType": "Binary", "contentType": "text/plain", "data": "YQ=="}


# ---- links ---------------------------------------------------------------------------------------------------------


def test_links_of_every_kind_become_what_was_stored(client: FlaskClient) -> None:
    inside = {"url": "http://x", "valueReference": {"reference": A}}
    links = f'<a href="{A}">who</a> <img src="{B}" alt="what"/> <a href="#x">{A}</a>'
    sent = document(
        B,
        text={"status": "generated", "div": DIV.format(links)},
        subject={"reference": A},
        extension=[inside, {"url": "http://y", "extension": [{"url": "z", "valueUri": B}]}],
        _status={"extension": [inside]},
        contained=[{"resourceType": "Observation", "id": "c", "subject": {"reference": A}} | unmeasured()],
        context={"related": [{"reference": "#c"}]},
        identifier=[{"system": "urn:ietf:rfc:3986", "value": A}],
        description=A,
    )
    answer = post(
        client,
        entry("POST", "DocumentReference", sent),
        entry("POST", "Patient", patient(), fullUrl=A),
        entry("POST", "Binary", BINARY, fullUrl=B),
    )
    where, who, what = (located(answer, number) for number in range(3))
    stored = client.get(f"/fhir/{where}").json
    assert stored["subject"]["reference"] == who
    assert stored["content"][0]["attachment"]["url"] == what
    assert stored["extension"][0]["valueReference"]["reference"] == who
    assert stored["extension"][1]["extension"][0]["valueUri"] == what
    assert stored["_status"]["extension"][0]["valueReference"]["reference"] == who
    assert stored["contained"][0]["subject"]["reference"] == who
    assert stored["text"]["div"] == DIV.format(
        f'<a href="{who}">who</a> <img src="{what}" alt="what"/> <a href="#x">{A}</a>'
    )
    assert (stored["identifier"][0]["value"], stored["description"]) == (A, A)


def unmeasured() -> dict[str, Any]:
    return {"status": "final", "code": {"text": "x"}}


def test_relative_links_are_relative_to_the_server_an_entry_is_from(client: FlaskClient) -> None:
    div = DIV.format('<a href="Patient/7">who</a><a href="http://ehr.test/Patient/7">who</a><a href="Patient/8">x</a>')
    sent = document("Binary/9", text={"status": "generated", "div": div})
    answer = post(
        client,
        entry("POST", "DocumentReference", sent, fullUrl="http://ehr.test/DocumentReference/1"),
        entry("POST", "Patient", patient(), fullUrl="http://ehr.test/Patient/7"),
        entry("POST", "Binary", BINARY, fullUrl="http://ehr.test/Binary/9"),
    )
    where, who, what = (located(answer, number) for number in range(3))
    stored = client.get(f"/fhir/{where}").json
    assert stored["content"][0]["attachment"]["url"] == what
    assert stored["text"]["div"] == DIV.format(
        f'<a href="{who}">who</a><a href="{who}">who</a><a href="Patient/8">x</a>'
    )


def test_names_that_look_like_addresses_stay(client: FlaskClient) -> None:
    url = "http://ehr.test/StructureDefinition/7"
    sent = {"resourceType": "ValueSet", "status": "draft", "url": url.replace("StructureDefinition", "ValueSet")}
    extended = patient(extension=[{"url": sent["url"], "valueCanonical": sent["url"]}])
    answer = post(client, entry("POST", "ValueSet", sent, fullUrl=sent["url"]), entry("POST", "Patient", extended))
    assert client.get(f"/fhir/{located(answer, 0)}").json["url"] == sent["url"]
    assert client.get(f"/fhir/{located(answer, 1)}").json["extension"] == extended["extension"]


def test_references_to_other_servers_and_to_nothing_known_stay(client: FlaskClient) -> None:
    texts = ["http://other.test/fhir/Patient/7", "Patient/never", "#c"]
    contained = [{"resourceType": "Patient", "id": "c"}]
    made = [observation(text, **({"contained": contained} if text == "#c" else {})) for text in texts]
    answer = post(
        client,
        *(entry("POST", "Observation", one) for one in made),
        entry("POST", "Patient", patient(), fullUrl="http://third.test/fhir/Patient/7"),
    )
    stored = [client.get(f"/fhir/{located(answer, number)}").json["subject"]["reference"] for number in range(3)]
    assert stored == texts


def test_a_reference_to_a_version_stays_one_and_names_the_version_stored(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    there = f"{BASE}/Patient/p"
    answer = post(
        client,
        entry("POST", "Observation", observation(f"{A}/_history/77", derivedFrom=[{"reference": f"{B}/_history/9"}])),
        entry("POST", "Patient", patient(), fullUrl=A),
        entry("POST", "Observation", observation(f"{there}/_history/1"), fullUrl=B),
        entry("PUT", "Patient/p", patient(id="p", gender="male"), fullUrl=there),
    )
    first, who, second, _ = (located(answer, number) for number in range(4))
    stored = client.get(f"/fhir/{first}").json
    assert stored["subject"]["reference"] == f"{who}/_history/1"
    assert stored["derivedFrom"][0]["reference"] == f"{second}/_history/1"
    assert client.get(f"/fhir/{second}").json["subject"]["reference"] == "Patient/p/_history/2"


def test_the_url_of_an_entry_may_be_the_full_url_of_another(client: FlaskClient) -> None:
    answer = post(
        client,
        entry("GET", A),
        entry("GET", f"Observation?subject={A}"),
        entry("GET", "http://ehr.test/Observation/8"),
        entry("POST", "Observation", observation(A), fullUrl="http://ehr.test/Observation/8"),
        entry("POST", "Patient", patient(), fullUrl=A),
    )
    read, searched, other, *_ = answer.json["entry"]
    assert f"Patient/{read['resource']['id']}" == located(answer, 4)
    assert searched["resource"]["total"] == 1
    assert f"Observation/{other['resource']['id']}" == located(answer, 3)


def test_an_entry_may_read_one_version(client: FlaskClient) -> None:
    for gender in ("female", "male"):
        client.put("/fhir/Patient/p", data=body(patient(id="p", gender=gender)), headers=JSON)
    client.delete("/fhir/Patient/p")
    answer = post(client, *(entry("GET", f"Patient/p/_history/{version}") for version in "1234"), kind="batch")
    assert statuses(answer) == ["200", "200", "410", "404"]
    assert [one["resource"]["gender"] for one in answer.json["entry"][:2]] == ["female", "male"]
    assert validate(codec.decode(answer.data), type="Bundle") == []


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_url_that_no_entry_has_is_400(client: FlaskClient, kind: str) -> None:
    answer = post(client, entry("GET", A), kind=kind)
    if kind == "batch":
        assert statuses(answer) == ["400"]
    else:
        assert (answer.status_code, answer.json["issue"][0]["expression"]) == (400, ["Bundle.entry[0].request.url"])


def test_a_bundle_that_is_stored_keeps_its_own_full_urls(client: FlaskClient) -> None:
    inner = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": A, "resource": patient()}, {"fullUrl": B, "resource": observation(A)}],
    }
    answer = post(client, entry("POST", "Bundle", inner), entry("POST", "Patient", patient(), fullUrl=A))
    stored = client.get(f"/fhir/{located(answer, 0)}").json
    assert stored["entry"][1]["resource"]["subject"]["reference"] == A


# ---- order, failure, identity --------------------------------------------------------------------------------------


def test_the_order_of_the_entries_makes_no_difference(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p", identifier=MRN)), headers=JSON)
    client.put("/fhir/Patient/q", data=body(patient(id="q")), headers=JSON)
    change = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Patient.gender"}],
            }
        ],
    }
    entries = [
        entry("HEAD", "Patient/q"),
        entry("GET", "Patient?identifier=urn:oid:1.2.3|A-1"),
        entry("PATCH", "Patient/q", change),
        entry("PUT", "Patient/r", patient(id="r", identifier=MRN)),
        entry("POST", "Observation", observation("Patient?identifier=urn:oid:1.2.3|A-1")),
        entry("DELETE", "Patient/p"),
    ]
    answer = post(client, *entries)
    assert statuses(answer) == ["200", "200", "200", "201", "201", "204"]
    head, found, *_ = answer.json["entry"]
    assert (head["response"]["etag"], "resource" in head) == ('W/"2"', False)
    assert [one["resource"]["id"] for one in found["resource"]["entry"]] == ["r"]
    assert client.get(f"/fhir/{located(answer, 4)}").json["subject"]["reference"] == "Patient/r"


@pytest.mark.parametrize("wrong", [entry("POST", "Nonsense", patient()), entry("GET", "Patient/none")])
def test_a_failure_undoes_all_and_deletions_too(client: FlaskClient, wrong: dict[str, Any]) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    client.put("/fhir/Patient/q", data=body(patient(id="q")), headers=JSON)
    answer = post(
        client,
        entry("DELETE", "Patient/p"),
        entry("PUT", "Patient/q", patient(id="q", gender="male")),
        entry("POST", "Patient", patient()),
        wrong,
    )
    assert answer.status_code in (400, 404)
    assert answer.json["issue"][0]["expression"][0].startswith("Bundle.entry[3]")
    assert [client.get(f"/fhir/Patient/{id_}").headers["ETag"] for id_ in "pq"] == ['W/"1"', 'W/"1"']
    assert client.get("/fhir/_history?_count=0").json["total"] == 2


def test_a_deletion_that_several_fit_undoes_all(client: FlaskClient) -> None:
    for id_ in "pq":
        client.put(f"/fhir/Patient/{id_}", data=body(patient(id=id_, identifier=MRN)), headers=JSON)
    answer = post(client, entry("POST", "Patient", patient()), entry("DELETE", "Patient?identifier=urn:oid:1.2.3|A-1"))
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (412, ["Bundle.entry[1]"])
    assert client.get("/fhir/Patient").json["total"] == 2


def test_audit_events_are_not_written_by_bundles_either(client: FlaskClient) -> None:
    answer = post(client, entry("DELETE", "AuditEvent/a"), entry("DELETE", "Patient/p"), kind="batch")
    assert statuses(answer) == ["405", "204"]
    assert post(client, entry("DELETE", "AuditEvent/a")).status_code == 405


@pytest.mark.parametrize("returning", ["minimal", "representation", "OperationOutcome"])
@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_every_write_of_a_bundle_returns_as_much_as_preferred(client: FlaskClient, kind: str, returning: str) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    client.put("/fhir/Patient/q", data=body(patient(id="q")), headers=JSON)
    answer = post(
        client,
        entry("POST", "Patient", patient()),
        entry("PUT", "Patient/p", patient(id="p", gender="male")),
        entry("PATCH", "Patient/q", {"resourceType": "Parameters"}),
        entry("DELETE", "Patient/none"),
        kind=kind,
        Prefer=f"return={returning}",
    )
    entries = answer.json["entry"]
    assert ["resource" in one for one in entries] == [returning == "representation"] * 3 + [False]
    assert ["outcome" in one["response"] for one in entries] == [returning == "OperationOutcome"] * 4
    assert validate(codec.decode(answer.data), type="Bundle") == []


# ---- repetition and other writers ----------------------------------------------------------------------------------


def test_a_transaction_of_conditions_is_safe_to_repeat(client: FlaskClient) -> None:
    sent = (
        entry("POST", "Patient", patient(identifier=MRN), fullUrl=A, ifNoneExist="identifier=urn:oid:1.2.3|A-1"),
        entry("PUT", f"Observation?subject={A}&code=2093-3", observation(A), fullUrl=B),
        entry(
            "PUT", "Basic/b", {"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "subject": {"reference": A}}
        ),
    )
    first, *others = (post(client, *sent) for _ in range(3))
    assert statuses(first) == ["201"] * 3
    for other in others:
        assert statuses(other) == ["200"] * 3
        assert [located(other, number) for number in range(3)] == [located(first, number) for number in range(3)]
    assert client.get("/fhir/_history?_count=0").json["total"] == 3


def test_repeated_at_once_a_transaction_of_conditions_stores_once(services: Services) -> None:
    sent = body(
        transaction(
            entry("PUT", "Patient?identifier=urn:oid:1.2.3|A-1", patient(identifier=MRN), fullUrl=A),
            entry("PUT", f"Observation?subject={A}", observation(A)),
        )
    )
    failed: list[int] = []

    def carry_out() -> None:
        try:
            transact(services, OPEN, sent)
        except FhirtwinError as error:
            failed.append(error.status)

    threads = [threading.Thread(target=carry_out) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert application(services).test_client().get("/fhir/_history?_count=0").json["total"] == 2


def test_of_patches_at_once_exactly_one_wins_a_version(services: Services) -> None:
    client = application(services).test_client()
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    done: list[int] = []

    def change(number: int) -> None:
        part = [
            {"name": "type", "valueCode": "replace"},
            {"name": "path", "valueString": "Patient.birthDate"},
            {"name": "value", "valueDate": f"19{number + 10}"},
        ]
        sent = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
        one = entry("PATCH", "Patient/p", sent, ifMatch='W/"1"')
        try:
            done.append(transact(services, OPEN, body(transaction(one))).status)
        except FhirtwinError as error:
            done.append(error.status)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [200] + [412] * 11
    assert client.get("/fhir/Patient/p/_history").json["total"] == 2
