from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Forbidden
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.history import history
from fhirtwin.store import index
from fhirtwin.twin.state import StoredVersion
from tests.parts import BASE, body, observation, patient

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}
P = "/fhir/Patient/p"


def put(client: FlaskClient, id_: str, **members: Any) -> None:
    client.put(f"/fhir/Patient/{id_}", data=body(patient(id=id_, **members)), headers=JSON)


def told(bundle: dict[str, Any]) -> list[tuple[str, str]]:
    """Path and version of each entry."""
    return [
        (entry["fullUrl"].removeprefix(f"{BASE}/"), entry["response"]["etag"][3:-1])
        for entry in bundle.get("entry", ())
    ]


def following(client: FlaskClient, bundle: dict[str, Any]) -> dict[str, Any] | None:
    """The page that the link `next` leads to."""
    for link in bundle["link"]:
        if link["relation"] == "next":
            answer = client.get(link["url"].replace(BASE, "/fhir"))
            assert answer.status_code == 200, answer.data
            return dict(answer.json)
    return None


@pytest.fixture
def lived(client: FlaskClient) -> str:
    """A Patient who was stored, changed, deleted and brought back."""
    put(client, "p")
    put(client, "p", gender="male")
    client.delete(P)
    put(client, "p", gender="other")
    return P


def test_the_history_of_a_resource_tells_everything_newest_first(client: FlaskClient, lived: str) -> None:
    answer = client.get(f"{lived}/_history")
    bundle = answer.json
    assert (answer.status_code, bundle["type"], bundle["total"]) == (200, "history", 4)
    assert validate(codec.decode(answer.data), type="Bundle") == []
    requests = [(entry["request"]["method"], entry["request"]["url"]) for entry in bundle["entry"]]
    assert requests == [("PUT", "Patient/p"), ("DELETE", "Patient/p"), ("PUT", "Patient/p"), ("POST", "Patient")]
    statuses = [entry["response"]["status"] for entry in bundle["entry"]]
    assert statuses == ["201 Created", "204 No Content", "200 OK", "201 Created"]
    assert [entry.get("resource", {}).get("gender") for entry in bundle["entry"]] == ["other", None, "male", "female"]
    assert told(bundle) == [("Patient/p", version) for version in "4321"]


def test_each_version_is_as_it_was_stored(client: FlaskClient, lived: str) -> None:
    first = client.get(f"{lived}/_history/1").data
    assert first in client.get(f"{lived}/_history").data


def test_the_history_of_a_deleted_resource_is_there(client: FlaskClient, lived: str) -> None:
    client.delete(lived)
    newest = client.get(f"{lived}/_history").json["entry"][0]
    assert (newest["request"]["method"], newest["response"]["etag"]) == ("DELETE", 'W/"5"')
    assert "resource" not in newest


