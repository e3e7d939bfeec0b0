"""From one resource to another: chains, reverse chains, Lists and includes."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.interactions.test_search_type import ids, store
from tests.parts import condition, observation, patient


def found(client: FlaskClient, query: str) -> str:
    type_, _, sent = query.partition("?")
    return " ".join(sorted(ids(client, f"{type_}?{quote(sent, safe='=&')}")))


def encounter(id_: str, **members: object) -> dict:
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        **members,
    }


@pytest.fixture
def ward(client: FlaskClient) -> FlaskClient:
    store(
        client,
        {"resourceType": "Organization", "id": "top", "name": "Holding"},
        {"resourceType": "Organization", "id": "org", "name": "Clinic", "partOf": {"reference": "Organization/top"}},
        patient(id="ann", name=[{"family": "Ann"}], managingOrganization={"reference": "Organization/org"}),
        patient(id="ben", name=[{"family": "Ben"}], gender="male"),
        {"resourceType": "Group", "id": "grp", "type": "person", "actual": True, "code": {"text": "x"}},
        encounter("e", subject={"reference": "Patient/ann"}, serviceProvider={"reference": "Organization/org"}),
        observation("Patient/ann", id="o1", encounter={"reference": "Encounter/e"}),
        observation("Patient/ann", "2160-0", id="o2", hasMember=[{"reference": "Observation/o1"}]),
        observation("Patient/ben", id="o3"),
        observation("Group/grp", id="o4"),
        condition("Patient/ben", id="c1"),
        {
            "resourceType": "List",
            "id": "l",
            "status": "current",
            "mode": "working",
            "entry": [{"item": {"reference": "Observation/o1"}}, {"item": {"reference": "Patient/ben"}}],
        },
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Observation?subject:Patient.name=ann", "o1 o2"),
        ("Observation?patient.name=ben", "o3"),
        ("Observation?subject.name=ann", "o1 o2"),
        ("Observation?subject.identifier:missing=true", "o1 o2 o3 o4"),
        ("Observation?subject:Group._id=grp", "o4"),
        ("Observation?patient.name=ann&code=2160-0", "o2"),
        ("Observation?patient.name=ann,ben&code:not=2160-0", "o1 o3"),
        ("Observation?patient.name:exact=ann", ""),
        ("Observation?patient.birthdate=lt1961&encounter.class=AMB", "o1"),
        ("Observation?patient.organization.name=clinic", "o1 o2"),
        ("Observation?patient.organization.partof.name=holding", "o1 o2"),
        ("Observation?encounter.patient.organization.name=clinic", "o1"),
        ("Patient?_has:Observation:patient:code=2160-0", "ann"),
        ("Patient?_has:Observation:patient:code=2093-3", "ann ben"),
        ("Patient?_has:Observation:patient:code=2093-3&_has:Condition:patient:code=44054006", "ben"),
        ("Patient?_has:Observation:subject:code=2093-3,2160-0&gender=male", "ben"),
        ("Patient?_has:Observation:patient:encounter.class=AMB", "ann"),
        ("Organization?_has:Patient:organization:_has:Observation:patient:code=2160-0", "org"),
        ("Observation?patient._has:Condition:patient:code=44054006", "o3"),
        ("Observation?_list=l", "o1"),
        ("Patient?_list=List/l", "ben"),
        ("Patient?_list=nosuch,l", "ben"),
        ("Observation?_list=l&code=2160-0", ""),
    ],
)
def test_chains(ward: FlaskClient, query: str, expected: str) -> None:
    assert found(ward, query) == expected


def test_a_chain_does_not_lead_over_what_is_deleted(ward: FlaskClient) -> None:
    assert ward.delete("/fhir/Observation/o3").status_code in (200, 204)
    assert found(ward, "Patient?_has:Observation:patient:code=2093-3") == "ann"
    assert ward.delete("/fhir/List/l").status_code in (200, 204)
    assert found(ward, "Observation?_list=l") == ""


def test_a_chain_leads_along_canonicals(client: FlaskClient) -> None:
    library = {"resourceType": "Library", "id": "lib", "status": "active", "type": {"text": "x"}}
    store(
        client,
        {**library, "url": "http://libs.test/one", "title": "First"},
        {
            "resourceType": "PlanDefinition",
            "id": "plan",
            "status": "active",
            "relatedArtifact": [{"type": "depends-on", "resource": "http://libs.test/one|1.0"}],
        },
    )
    assert found(client, "PlanDefinition?depends-on:Library.title=first") == "plan"
    assert found(client, "PlanDefinition?depends-on=http://libs.test/one") == "plan"
    assert along(client, "PlanDefinition?_include=PlanDefinition:depends-on") == ("plan", "Library/lib")


def along(client: FlaskClient, query: str) -> tuple[str, str]:
    """Ids of the matches, and type and id of what comes along."""
    answer = client.get(f"/fhir/{query}")
    assert answer.status_code == 200, answer.text
    said: dict[str, list[str]] = {"match": [], "include": []}
    for one in answer.json.get("entry", ()):
        resource = one["resource"]
        mode = one["search"]["mode"]
        said[mode].append(resource["id"] if mode == "match" else f"{resource['resourceType']}/{resource['id']}")
    assert answer.json["total"] == len(said["match"])
    return " ".join(sorted(said["match"])), " ".join(sorted(said["include"]))


@pytest.mark.parametrize(
    ("query", "matches", "included"),
    [
        ("Observation?_id=o1&_include=Observation:subject", "o1", "Patient/ann"),
        ("Observation?_include=Observation:subject", "o1 o2 o3 o4", "Group/grp Patient/ann Patient/ben"),
        ("Observation?_include=Observation:subject:Group", "o1 o2 o3 o4", "Group/grp"),
        ("Observation?_id=o2&_include=Observation:has-member", "o2", "Observation/o1"),
        ("Observation?_include=Observation:has-member", "o1 o2 o3 o4", ""),
        ("Observation?_id=o1&_include=*", "o1", "Encounter/e Patient/ann"),
        ("Observation?_id=o1&_include=Observation:*", "o1", "Encounter/e Patient/ann"),
        (
            "Observation?_id=o1&_include=Observation:subject&_include:iterate=Patient:organization",
            "o1",
            "Organization/org Patient/ann",
        ),
        (
            "Observation?_id=o1&_include=Observation:subject&_include:iterate=Patient:organization"
            "&_include:iterate=Organization:partof",
            "o1",
            "Organization/org Organization/top Patient/ann",
        ),
        ("Observation?_id=o1&_include:iterate=*", "o1", "Encounter/e Organization/org Organization/top Patient/ann"),
        ("Patient?_id=ben&_revinclude=Observation:subject", "ben", "Observation/o3"),
        ("Patient?_id=ben&_revinclude=Observation:*&_revinclude=Condition:*", "ben", "Condition/c1 Observation/o3"),
        ("Patient?_id=ben&_revinclude=*", "ben", "Condition/c1 List/l Observation/o3"),
        (
            "Organization?_id=top&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization",
            "top",
            "Organization/org Patient/ann",
        ),
        ("Observation?_id=o2&_revinclude=Observation:has-member", "o2", ""),
        ("Patient?_id=nobody&_revinclude=Observation:subject", "", ""),
    ],
)
def test_includes(ward: FlaskClient, query: str, matches: str, included: str) -> None:
    assert along(ward, query) == (matches, included)


def test_what_comes_along_is_neither_counted_nor_repeated(ward: FlaskClient) -> None:
    answer = ward.get("/fhir/Observation?_count=2&_include=Observation:subject&_sort=_id").json
    assert answer["total"] == 4
    assert [one["search"]["mode"] for one in answer["entry"]] == ["match", "match", "include"]
    assert {link["relation"] for link in answer["link"]} == {"self", "next"}


def test_iterating_ends_where_references_go_in_a_circle(client: FlaskClient) -> None:
    store(
        client,
        {"resourceType": "Organization", "id": "a", "name": "A", "partOf": {"reference": "Organization/b"}},
        {"resourceType": "Organization", "id": "b", "name": "B", "partOf": {"reference": "Organization/a"}},
    )
    assert along(client, "Organization?_id=a&_include:iterate=Organization:partof") == ("a", "Organization/b")
