"""How results are given: order, pages, totals, summaries, and what is said about the search."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from tests import parts
from tests.interactions.test_search_type import JSON, store
from tests.parts import BASE, body, observation, patient

FORM = "application/x-www-form-urlencoded"
SUBSETTED = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"


def ordered(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"/fhir/{query}")
    assert answer.status_code == 200, answer.text
    return [one["resource"]["id"] for one in answer.json.get("entry", ())]


def pages(client: FlaskClient, query: str) -> Iterator[dict]:
    """The pages of a search, one after the other, along their links."""
    url = f"/fhir/{query}"
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        assert validate(codec.decode(answer.data), type="Bundle") == []
        yield answer.json
        links = {link["relation"]: link["url"] for link in answer.json["link"]}
        url = links.get("next", "").removeprefix("http://fhir.test")


@pytest.fixture
def people(client: FlaskClient) -> FlaskClient:
    store(
        client,
        patient(id="a", name=[{"family": "Zoe", "given": ["Ann"]}], birthDate="1960", gender="male"),
        patient(id="b", name=[{"family": "Émil"}, {"family": "Adam"}], birthDate="1950-05"),
        patient(id="c", name=[{"family": "Emil"}], birthDate="1960-01-01"),
        patient(id="d", name=[{"text": "?"}]) | {"birthDate": "1970"},
    )
    return client


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("_id", "abcd"),
        ("-_id", "dcba"),
        ("family", "bcad"),
        ("-family", "abcd"),
        ("birthdate", "bacd"),
        ("-birthdate", "dacb"),
        ("birthdate,-_id", "bcad"),
        ("gender,family", "bcda"),
        ("-gender,-birthdate", "adcb"),
        ("_lastUpdated,_id", "abcd"),
    ],
)
def test_sorting(people: FlaskClient, keys: str, expected: str) -> None:
    assert "".join(ordered(people, f"Patient?_sort={keys}")) == expected
    one_by_one = [
        one["resource"]["id"] for page in pages(people, f"Patient?_sort={keys}&_count=1") for one in page["entry"]
    ]
    assert "".join(one_by_one) == expected


def test_sorting_by_numbers_quantities_codes_references_and_uris(client: FlaskClient) -> None:
    for number, (value, unit) in enumerate(((5, "g"), (400, "mg"), (3, "kg"))):
        amount = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        subject, code = f"Patient/{'cab'[number]}", f"c{(number + 1) % 3}"
        store(client, observation(subject, code, id=f"o{number}", valueQuantity=amount))
        url = f"http://sets.test/{'cab'[number]}"
        store(client, {"resourceType": "ValueSet", "id": f"v{number}", "status": "active", "url": url})
        prediction = [{"probabilityDecimal": 1 - number / 10}]
        risk = {"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": "Patient/p"}}
        store(client, {**risk, "id": f"r{number}", "prediction": prediction})
    store(client, observation("Patient/d", "c9", id="none", valueQuantity=None))
    assert ordered(client, "Observation?_sort=value-quantity") == ["o1", "o0", "o2", "none"]
    assert ordered(client, "Observation?_sort=-value-quantity") == ["o2", "o0", "o1", "none"]
    assert ordered(client, "Observation?_sort=patient") == ["o1", "o2", "o0", "none"]
    assert ordered(client, "Observation?_sort=-code") == ["none", "o1", "o0", "o2"]
    assert ordered(client, "ValueSet?_sort=url") == ["v1", "v2", "v0"]
    assert ordered(client, "RiskAssessment?_sort=probability") == ["r2", "r1", "r0"]


@pytest.mark.parametrize("sort", ["value-quantity", "-value-quantity"])
def test_pages_go_on_behind_what_is_too_large_to_compare(client: FlaskClient, sort: str) -> None:
    for id_, value, more in (("a", "9e308", {}), ("b", "1e308", {"code": "kg"}), ("c", "-9e308", {}), ("d", "1", {})):
        amount = {"value": 0, "system": "http://unitsofmeasure.org", "code": "g"} | more
        sent = body(observation("Patient/p", id=id_, valueQuantity=amount)).replace(
            b'"value": 0', b'"value": ' + value.encode()
        )
        assert value.encode() in sent
        assert client.put(f"/fhir/Observation/{id_}", data=sent, headers=JSON).status_code == 201
    found = [
        one["resource"]["id"] for page in pages(client, f"Observation?_sort={sort}&_count=1") for one in page["entry"]
    ]
    assert found == (["c", "d", "a", "b"] if sort == "value-quantity" else ["a", "b", "d", "c"])


@pytest.mark.parametrize("name", ["_sort=name", "_count=1", "_summary=true", "_elements=name", "_total=none"])
def test_a_result_parameter_that_is_no_include_is_given_once(people: FlaskClient, name: str) -> None:
    assert people.get(f"/fhir/Patient?{name}&{name}").status_code == 400
    assert people.post(f"/fhir/Patient/_search?{name}", data=name, content_type=FORM).status_code == 400


@pytest.mark.parametrize("value", ["M%FCller", "M%C3ller", "%ED%A0%80"])
def test_a_value_in_another_encoding_is_refused(people: FlaskClient, value: str) -> None:
    assert people.get(f"/fhir/Patient?name={value}").status_code == 400
    assert people.get(f"/fhir/Patient/_history?_since={value}").status_code == 400
    assert people.delete(f"/fhir/Patient?name={value}").status_code == 400
    assert people.post("/fhir/Patient/_search", data=f"name={value}", content_type=FORM).status_code == 400
    headers = JSON | {"If-None-Exist": f"name={value}"}
    assert people.post("/fhir/Patient", data=body(patient()), headers=headers).status_code == 400


def test_a_chain_and_an_order_go_together(people: FlaskClient) -> None:
    store(people, *(observation(f"Patient/{whose}", id=f"o{whose}") for whose in "cab"))
    assert ordered(people, "Observation?patient.birthdate=1960&_sort=-patient") == ["oc", "oa"]


@pytest.mark.parametrize("sort", ["", "&_sort=birthdate", "&_sort=-birthdate,family"])
def test_pages_are_stable_while_others_write(client: FlaskClient, sort: str) -> None:
    born = {f"p{number}": f"19{60 + number * 7 % 10}" for number in range(9)}
    store(client, *(patient(id=id_, birthDate=year) for id_, year in born.items()))
    expected = ordered(client, f"Patient?gender=female{sort}")
    seen: list[str] = []
    totals: list[int] = []
    for number, page in enumerate(pages(client, f"Patient?gender=female&_count=2{sort}")):
        shown = [one["resource"]["id"] for one in page["entry"]]
        seen += shown
        totals.append(page["total"])
        # New ones on both sides of the page's end, a change of another element, and the end itself deleted.
        store(client, *(patient(id=f"n{number}{year}", birthDate=str(year)) for year in (1900, 1965, 2020)))
        store(client, patient(id=seen[0], birthDate=born[seen[0]], active=number % 2 == 0))
        client.delete(f"/fhir/Patient/{shown[-1]}")
    assert seen == expected
    assert totals == [9] * 5


def test_a_deleted_resource_is_on_no_page_that_was_not_read_yet(client: FlaskClient) -> None:
    store(client, *(patient(id=f"p{number}") for number in range(4)))
    read = []
    for page in pages(client, "Patient?_count=2&_sort=_id"):
        read += [one["resource"]["id"] for one in page["entry"]]
        client.delete("/fhir/Patient/p3")
    assert read == ["p0", "p1", "p2"]


def test_the_last_page_has_no_next_even_when_it_is_full(people: FlaskClient) -> None:
    relations = [[link["relation"] for link in page["link"]] for page in pages(people, "Patient?_count=2")]
    assert relations == [["self", "next"], ["self"]]


def test_a_page_belongs_to_the_order_it_was_made_for(people: FlaskClient) -> None:
    first = next(pages(people, "Patient?_count=1&_sort=family"))
    place = re.search(r"_page=([^&]+)", first["link"][1]["url"])
    assert place
    assert people.get(f"/fhir/Patient?_count=1&_page={place[1]}").status_code == 400


@pytest.mark.parametrize(
    ("query", "total", "entries"),
    [
        ("_total=accurate&_count=1", 4, 1),
        ("_total=estimate&_count=1", 4, 1),
        ("_total=none&_count=1", None, 1),
        ("_total=none", None, 4),
        ("_summary=count", 4, 0),
        ("_count=0", 4, 0),
        ("_summary=count&name=nobody", 0, 0),
    ],
)
def test_totals(people: FlaskClient, query: str, total: int | None, entries: int) -> None:
    answer = people.get(f"/fhir/Patient?{query}").json
    assert (answer.get("total"), len(answer.get("entry", ()))) == (total, entries)
    assert validate(answer, type="Bundle") == []


RICH = patient(
    id="rich",
    text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Ann</div>'},
    meta={"tag": [{"code": "kept"}]},
    name=[{"family": "Ann"}],
    _birthDate={"extension": [{"url": "http://x.test", "valueDecimal": 0.10}]},
    maritalStatus={"text": "x"},
    communication=[{"language": {"text": "de"}, "preferred": True}],
    link=[{"other": {"reference": "Patient/b"}, "type": "seealso", "id": "1"}],
)


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("_summary=true", {"name", "gender", "birthDate", "_birthDate", "link"}),
        ("_summary=text", {"text"}),
        ("_summary=data", {"name", "gender", "birthDate", "_birthDate", "maritalStatus", "communication", "link"}),
        ("_elements=birthDate,maritalStatus", {"birthDate", "_birthDate", "maritalStatus"}),
        ("_elements=id", set()),
    ],
)
def test_parts_of_resources_are_valid_and_tagged_as_parts(client: FlaskClient, query: str, left: set[str]) -> None:
    store(client, RICH)
    answer = client.get(f"/fhir/Patient?{query}")
    (resource,) = (one["resource"] for one in answer.json["entry"])
    assert set(resource) - {"resourceType", "id", "meta"} == left
    assert [tag["code"] for tag in resource["meta"]["tag"]] == ["kept", "SUBSETTED"]
    assert resource["meta"]["tag"][-1]["system"] == SUBSETTED
    assert validate(codec.decode(answer.data), type="Bundle") == []
    assert ('"valueDecimal":0.1' in answer.text) == ("_birthDate" in left)


def test_mandatory_elements_stay_and_summaries_reach_into_nested_elements(client: FlaskClient) -> None:
    part = {"code": {"text": "x"}, "valueString": "y", "referenceRange": [{"text": "z"}]}
    store(client, observation("Patient/p", id="o", valueQuantity=None, component=[part], note=[{"text": "n"}]))
    (shown,) = client.get("/fhir/Observation?_elements=component").json["entry"]
    assert set(shown["resource"]) == {"resourceType", "id", "meta", "status", "code", "component"}
    (shown,) = client.get("/fhir/Observation?_summary=true").json["entry"]
    assert "note" not in shown["resource"]
    assert shown["resource"]["component"] == [{"code": {"text": "x"}, "valueString": "y"}]


def test_a_whole_resource_is_given_with_every_byte(client: FlaskClient) -> None:
    sent = json.dumps(RICH, indent=3).replace("0.1\n", "0.10\n")
    assert client.put("/fhir/Patient/rich", data=sent, headers=JSON).status_code == 201
    kept = client.get("/fhir/Patient/rich").data
    for query in ("_summary=false", "_sort=name", "_id=rich"):
        assert kept in client.get(f"/fhir/Patient?{query}").data
    assert b"0.10" in kept


def test_links_tell_what_was_used(people: FlaskClient) -> None:
    sent = "name=e\\,m&_sort=-birthdate&_include=Patient:link&_summary=true"
    answer = people.get(f"/fhir/Patient?{sent}").json
    assert (
        answer["link"][0]["url"]
        == f"{BASE}/Patient?name=e%5C%2Cm&_sort=-birthdate&_include=Patient%3Alink&_summary=true"
    )


LENIENT = {"Prefer": "return=minimal; handling=lenient"}


def told(answer: dict) -> list[str]:
    return [
        issue["diagnostics"]
        for one in answer.get("entry", ())
        if one["search"]["mode"] == "outcome"
        for issue in one["resource"]["issue"]
    ]


def test_what_is_ignored_at_the_callers_wish_is_told_and_not_in_the_link(people: FlaskClient) -> None:
    answer = people.get("/fhir/Patient?name=ann&nonsense=1&name:nonsense=2&_sort=nonsense", headers=LENIENT).json
    texts = told(answer)
    assert len(texts) == 3 and all("onsense" in text or "_sort" in text for text in texts)
    assert [one["resource"]["id"] for one in answer["entry"] if one["search"]["mode"] == "match"] == ["a"]
    assert (answer["total"], answer["link"][0]["url"]) == (1, f"{BASE}/Patient?name=ann")
    assert validate(answer, type="Bundle") == []


def test_what_one_of_several_types_has_not_is_ignored_for_all(people: FlaskClient) -> None:
    store(people, observation("Patient/a", id="o"))
    answer = people.get("/fhir?_type=Patient,Observation&name=ann", headers=LENIENT).json
    assert (answer["total"], len(told(answer))) == (5, 1)


def test_a_value_that_cannot_be_read_is_an_error_however_lenient(people: FlaskClient) -> None:
    assert people.get("/fhir/Patient?birthdate=yesterday", headers=LENIENT).status_code == 400


def test_a_condition_is_never_read_leniently(people: FlaskClient) -> None:
    headers = {**JSON, **LENIENT, "If-None-Exist": "nonsense=1"}
    assert people.post("/fhir/Patient", data=body(patient()), headers=headers).status_code == 400


def test_the_setting_decides_where_the_caller_says_nothing(tmp_path: Path) -> None:
    made = parts.services(tmp_path, search_handling="lenient")
    client = parts.application(made).test_client()
    assert len(told(client.get("/fhir/Patient?nonsense=1").json)) == 1
    assert client.get("/fhir/Patient?nonsense=1", headers={"Prefer": "handling=strict"}).status_code == 400
    made.store.close()


def test_an_explanation_tells_the_sql_and_the_plan_and_no_value(people: FlaskClient) -> None:
    answer = people.get("/fhir/Patient?name=Rumpelstilz&_explain=true&_sort=birthdate").json
    (text,) = told(answer)
    assert "SELECT" in text and "ix_search_string_folded" in text
    assert "umpelstilz" not in text


def test_search_over_several_types(people: FlaskClient) -> None:
    store(
        people,
        observation("Patient/a", id="o", meta={"tag": [{"code": "x"}]}),
        patient(id="t", meta={"tag": [{"code": "x"}]}),
    )
    assert ordered(people, "?_tag=x") == ["o", "t"]
    assert ordered(people, "?_type=Patient&name=emil&_sort=_id") == ["b", "c"]
    assert ordered(people, "?_type=Observation,Condition&patient=a") == ["o"]
    assert ordered(people, "?_type=Patient,Observation&_id=a,o&_sort=-_id") == ["o", "a"]
    answer = people.get("/fhir?_type=Patient,Observation&_count=2").json
    links = {link["relation"]: link["url"] for link in answer["link"]}
    assert links["self"] == f"{BASE}?_type=Patient%2CObservation&_count=2"
    seen = [
        one["resource"]["id"] for page in pages(people, "?_type=Patient,Observation&_count=2") for one in page["entry"]
    ]
    assert seen == ["a", "b", "c", "d", "o", "t"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = people.post("/fhir/_search", data="_type=Observation", headers=form).json
    assert posted["total"] == 1
    for refused in ("?_type=Nonsense", "?name=x", "?_type=Patient,Observation&name=x", "?_type=Patient&_type=Group"):
        assert people.get(f"/fhir{refused}").status_code == 400, refused


def test_posted_and_escaped_values_are_the_same(people: FlaskClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = f"name={quote('Émil')}&_sort=-_id"
    answer = people.post("/fhir/Patient/_search", data=sent, headers=form).json
    assert [one["resource"]["id"] for one in answer["entry"]] == ["c", "b"]


def test_what_all_types_offer_is_in_the_capability_statement(services: Services, client: FlaskClient) -> None:
    (rest,) = client.get("/fhir/metadata").json["rest"]
    assert {"code": "search-system"} in rest["interaction"]
    (of_patients,) = (one for one in rest["resource"] if one["type"] == "Patient")
    assert "Patient:organization" in of_patients["searchInclude"]
    assert {"name": "birthdate", "type": "date"} in of_patients["searchParam"]


def test_a_part_of_what_is_nested_as_deep_as_the_setting_allows(tmp_path: Path) -> None:
    services = parts.services(tmp_path, max_depth=100)
    client = parts.application(services).test_client()
    inner: dict = {"url": "http://x.test", "valueString": "x"}
    for _ in range(40):
        inner = {"url": "http://x.test", "extension": [inner]}
    store(client, patient(id="deep", extension=[inner]))
    found = [client.get(f"/fhir/Patient{path}").status_code for path in ("?_summary=data", "/deep?_elements=extension")]
    services.store.close()
    assert found == [200, 200]