def test_a_type_and_the_system_have_histories(client: FlaskClient, lived: str) -> None:
    put(client, "q")
    client.put("/fhir/Observation/o", data=body(observation("Patient/p", id="o")), headers=JSON)
    of_type = client.get("/fhir/Patient/_history").json
    assert (of_type["total"], {path for path, _ in told(of_type)}) == (5, {"Patient/p", "Patient/q"})
    of_system = client.get("/fhir/_history").json
    assert (of_system["total"], {path for path, _ in told(of_system)} - {path for path, _ in told(of_type)}) == (
        6,
        {"Observation/o"},
    )
    times = [entry["response"]["lastModified"] for entry in of_system["entry"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("path", ["/fhir/_history", "/fhir/Patient/_history", f"{P}/_history"])
def test_pages_are_stable_while_others_write(client: FlaskClient, lived: str, path: str) -> None:
    whole = told(client.get(path).json)
    page = client.get(f"{path}?_count=1").json
    seen, totals = told(page), {page["total"]}
    while (page := following(client, page)) is not None:
        seen += told(page)
        totals.add(page["total"])
        put(client, "p", multipleBirthInteger=len(seen))
    assert (seen, totals) == (whole, {4})


def test_versions_of_one_moment_are_paged_through_one_by_one(client: FlaskClient, services: Services) -> None:
    with services.store.write() as write:
        for id_ in "abc":
            for version in (1, 2):
                stored = StoredVersion("Patient", id_, version, "2026-01-01T00:00:00.000Z", body(patient(id=id_)))
                write.put(stored, index.Rows(), None)
    page = client.get("/fhir/_history?_count=1").json
    seen = told(page)
    while (page := following(client, page)) is not None:
        seen += told(page)
    assert seen == [(f"Patient/{id_}", version) for id_ in "cba" for version in "21"]


def test_a_clock_that_was_set_back_does_not_turn_versions_round(client: FlaskClient, services: Services) -> None:
    with services.store.write() as write:
        for version, day in ((1, "02"), (2, "01")):
            stored = StoredVersion("Patient", "p", version, f"2026-01-{day}T00:00:00.000Z", body(patient(id="p")))
            write.put(stored, index.Rows(), None)
    page = client.get(f"{P}/_history?_count=1").json
    assert told(page) == [("Patient/p", "2")]
    assert told(following(client, page) or {}) == [("Patient/p", "1")]


def test_since_leaves_out_what_is_older(client: FlaskClient, services: Services) -> None:
    with services.store.write() as write:
        for version, second in enumerate(("00.000", "00.500", "01.000"), start=1):
            stored = StoredVersion("Patient", "p", version, f"2026-01-01T00:00:{second}Z", body(patient(id="p")))
            write.put(stored, index.Rows(), None)

    def versions(since: str) -> str:
        found = client.get("/fhir/Patient/_history", query_string={"_since": since}).json
        assert found["total"] == len(found.get("entry", ()))
        return "".join(version for _, version in told(found))

    assert versions("2026") == "321"
    assert versions("2026-01-01T00:00:00.5Z") == "32"
    assert versions("2026-01-01T01:00:00.501+01:00") == "3"
    assert versions("2026-01-02") == ""


def test_since_holds_on_every_page(client: FlaskClient, services: Services) -> None:
    with services.store.write() as write:
        for version in range(1, 5):
            stored = StoredVersion("Patient", "p", version, f"2026-01-0{version}T00:00:00.000Z", body(patient(id="p")))
            write.put(stored, index.Rows(), None)
    page = client.get("/fhir/_history?_since=2026-01-02&_count=1").json
    seen = told(page)
    while (page := following(client, page)) is not None:
        seen += told(page)
    assert seen == [("Patient/p", version) for version in "432"]


def test_count_zero_gives_the_total_alone(client: FlaskClient, lived: str) -> None:
    bundle = client.get(f"{lived}/_history?_count=0").json
    assert (bundle["total"], "entry" in bundle, len(bundle["link"])) == (4, False, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fhir/Patient/none/_history", 404),
        ("/fhir/Nonsense/_history", 404),
        ("/fhir/patient/p/_history", 404),
        ("/fhir/_history?_at=2026", 400),
        ("/fhir/_history?nonsense=1", 400),
        ("/fhir/_history?_since=yesterday", 400),
        ("/fhir/_history?_since=2026-01-01T00:00:00+01:00", 400),
        ("/fhir/_history?_since=2025&_since=2026", 400),
        ("/fhir/_history?_count=-1", 400),
        ("/fhir/_history?_page=1", 400),
    ],
)
def test_what_cannot_be_told_is_refused(client: FlaskClient, lived: str, path: str, status: int) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json["resourceType"]) == (status, "OperationOutcome")


def test_an_empty_server_has_an_empty_history(client: FlaskClient) -> None:
    expected = {"resourceType": "Bundle", "type": "history", "total": 0}
    assert client.get("/fhir/_history").json == {
        **expected,
        "link": [{"relation": "self", "url": f"{BASE}/_history"}],
    }


@pytest.mark.parametrize(
    ("type_", "id_", "level"),
    [("Patient", "p", "history-instance"), ("Patient", "", "history-type"), ("", "", "history-system")],
)
def test_each_level_is_permitted_by_itself(services: Services, lived: str, type_: str, id_: str, level: Any) -> None:
    with pytest.raises(Forbidden):
        history(services, Caller("reader", OPEN.may - {level}), type_, id_)
    assert history(services, Caller("reader", frozenset({level})), type_, id_).status == 200
