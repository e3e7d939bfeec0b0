"""Updates, patches and deletions of the resource that a search names, by themselves and in Bundles."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Forbidden
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.update import update
from tests.parts import BASE, body, entry, observation, patient, transaction

JSON = {"Content-Type": "application/fhir+json"}
MRN = [{"system": "urn:oid:1.2.3", "value": "A-1"}]
MINE = "identifier=urn:oid:1.2.3|A-1"
URL = f"/fhir/Patient?{MINE}"
URN = "urn:uuid:00000000-0000-4000-8000-000000000001"
MALE = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "replace"},
                {"name": "path", "valueString": "Patient.gender"},
                {"name": "value", "valueCode": "male"},
            ],
        }
    ],
}


def given(client: FlaskClient, *ids: str) -> None:
    for id_ in ids:
        client.put(f"/fhir/Patient/{id_}", data=body(patient(id=id_, identifier=MRN)), headers=JSON)


def put(client: FlaskClient, url: str = URL, *, headers: dict[str, str] | None = None, **members: Any):
    return client.put(url, data=body(patient(identifier=MRN, **members)), headers={**JSON, **(headers or {})})


def post(client: FlaskClient, *entries: dict[str, Any], kind: str = "transaction"):
    return client.post("/fhir", data=body({**transaction(*entries), "type": kind}), headers=JSON)


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.data
    return [one["response"]["status"][:3] for one in answer.json["entry"]]


def located(answer: Any, number: int) -> str:
    location = answer.json["entry"][number]["response"]["location"]
    return str(location.split("/_history")[0].removeprefix(f"{BASE}/"))


# ---- update --------------------------------------------------------------------------------------------------------


def test_an_update_that_fits_nothing_creates_under_an_id_of_the_server(client: FlaskClient) -> None:
    answer = put(client)
    assert (answer.status_code, answer.headers["ETag"]) == (201, 'W/"1"')
    assert answer.headers["Location"] == f"{BASE}/Patient/{answer.json['id']}/_history/1"
    again = put(client, gender="male")
    assert (again.status_code, again.headers["ETag"], again.json["id"]) == (200, 'W/"2"', answer.json["id"])


def test_an_update_that_fits_nothing_creates_under_the_id_of_the_body(client: FlaskClient) -> None:
    answer = put(client, id="mine")
    assert (answer.status_code, answer.json["id"]) == (201, "mine")


def test_an_update_that_fits_nothing_does_not_replace_another_resource(client: FlaskClient) -> None:
    client.put("/fhir/Patient/p", data=body(patient(id="p")), headers=JSON)
    answer = put(client, id="p")
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (409, ["Patient.id"])
    client.delete("/fhir/Patient/p")
    assert put(client, id="p").status_code == 201


@pytest.mark.parametrize("named", [{}, {"id": "p"}])
def test_an_update_replaces_the_one_that_fits(client: FlaskClient, named: dict[str, str]) -> None:
    given(client, "p")
    answer = put(client, gender="male", **named)
    assert (answer.status_code, answer.headers["ETag"], answer.json["id"]) == (200, 'W/"2"', "p")


def test_an_update_that_says_the_same_makes_no_version(client: FlaskClient) -> None:
    assert [put(client).headers["ETag"] for _ in range(2)] == ['W/"1"', 'W/"1"']


def test_a_body_with_another_id_than_the_one_that_fits_is_400(client: FlaskClient) -> None:
    given(client, "p")
    answer = put(client, id="q")
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (400, ["Patient.id"])
    assert client.get("/fhir/Patient").json["total"] == 1


def test_an_update_that_fits_several_is_412(client: FlaskClient) -> None:
    given(client, "p", "q")
    assert put(client, gender="male").status_code == 412
    assert client.get("/fhir/Patient?birthdate=1960-05-04&_count=0").json["total"] == 2


@pytest.mark.parametrize("query", ["", "?", "?_count=1", "?_format=json", "?unknown=1", "?birthdate=yesterday"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_usable_criteria_are_400_and_change_nothing(client: FlaskClient, method: str, query: str) -> None:
    given(client, "p")
    sent = {"PUT": patient(gender="male"), "PATCH": MALE, "DELETE": {}}[method]
    answer = client.open(f"/fhir/Patient{query}", method=method, data=body(sent), headers=JSON)
    assert (answer.status_code, answer.json["resourceType"]) == (400, "OperationOutcome")
    assert client.get("/fhir/Patient/p").headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize(("header", "status"), [('W/"1"', 200), ('W/"2"', 412), ("1", 400)])
def test_if_match_of_a_conditional_update_is_about_the_one_that_fits(
    client: FlaskClient, header: str, status: int
) -> None:
    given(client, "p")
    assert put(client, gender="male", headers={"If-Match": header}).status_code == status


def test_if_match_of_a_conditional_update_that_fits_nothing_is_412(client: FlaskClient) -> None:
    assert put(client, headers={"If-Match": "*"}).status_code == 412
    assert client.get("/fhir/Patient").json["total"] == 0


def test_a_condition_takes_the_right_to_search(services: Services) -> None:
    writer = Caller("writer", OPEN.may - {"search-type"})
    with pytest.raises(Forbidden):
        update(services, writer, "Patient", "", body(patient()), criteria=MINE)


# ---- patch and delete ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ids", "status"), [([], 404), (["p"], 200), (["p", "q"], 412)])
def test_a_conditional_patch_needs_one_that_fits(client: FlaskClient, ids: list[str], status: int) -> None:
    given(client, *ids)
    assert client.patch(URL, data=body(MALE), headers=JSON).status_code == status
    assert [client.get(f"/fhir/Patient/{id_}").json["gender"] for id_ in ids] == (
        ["male"] if status == 200 else ["female"] * len(ids)
    )


@pytest.mark.parametrize(("header", "status"), [('W/"1"', 200), ('W/"2"', 412), ("1", 400)])
def test_if_match_of_a_conditional_patch(client: FlaskClient, header: str, status: int) -> None:
    given(client, "p")
    assert client.patch(URL, data=body(MALE), headers={**JSON, "If-Match": header}).status_code == status


@pytest.mark.parametrize(("ids", "status"), [([], 204), (["p"], 204), (["p", "q"], 412)])
def test_a_conditional_delete_deletes_the_one_that_fits(client: FlaskClient, ids: list[str], status: int) -> None:
    given(client, *ids)
    assert client.delete(URL).status_code == status
    assert client.get(f"{URL}&_count=0").json["total"] == (2 if status == 412 else 0)
    assert client.delete("/fhir/Patient/?_id=p").status_code == 204


@pytest.mark.parametrize(("header", "status"), [('W/"1"', 204), ('W/"2"', 412), ("1", 400)])
def test_if_match_of_a_conditional_delete(client: FlaskClient, header: str, status: int) -> None:
    given(client, "p")
    assert client.delete(URL, headers={"If-Match": header}).status_code == status


# ---- in Bundles ----------------------------------------------------------------------------------------------------

UPDATE = entry("PUT", f"Patient?{MINE}", patient(identifier=MRN, gender="male"))
PATCH = entry("PATCH", f"Patient?{MINE}", MALE)
DELETE = entry("DELETE", f"Patient?{MINE}")


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize(
    ("sent", "ids", "status"),
    [
        (UPDATE, [], 201),
        (UPDATE, ["p"], 200),
        (UPDATE, ["p", "q"], 412),
        (PATCH, [], 404),
        (PATCH, ["p"], 200),
        (PATCH, ["p", "q"], 412),
        (DELETE, [], 204),
        (DELETE, ["p"], 204),
        (DELETE, ["p", "q"], 412),
        (entry("PUT", f"Patient?{MINE}", patient(identifier=MRN, id="q")), ["p"], 400),
        (entry("PUT", f"Patient?{MINE}", patient(identifier=MRN), ifMatch='W/"2"'), ["p"], 412),
        (entry("PUT", "Patient", patient()), ["p"], 400),
        (entry("PUT", "Patient?_count=1", patient()), ["p"], 400),
    ],
)
def test_an_entry_may_be_conditional(
    client: FlaskClient, kind: str, sent: dict[str, Any], ids: list[str], status: int
) -> None:
    given(client, *ids)
    answer = post(client, sent, kind=kind)
    if kind == "batch" or status < 300:
        assert statuses(answer) == [str(status)]
    else:
        assert answer.status_code == status
        assert answer.json["issue"][0]["expression"][0].startswith("Bundle.entry[0]")
    versions = [client.get(f"/fhir/Patient/{id_}/_history").json["total"] for id_ in ids]
    assert versions == ([2] if status < 300 and ids else [1] * len(ids))


def test_a_reference_to_a_conditional_update_becomes_what_it_found_or_made(client: FlaskClient) -> None:
    sent = (
        entry("PUT", f"Patient?{MINE}", patient(identifier=MRN), fullUrl=URN),
        entry("POST", "Observation", observation(URN), ifNoneExist="identifier=urn:x|o"),
    )
    first, second = post(client, *sent), post(client, *sent)
    assert (statuses(first), statuses(second)) == (["201", "201"], ["200", "201"])
    assert located(second, 0) == located(first, 0)
    subjects = {client.get(f"/fhir/{located(answer, 1)}").json["subject"]["reference"] for answer in (first, second)}
    assert subjects == {located(first, 0)}


def test_a_condition_may_name_what_the_same_transaction_stores(client: FlaskClient) -> None:
    sent = (
        entry("PUT", f"Observation?subject={URN}&code=2093-3", observation(URN)),
        entry("POST", "Patient", patient(identifier=MRN), fullUrl=URN, ifNoneExist=MINE),
        entry("POST", "Condition", condition(), ifNoneExist=f"subject={URN}"),
    )
    first, second = post(client, *sent), post(client, *sent)
    assert (statuses(first), statuses(second)) == (["201"] * 3, ["200"] * 3)
    assert [located(second, number) for number in range(3)] == [located(first, number) for number in range(3)]
    assert client.get(f"/fhir/{located(first, 0)}").headers["ETag"] == 'W/"1"'
    assert client.get("/fhir/_history?_count=0").json["total"] == 3


def condition() -> dict[str, Any]:
    return {"resourceType": "Condition", "subject": {"reference": URN}}


def test_conditions_that_wait_for_one_another_are_refused(client: FlaskClient) -> None:
    other = URN.replace("1", "2")
    answer = post(
        client,
        entry("POST", "Observation", observation(URN), fullUrl=other, ifNoneExist=f"subject={URN}"),
        entry("POST", "Observation", observation(URN), fullUrl=URN, ifNoneExist=f"subject={other}"),
    )
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (412, ["Bundle.entry[0]"])


@pytest.mark.parametrize(
    "others",
    [
        [entry("PUT", "Patient/p", patient(id="p", identifier=MRN))],
        [PATCH],
        [entry("PATCH", "Patient/p", MALE)],
        [entry("PUT", f"Patient?{MINE}&birthdate=1960-05-04", patient(identifier=MRN))],
    ],
)
def test_two_entries_about_one_resource_are_400_however_they_name_it(
    client: FlaskClient, others: list[dict[str, Any]]
) -> None:
    given(client, "p")
    assert post(client, UPDATE, *others).status_code == 400
    assert client.get("/fhir/Patient/p").headers["ETag"] == 'W/"1"'


def test_a_deletion_comes_before_a_condition_is_looked_for(client: FlaskClient) -> None:
    given(client, "p")
    answer = post(client, entry("PUT", f"Patient?{MINE}&nonsense=1", patient(identifier=MRN)), DELETE)
    assert answer.status_code == 400  # a parameter that is not offered
    made = post(client, entry("PUT", f"Patient?{MINE}", patient(identifier=MRN)), entry("DELETE", "Patient/p"))
    assert statuses(made) == ["201", "204"]
    assert located(made, 0) != "Patient/p"


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/Patient/a"), ("PATCH", "/Patient/a"), ("DELETE", "/Patient/a"), ("POST", "/Patient"), ("POST", "/")],
)
def test_a_search_beside_an_id_would_not_hold_and_is_refused(client: FlaskClient, method: str, path: str) -> None:
    given(client, "a")
    sent = {"PATCH": MALE, "POST": patient() if path != "/" else transaction(entry("POST", "Patient", patient()))}
    data = body(sent.get(method, patient(id="a", gender="other")))
    answer = client.open(f"/fhir{path}?identifier=nobody", method=method, data=data, headers=JSON)
    assert (answer.status_code, answer.json["issue"][0]["code"]) == (400, "not-supported")
    assert client.get("/fhir/Patient").json["total"] == 1
    assert client.get("/fhir/Patient/a").headers["ETag"] == 'W/"1"'
    again = client.open(f"/fhir{path}?_format=json&_pretty=true", method=method, data=data, headers=JSON)
    assert again.status_code in (200, 201, 204)
