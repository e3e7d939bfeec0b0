from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from fhirtwin.interactions.context import Services
from fhirtwin.store import index
from fhirtwin.twin.state import StoredVersion
from tests.parts import body, entry, patient, transaction

pytestmark = pytest.mark.databases

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


@pytest.fixture
def changed(client: FlaskClient, services: Services) -> str:
    """A Patient with versions of 10:00:00.250, 10:00:05.250 and 10:00:05.750."""
    with services.store.write() as write:
        for version, second in enumerate(("00.250", "05.250", "05.750"), start=1):
            data = body(patient(id="p", multipleBirthInteger=version))
            stored = StoredVersion("Patient", "p", version, f"2026-01-01T10:00:{second}Z", data)
            write.put(stored, index.Rows(), None)
    return "/fhir/Patient/p"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Thu, 01 Jan 2026 10:00:06 GMT", 304),
        ("Thursday, 01-Jan-26 10:00:06 GMT", 304),
        ("Thu Jan  1 10:00:06 2026", 304),
        ("Thu, 01 Jan 2026 10:00:05 GMT", 200),
        ("Thu, 01 Jan 2026 10:00:04 GMT", 200),
        ("2026-01-01T10:00:06Z", 200),
        ("yesterday", 200),
        ("", 200),
        ("Thu, 01 Jan 2026 10:00:99 GMT", 200),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 200),
    ],
)
def test_if_modified_since_is_304_when_nothing_newer_can_be_there(
    client: FlaskClient, changed: str, header: str, status: int
) -> None:
    answer = client.get(changed, headers={"If-Modified-Since": header})
    assert (answer.status_code, bool(answer.data)) == (status, status == 200)
    assert answer.headers["ETag"] == 'W/"3"'


def test_last_modified_can_be_sent_back(client: FlaskClient, stored: str) -> None:
    time = client.get(stored).headers["Last-Modified"]
    assert client.get(stored, headers={"If-Modified-Since": time}).status_code == 304
    client.put(stored, data=body(patient(id="p", gender="male")), headers=JSON)
    assert client.get(stored, headers={"If-Modified-Since": time}).status_code == 200


@pytest.mark.parametrize(("version", "status"), [('W/"2"', 200), ('W/"3"', 304)])
def test_if_none_match_wins_over_if_modified_since(
    client: FlaskClient, changed: str, version: str, status: int
) -> None:
    late = {"If-None-Match": version, "If-Modified-Since": "Fri, 02 Jan 2026 10:00:00 GMT"}
    early = {"If-None-Match": version, "If-Modified-Since": "Wed, 31 Dec 2025 10:00:00 GMT"}
    assert {client.get(changed, headers=headers).status_code for headers in (late, early)} == {status}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize(
    ("instant", "status"),
    [
        ("2026-01-01T10:00:05.750Z", "304 Not Modified"),
        ("2026-01-01T11:00:06+01:00", "304 Not Modified"),
        ("2026-01-01T10:00:05.749Z", "200 OK"),
        ("2026-01-01T10:00:05Z", "200 OK"),
    ],
)
def test_if_modified_since_holds_in_a_bundle(
    client: FlaskClient, changed: str, kind: str, instant: str, status: str
) -> None:
    sent = {**transaction(entry("GET", "Patient/p", ifModifiedSince=instant)), "type": kind}
    answer = client.post("/fhir", data=body(sent), headers=JSON).json["entry"][0]
    assert (answer["response"]["status"], "resource" in answer) == (status, status == "200 OK")


def test_if_modified_since_of_a_write_is_refused(client: FlaskClient) -> None:
    sent = transaction(entry("PUT", "Patient/p", patient(id="p"), ifModifiedSince="2026-01-01T10:00:05Z"))
    answer = client.post("/fhir", data=body(sent), headers=JSON)
    assert answer.json["issue"][0]["expression"] == ["Bundle.entry[0].request.ifModifiedSince"]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("_summary=true", {"resourceType", "id", "meta", "gender", "birthDate"}),
        ("_summary=text", {"resourceType", "id", "meta", "text"}),
        ("_summary=data", {"resourceType", "id", "meta", "gender", "birthDate", "maritalStatus"}),
        ("_elements=birthDate,maritalStatus", {"resourceType", "id", "meta", "birthDate", "maritalStatus"}),
    ],
)
@pytest.mark.parametrize("path", ["Patient/rich", "Patient/rich/_history/1"])
def test_a_part_of_a_resource_can_be_read(client: FlaskClient, path: str, query: str, left: set[str]) -> None:
    narrative = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    rich = patient(id="rich", gender="male", birthDate="1960", maritalStatus={"text": "m"}, text=narrative)
    client.put("/fhir/Patient/rich", data=body(rich), headers=JSON)
    answer = client.get(f"/fhir/{path}?{query}")
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"1"')
    assert set(answer.json) == left
    assert answer.json["meta"]["tag"][0]["code"] == "SUBSETTED"
    sent = transaction(entry("GET", f"{path}?{query}"))
    (inside,) = client.post("/fhir", data=body(sent), headers=JSON).json["entry"]
    assert inside["resource"] == answer.json
    assert b"SUBSETTED" in client.get(f"/fhir/{path}?{query}", headers={"Accept": "application/fhir+xml"}).data


@pytest.mark.parametrize("query", ["_summary=false", "", "_pretty=false"])
def test_the_whole_of_a_resource_is_read_with_every_byte(client: FlaskClient, stored: str, query: str) -> None:
    assert client.get(f"{stored}?{query}").data == client.get(stored).data


@pytest.mark.parametrize(
    "query",
    [
        "_summary=count",
        "_summary=most",
        "_elements=nonsense",
        "_summary=true&_elements=name",
        "_elements=id&_elements=id",
    ],
)
def test_a_part_that_cannot_be_understood_is_400(client: FlaskClient, stored: str, query: str) -> None:
    assert client.get(f"{stored}?{query}").status_code == 400
    sent = transaction(entry("GET", f"Patient/p?{query}"))
    assert client.post("/fhir", data=body(sent), headers=JSON).status_code == 400


def test_an_entry_that_reads_takes_no_search_parameter(client: FlaskClient, stored: str) -> None:
    answer = client.post("/fhir", data=body(transaction(entry("GET", "Patient/p?gender=male"))), headers=JSON)
    assert answer.status_code == 400
    assert answer.json["issue"][0]["expression"] == ["Bundle.entry[0].request.url"]
