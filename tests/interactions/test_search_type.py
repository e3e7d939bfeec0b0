from __future__ import annotations

from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from tests.parts import BASE, body, condition, entry, observation, patient, transaction

pytestmark = pytest.mark.databases

JSON = {"Content-Type": "application/fhir+json"}


def store(client: FlaskClient, *resources: dict) -> None:
    entries = [entry("PUT", f"{one['resourceType']}/{one['id']}", one) for one in resources]
    assert client.post("/fhir", data=body(transaction(*entries)), headers=JSON).status_code == 200


def ids(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"/fhir/{query}")
    assert answer.status_code == 200, answer.data
    found = [one["resource"]["id"] for one in answer.json.get("entry", [])]
    assert answer.json["total"] == len(found)
    return found


@pytest.fixture
def people(client: FlaskClient) -> FlaskClient:
    store(
        client,
        patient(
            id="a",
            name=[{"family": "Müller", "given": ["Ann", "O'Neil"]}],
            birthDate="1960-05-04",
            identifier=[{"system": "urn:mrn", "value": "x|1"}, {"value": "plain"}],
        ),
        patient(
            id="b", name=[{"text": "Mulder, Ben"}], birthDate="1960", identifier=[{"system": "urn:mrn", "value": "X|1"}]
        ),
        patient(id="c", name=[{"family": "Smith"}], birthDate="1960-05"),
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_id=a", "a"),
        ("_id=a,c", "ac"),
        ("_id=A", ""),
        ("name=mul", "ab"),
        ("name=MÜL", "ab"),
        ("name=o'neil", "a"),
        ("name=ller", ""),
        ("name:contains=ller", "a"),
        ("name:contains=%", ""),
        ("name:exact=Müller", "a"),
        ("name:exact=muller", ""),
        ("name=mulder\\,", "b"),
        ("name=mul&name=ann", "a"),
        ("name=smith,ann", "ac"),
        ("identifier=urn:mrn|x\\|1", "a"),
        ("identifier=X\\|1", "b"),
        ("identifier=urn:mrn|", "ab"),
        ("identifier=|plain", "a"),
        ("identifier=|x\\|1", ""),
        ("birthdate=1960", "abc"),
        ("birthdate=1960-05", "ac"),
        ("birthdate=1960-05-04", "a"),
        ("birthdate=ne1960-05", "b"),
        ("birthdate=gt1960-05", "b"),
        ("birthdate=lt1960-05-04", "bc"),
        ("birthdate=ge1960-05", "abc"),
        ("birthdate=le1960-05-04", "abc"),
        ("birthdate=sa1960-05-03", "a"),
        ("birthdate=eb1960-06", "ac"),
        ("birthdate=ge1960-05-04&birthdate=le1960-05-04", "abc"),
        ("birthdate=ap1961", "abc"),
        ("birthdate=ap2020", ""),
    ],
)
def test_patients_are_found_as_r4_says(people: FlaskClient, query: str, expected: str) -> None:
    assert "".join(ids(people, f"Patient?{quote(query, safe='=&')}")) == expected


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    store(
        client,
        patient(id="p"),
        observation("Patient/p", id="o1"),
        observation(f"{BASE}/Patient/p/_history/1", "2160-0", id="o2", status="preliminary"),
        observation("http://other.test/Patient/p", id="o3"),
        observation(
            "Group/p",
            id="o4",
            effectiveDateTime=None,
            effectivePeriod={"start": "2024-01-01", "end": "2024-06-30"},
        ),
        condition("Patient/p", id="c1", onsetDateTime="2010", recordedDate="2011-02-03"),
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Observation?patient=p", ["o1", "o2"]),
        ("Observation?patient=Patient/p", ["o1", "o2"]),
        (f"Observation?patient={BASE}/Patient/p", ["o1", "o2"]),
        ("Observation?subject=p", ["o1", "o2", "o4"]),
        ("Observation?subject:Group=p", ["o4"]),
        ("Observation?subject=http://other.test/Patient/p", ["o3"]),
        ("Observation?patient=p&code=http://loinc.org|2160-0", ["o2"]),
        ("Observation?code=2093-3,2160-0&patient=p", ["o1", "o2"]),
        ("Observation?status=final", ["o1", "o3", "o4"]),
        ("Observation?status=http://hl7.org/fhir/observation-status|preliminary", ["o2"]),
        ("Observation?status=|preliminary", ["o2"]),
        ("Observation?status=urn:x|preliminary", []),
        ("Observation?date=2024-03-01&patient=p", ["o1", "o2"]),
        ("Observation?date=2024-03-01T11:00:00%2B01:00", ["o1", "o2", "o3"]),
        ("Observation?date=gt2024-06-01", ["o4"]),
        ("Observation?_id=o1&patient=p", ["o1"]),
        ("Condition?patient=p&code=44054006&clinical-status=active", ["c1"]),
        ("Condition?onset-date=2010&recorded-date=2011-02", ["c1"]),
        ("MedicationRequest?patient=p", []),
        ("RiskAssessment?patient=p&date=ge2020", []),
    ],
)
def test_records_are_found_as_r4_says(record: FlaskClient, query: str, expected: list[str]) -> None:
    assert ids(record, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "Patient?nonsense=1",
        "Patient?name:text=x",
        "Patient?name:missing=perhaps",
        "Patient?gender:above=male",
        "Patient?birthdate:exact=2020",
        "Patient?identifier:of-type=a|b",
        "Patient?gender.name=x",
        "Patient?organization.nonsense=x",
        "Patient?organization:Patient.name=x",
        "Patient?link:Nonsense.name=x",
        "Patient?_has:Observation:patient=1",
        "Patient?_has:Nonsense:patient:code=1",
        "Patient?_has:Observation:code:status=1",
        "Patient?_has:Observation:encounter:code=1",
        "Patient?_has:Observation:patient:nonsense=1",
        "Patient?_include=Patient:name",
        "Patient?_include=organization",
        "Patient?_include=Observation:subject",
        "Patient?_include:recurse=Patient:link",
        "Patient?_include=Patient:organization:Observation",
        "Patient?_revinclude=Observation:encounter",
        "Patient?_revinclude=Nonsense:subject",
        "Patient?_sort=nonsense",
        "Patient?_sort=",
        "Patient?_summary=some",
        "Patient?_summary=text&_include=Patient:organization",
        "Patient?_summary=true&_elements=name",
        "Patient?_elements=nonsense",
        "Patient?_total=some",
        "Patient?_contained=true",
        "Patient?_containedType=container",
        "Patient?_filter=name eq x",
        "Patient?_query=x",
        "Patient?_text=x",
        "Patient?_content=x",
        "Patient?_list=$current-problems",
        "Patient?phonetic=x",
        "Location?near=1|2",
        "Patient?birthdate=yesterday",
        "Patient?birthdate=2020-13",
        "Patient?birthdate=xx2020",
        "Patient?birthdate=",
        "Patient?name=a,,b",
        "Patient?name=%CC%81",
        "Patient?name=a%00b",
        "Patient?identifier=|",
        "Patient?identifier=a|b|c",
        "Patient?gender:in=http://nowhere.test/ValueSet/x",
        "Patient?_count=-1",
        "Patient?_count=many",
        "Patient?_page=1",
        "Patient?_page=WzEsbnVsbCwxLFtdLDFd",
        "RiskAssessment?probability=much",
        "RiskAssessment?probability=0x10",
        "RiskAssessment?probability=5|s|c",
        "RiskAssessment?probability=1e99999",
        "Observation?value-quantity=5|mg",
        "Observation?value-quantity=|s|mg",
        "Observation?code-value-quantity=x",
        "Observation?code-value-quantity=x$",
        "Observation?code-value-quantity=x$5$6",
        "Condition?date=2020",
        "RiskAssessment?status=final",
        "Observation?patient=a%20b",
        "Observation?patient:Group=Patient/p",
        "Observation?subject:Nonsense=p",
    ],
)
def test_what_is_not_understood_is_400_and_never_ignored(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/fhir/{query}")
    assert answer.status_code == 400
    assert answer.json["issue"][0]["code"] in ("invalid", "not-supported")


def test_too_many_values_or_parameters_are_413(client: FlaskClient) -> None:
    assert client.get(f"/fhir/Patient?name={','.join('x' * 101)}").status_code == 413
    assert client.get(f"/fhir/Patient?{'&'.join(['name=x'] * 31)}").status_code == 413


def test_the_text_of_an_error_repeats_no_value(client: FlaskClient) -> None:
    for query in (
        "Patient?birthdate=Rumpelstilz",
        "Observation?patient=Rumpel%20stilz",
        "Patient?identifier=Rumpelstilz|a|b",
    ):
        assert b"Rumpel" not in client.get(f"/fhir/{query}").data


def test_pages_are_stable_while_others_write(client: FlaskClient) -> None:
    store(client, *(patient(id=f"p{number}") for number in range(5)))
    seen: list[str] = []
    totals: list[int] = []
    url = "/fhir/Patient?_count=2"
    for page in range(3):
        answer = client.get(url).json
        seen += [one["resource"]["id"] for one in answer["entry"]]
        totals.append(answer["total"])
        store(client, patient(id=f"new{page}"), patient(id="p0", active=page == 1))
        following = [link["url"] for link in answer["link"] if link["relation"] == "next"]
        url = following[0].removeprefix(BASE.removesuffix("/fhir")) if following else ""
    assert seen == ["p0", "p1", "p2", "p3", "p4"]
    assert totals == [5, 5, 5]
    assert url == ""


def test_a_page_is_valid_fhir(people: FlaskClient) -> None:
    for query in ("_count=1", "name=nobody", "_count=0"):
        assert validate(codec.decode(people.get(f"/fhir/Patient?{query}").data), type="Bundle") == []


def test_count_0_tells_the_total_alone(people: FlaskClient) -> None:
    answer = people.get("/fhir/Patient?_count=0").json
    assert (answer["total"], "entry" in answer) == (3, False)


def test_self_link_says_what_was_understood(people: FlaskClient) -> None:
    answer = people.get("/fhir/Patient?name=mul&_count=1&_format=json").json
    links = {link["relation"]: link["url"] for link in answer["link"]}
    assert links["self"] == f"{BASE}/Patient?_format=json&name=mul&_count=1"
    assert links["next"].startswith(f"{BASE}/Patient?_format=json&name=mul&_count=1&_page=")
    assert answer["entry"][0]["fullUrl"] == f"{BASE}/Patient/a"
    assert answer["entry"][0]["search"] == {"mode": "match"}


def test_search_by_post_is_the_same(people: FlaskClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = people.post("/fhir/Patient/_search?birthdate=1960-05", data="name=mul", headers=form)
    assert [one["resource"]["id"] for one in answer.json["entry"]] == ["a"]
    assert people.post("/fhir/Patient/_search", data=b"{}", headers=JSON).status_code == 415


def test_a_write_is_visible_to_the_next_search_and_an_update_replaces_index_rows(people: FlaskClient) -> None:
    store(people, patient(id="a", name=[{"family": "Jones"}]))
    assert ids(people, "Patient?name=jones") == ["a"]
    assert ids(people, "Patient?name=ann") == []


def test_every_type_can_be_searched_by_id_and_identifier(client: FlaskClient) -> None:
    store(client, {"resourceType": "Practitioner", "id": "d", "identifier": [{"system": "urn:npi", "value": "1"}]})
    assert ids(client, "Practitioner?identifier=urn:npi|1&_id=d") == ["d"]
