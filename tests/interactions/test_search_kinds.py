"""Every kind of parameter, with every prefix and modifier that R4 has for it."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir.search.values import MAX_CONTAINED
from fhirtwin.store.search_tables import WINDOW
from tests.interactions.test_search_type import JSON, ids, store
from tests.parts import BASE, body, observation, patient

UCUM = "http://unitsofmeasure.org"


def found(client: FlaskClient, query: str) -> str:
    type_, _, sent = query.partition("?")
    return " ".join(sorted(ids(client, f"{type_}?{quote(sent, safe='=&')}")))


def amount(value: object, code: str, **more: object) -> dict:
    return {"value": value, "unit": code, "system": UCUM, "code": code, **more}


def measured(id_: str, **members: object) -> dict:
    made = {**observation("Patient/p", id=id_), "valueQuantity": None, "effectiveDateTime": None, **members}
    return {name: value for name, value in made.items() if value is not None}


@pytest.fixture
def quantities(client: FlaskClient) -> FlaskClient:
    store(
        client,
        measured("mg", valueQuantity=amount(5.4, "mg")),
        measured("g", valueQuantity=amount(0.0054, "g")),
        measured("kg", valueQuantity=amount(1, "kg")),
        measured("warm", valueQuantity=amount(310.15, "K")),
        measured("other", valueQuantity={"value": 5.4, "unit": "mg", "system": "urn:units", "code": "milli"}),
        measured("bare", valueQuantity={"value": 5.4}),
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"5.4|{UCUM}|mg", "g mg"),
        (f"0.0054|{UCUM}|g", "g mg"),
        (f"5400|{UCUM}|ug", "g mg"),
        (f"gt5400|{UCUM}|ug", "kg"),
        (f"ge5.4|{UCUM}|mg", "g kg mg"),
        (f"lt5.4|{UCUM}|mg", ""),
        (f"le5.4|{UCUM}|mg", "g mg"),
        (f"sa5.3|{UCUM}|mg", "g kg mg"),
        (f"eb5.5|{UCUM}|mg", "g mg"),
        (f"ne5.4|{UCUM}|mg", "kg"),
        (f"ap5|{UCUM}|mg", "g mg"),
        (f"ap4.8|{UCUM}|mg", ""),
        (f"5|{UCUM}|mg", "g mg"),
        (f"5.40|{UCUM}|mg", "g mg"),
        (f"5.401|{UCUM}|mg", ""),
        (f"37|{UCUM}|Cel", "warm"),
        (f"98.6|{UCUM}|[degF]", "warm"),
        (f"5.4|{UCUM}|no-unit", ""),
        ("5.4|urn:units|milli", "other"),
        ("5.4||mg", "mg other"),
        ("5.4||milli", "other"),
        ("5.4", "bare mg other"),
        ("5.4e0||mg", "mg other"),
        (f"5.4|{UCUM}|mg,1|{UCUM}|kg", "g kg mg"),
    ],
)
def test_quantities(quantities: FlaskClient, query: str, expected: str) -> None:
    assert found(quantities, f"Observation?value-quantity={query}") == expected


def test_a_quantity_is_missing_where_there_is_none(quantities: FlaskClient) -> None:
    store(quantities, measured("none"))
    assert found(quantities, "Observation?value-quantity:missing=true") == "none"
    assert found(quantities, "Observation?value-quantity:missing=false") == "bare g kg mg other warm"


@pytest.fixture
def probabilities(client: FlaskClient) -> FlaskClient:
    for id_, value in (("a", 0.05), ("b", 0.1), ("c", 100), ("d", 97)):
        prediction = {"probabilityDecimal": value, "outcome": {"text": "x"}}
        if value > 1:
            prediction = {"probabilityDecimal": value, "outcome": {"text": "x"}, "relativeRisk": 1}
        store(
            client,
            {
                "resourceType": "RiskAssessment",
                "id": id_,
                "status": "final",
                "subject": {"reference": "Patient/p"},
                "prediction": [prediction],
            },
        )
    return client


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.1", "a b"),  # [0.05, 0.15)
        ("0.10", "b"),
        ("0.05", "a"),
        ("100", "c"),
        ("99.5", ""),
        ("1e2", "c d"),  # R4 means [95, 105) by it
        ("ne100", "a b d"),
        ("gt0.1", "c d"),
        ("lt0.1", "a"),
        ("ge0.1", "b c d"),
        ("le0.1", "a b"),
        ("ap100", "c d"),
        ("ap106", "c d"),
        ("0.05,100", "a c"),
        ("+100", "c"),
        ("-100", ""),
    ],
)
def test_numbers(probabilities: FlaskClient, value: str, expected: str) -> None:
    assert found(probabilities, f"RiskAssessment?probability={value}") == expected


@pytest.fixture
def coded(client: FlaskClient) -> FlaskClient:
    store(
        client,
        {
            "resourceType": "ValueSet",
            "id": "lipids",
            "url": "http://sets.test/lipids",
            "status": "active",
            "compose": {
                "include": [{"system": "http://loinc.org", "concept": [{"code": "2093-3"}, {"code": "2085-9"}]}]
            },
        },
        {
            "resourceType": "ValueSet",
            "id": "all",
            "url": "http://sets.test/all",
            "status": "active",
            "compose": {"include": [{"system": "http://loinc.org"}]},
        },
        measured("ldl", code={"coding": [{"system": "http://loinc.org", "code": "2085-9", "display": "Über HDL"}]}),
        measured("text", code={"text": "Überlauf"}),
        measured("two", code={"coding": [{"code": "2093-3"}, {"system": "http://loinc.org", "code": "2093-3"}]}),
        measured("none", status="preliminary", code={"coding": [{"code": "2093-3"}]}),
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=2093-3", "none two"),
        ("code=|2093-3", "none two"),
        ("code=http://loinc.org|", "ldl two"),
        ("code:not=2093-3", "ldl text"),
        ("code:not=2093-3,2085-9", "text"),
        ("code:not=http://loinc.org|2093-3", "ldl none text"),
        ("code:text=über", "ldl text"),
        ("code:text=UBERL", "text"),
        ("code:text=hdl", ""),
        ("code:in=http://sets.test/lipids", "ldl two"),
        ("code:not-in=http://sets.test/lipids", "none text"),
        ("status:in=http://hl7.org/fhir/ValueSet/observation-status", "ldl none text two"),
        ("status:not-in=http://hl7.org/fhir/ValueSet/observation-status", ""),
        ("status=http://hl7.org/fhir/observation-status|preliminary", "none"),
        ("status=|preliminary", "none"),
        ("status:not=preliminary", "ldl text two"),
        ("_id:not=ldl,text", "none two"),
        ("code:missing=true", ""),
        ("category:missing=true", "ldl none text two"),
        ("category:not=x", "ldl none text two"),
    ],
)
def test_tokens(coded: FlaskClient, query: str, expected: str) -> None:
    assert found(coded, f"Observation?{query}") == expected


def test_a_value_set_that_names_a_whole_code_system_cannot_be_searched_in(coded: FlaskClient) -> None:
    answer = coded.get("/fhir/Observation?code:in=http://sets.test/all")
    assert (answer.status_code, answer.json["issue"][0]["code"]) == (400, "not-supported")


def test_identifiers_of_a_type(client: FlaskClient) -> None:
    def identified(id_: str, code: str, value: str) -> dict:
        kind = {"coding": [{"system": "http://types.test", "code": code}]}
        return patient(id=id_, identifier=[{"type": kind, "system": "urn:mrn", "value": value}])

    store(client, identified("a", "MR", "1"), identified("b", "SS", "1"), identified("c", "MR", "x"))
    assert found(client, "Patient?identifier:of-type=http://types.test|MR|1") == "a"
    assert found(client, "Patient?identifier=1") == "a b"
    assert found(client, "Patient?identifier:of-type=http://types.test|MR|X") == ""


@pytest.fixture
def referring(client: FlaskClient) -> FlaskClient:
    store(
        client,
        measured("local"),
        measured("group", subject={"reference": "Group/p"}),
        measured("absent", subject=None, status="final"),
        measured("logical", subject={"identifier": {"system": "urn:mrn", "value": "Abc"}, "type": "Patient"}),
        measured("away", subject={"reference": "http://other.test/Patient/p"}),
        measured("performed", performer=[{"reference": f"{BASE}/Practitioner/d"}]),
    )
    # Within a transaction such a reference would have to be resolved.
    urn = measured("urn", subject={"reference": "urn:uuid:6f2f5a2e-3a57-4b0c-9f0e-1df0e2f3a111"})
    assert client.put("/fhir/Observation/urn", data=body(urn), headers=JSON).status_code == 201
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("subject=p", "group local performed"),
        ("subject:Group=p", "group"),
        ("subject:Patient=Patient/p", "local performed"),
        ("patient=p", "local performed"),
        ("subject:missing=true", "absent"),
        ("subject:identifier=urn:mrn|Abc", "logical"),
        ("subject:identifier=Abc", "logical"),
        ("subject:identifier=urn:mrn|abc", ""),
        ("subject=urn:uuid:6f2f5a2e-3a57-4b0c-9f0e-1df0e2f3a111", "urn"),
        ("subject=http://other.test/Patient/p", "away"),
        ("performer=d", "performed"),
        (f"performer={BASE}/Practitioner/d", "performed"),
        ("subject=Patient/p,Group/p", "group local performed"),
    ],
)
def test_references(referring: FlaskClient, query: str, expected: str) -> None:
    assert found(referring, f"Observation?{query}") == expected


def defined(id_: str, url: str, **members: object) -> dict:
    return {"resourceType": "ValueSet", "id": id_, "status": "active", "url": url, **members}


@pytest.fixture
def named(client: FlaskClient) -> FlaskClient:
    store(
        client,
        defined("a", "http://acme.test/fhir/ValueSet/a"),
        defined("b", "http://acme.test/fhir/ValueSet/a/b"),
        defined("c", "http://acme.test/fhir/ValueSet/ab"),
        defined("d", "urn:oid:1.2.3"),
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("url=http://acme.test/fhir/ValueSet/a", "a"),
        ("url=http://acme.test/fhir/ValueSet/A", ""),
        ("url=urn:oid:1.2.3", "d"),
        ("url:below=http://acme.test/fhir/", "a b c"),
        ("url:below=http://acme.test/fhir/ValueSet/a/", "b"),
        ("url:below=urn:oid:1.2", ""),
        ("url:above=http://acme.test/fhir/ValueSet/a/b/_history/5", "a b"),
        ("url:above=http://acme.test/fhir/ValueSet/a", "a"),
        ("url:above=urn:oid:1.2.3", ""),
        ("url=http://acme.test/fhir/ValueSet/a,urn:oid:1.2.3", "a d"),
        ("url:missing=false", "a b c d"),
    ],
)
def test_uris(named: FlaskClient, query: str, expected: str) -> None:
    assert found(named, f"ValueSet?{query}") == expected


def test_profiles_are_found_by_their_url_with_a_version_or_without(client: FlaskClient) -> None:
    store(
        client,
        patient(id="a", meta={"profile": ["http://profiles.test/p|1.0"]}),
        patient(id="b", meta={"profile": ["http://profiles.test/p"]}),
    )
    assert found(client, "Patient?_profile=http://profiles.test/p") == "a b"
    assert found(client, "Patient?_profile=http://profiles.test/p|1.0") == "a"


def test_strings(client: FlaskClient) -> None:
    long = "x" * 300 + " needle " + "y" * 300
    store(
        client,
        patient(id="a", address=[{"city": "Zürich", "line": ["Rue de l'Été 5"]}]),
        patient(id="b", address=[{"city": "zurich-Flughafen"}]),
        patient(id="c", address=[{"text": long}]),
    )
    for query, expected in (
        ("address-city=zurich", "a b"),
        ("address-city=ZÜRICH", "a b"),
        ("address-city:exact=Zürich", "a"),
        ("address-city:exact=zürich", ""),
        ("address-city:contains=flug", "b"),
        ("address=rue de  l'été", "a"),
        ("address:contains=needle", "c"),
        ("address:contains=_", ""),
        ("address-city:missing=true", "c"),
        ("address-city=zurich&address:contains=rue", "a"),
    ):
        assert found(client, f"Patient?{query}") == expected, query
    assert found(client, f"Patient?address:exact={long}") == "c"
    assert client.get(f"/fhir/Patient?address:contains={'x' * (MAX_CONTAINED + 1)}").status_code == 413


def test_what_contains_looks_for_fits_into_the_windows_of_the_index() -> None:
    assert MAX_CONTAINED == WINDOW


@pytest.fixture
def panels(client: FlaskClient) -> FlaskClient:
    def part(code: str, value: int) -> dict:
        return {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": amount(value, "mm[Hg]"),
        }

    store(
        client,
        measured("high", component=[part("8480-6", 150), part("8462-4", 80)]),
        measured("wide", component=[part("8480-6", 110), part("8462-4", 150)]),
        measured("single", code={"coding": [{"system": "http://loinc.org", "code": "8480-6"}]})
        | {"valueQuantity": amount(150, "mm[Hg]")},
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("component-code-value-quantity=http://loinc.org|8480-6$gt140", "high"),
        ("component-code=8480-6&component-value-quantity=gt140", "high wide"),
        ("code-value-quantity=http://loinc.org|8480-6$gt140", "single"),
        ("combo-code-value-quantity=8480-6$gt140", "high single"),
        (f"combo-code-value-quantity=8480-6$gt18|{UCUM}|kPa", "high single"),
        ("component-code-value-quantity=8480-6$110,8462-4$80", "high wide"),
        ("component-code-value-quantity=8480-6$80", ""),
        ("code-value-quantity:missing=true", "high wide"),
    ],
)
def test_composites_hold_within_one_occurrence(panels: FlaskClient, query: str, expected: str) -> None:
    assert found(panels, f"Observation?{query}") == expected


@pytest.fixture
def dated(client: FlaskClient) -> FlaskClient:
    store(
        client,
        measured("day", effectiveDateTime="2024-03-01"),
        measured("zone", effectiveDateTime="2024-03-01T00:30:00+02:00"),
        measured("fine", effectiveDateTime="2024-03-01T10:00:00.1234567Z"),
        measured("open", effectivePeriod={"start": "2024-02-01"}),
        measured("until", effectivePeriod={"end": "2024-02-01"}),
    )
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("2024-03-01", "day fine"),
        ("2024-02-29", "zone"),
        ("2024-03-01T10:00:00.1234567Z", "fine"),
        ("2024-03-01T10:00:00.1234Z", "fine"),
        ("2024-03-01T10:00", "fine"),
        ("ne2024-03", "open until zone"),
        ("gt2024-03-01", "open"),
        ("lt2024-03-01", "open until zone"),
        ("ge2024-03-01", "day fine open"),
        ("le2024-02-29", "open until zone"),
        ("sa2024-02-29", "day fine"),
        ("eb2024-03-01", "until zone"),
        ("eb2024-02-01T00:00:00Z", ""),
        ("2024,2023", "day fine zone"),
    ],
)
def test_dates(dated: FlaskClient, query: str, expected: str) -> None:
    assert found(dated, f"Observation?date={query}") == expected


def test_every_resource_is_found_by_what_all_have(client: FlaskClient) -> None:
    label = {"system": "http://labels.test", "code": "R"}
    store(
        client,
        patient(id="a", meta={"tag": [{"system": "urn:t", "code": "x"}], "security": [label], "source": "urn:src:1"}),
        patient(id="b"),
    )
    for query, expected in (
        ("_tag=urn:t|x", "a"),
        ("_tag:not=urn:t|x", "b"),
        ("_security=http://labels.test|R", "a"),
        ("_source=urn:src:1", "a"),
        ("_lastUpdated=gt2020-01-01", "a b"),
        ("_lastUpdated=lt2020-01-01", ""),
        ("_lastUpdated=gt2020&_id=b", "b"),
    ):
        assert found(client, f"Patient?{query}") == expected, query


def test_the_moment_of_the_last_change_equals_itself(client: FlaskClient) -> None:
    store(client, patient(id="a"))
    moment = client.get("/fhir/Patient/a").json["meta"]["lastUpdated"]
    assert found(client, f"Patient?_lastUpdated={moment}") == "a"
    assert found(client, f"Patient?_lastUpdated=gt{moment}") == ""
    assert found(client, f"Patient?_lastUpdated=ge{moment}") == "a"
