from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from tests.interactions.operations.stored import post, put
from tests.parts import observation, patient

LOINC = "http://loinc.org"
UNKNOWN = [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]


def coded(code: str, value: str, system: str = LOINC) -> dict[str, Any]:
    return {
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueCodeableConcept": {"coding": [{"system": system, "code": value}]},
    }


def variant(
    subject: str = "Patient/p", value: str = "LA9633-4", low: int = 100, counting: str = "LA30100-4", **more: Any
) -> dict[str, Any]:
    sequence = more.pop("sequence", "NC_000010.11")
    components = [
        coded("48013-7", sequence, "http://www.ncbi.nlm.nih.gov/nuccore"),
        {"code": {"coding": [{"system": LOINC, "code": "69547-8"}]}, "valueString": "G"},
        {"code": {"coding": [{"system": LOINC, "code": "69551-0"}]}, "valueString": "A"},
        coded("92822-6", counting),
        {"code": {"coding": [{"system": LOINC, "code": "81254-5"}]}, "valueRange": {"low": {"value": low}}},
        *more.pop("components", ()),
    ]
    concept = {"coding": [{"system": LOINC, "code": value}]}
    return observation(
        subject, "69548-6", valueQuantity=None, valueCodeableConcept=concept, component=components, **more
    )


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    put(client, patient(id="p"), patient(id="q"))
    return client


def ask(client: FlaskClient, *ranges: str, more: str = "") -> dict[str, Any]:
    answer = client.get(f"/fhir/$find-subject-variants?subject=p&ranges={','.join(ranges)}{more}")
    assert answer.status_code == 200, answer.text
    made = codec.decode(answer.data)
    assert validate(made, type="Parameters") == []
    return made


def presences(made: dict[str, Any]) -> list[bool | None]:
    found = [part for one in made["parameter"] for part in one.get("part", ()) if part["name"] == "presence"]
    assert all(one["_valueBoolean"]["extension"] == UNKNOWN for one in found if "valueBoolean" not in one)
    return [one.get("valueBoolean") for one in found]


def test_a_variant_is_there_absent_or_not_known(record: FlaskClient) -> None:
    post(record, variant(), variant(low=200, value="LA9634-2"), variant(low=300, value="LA18198-4"))
    ranges = ("NC_000010.11:100-101", "NC_000010.11:200-201", "NC_000010.11:199-201", "NC_000010.11:300-301")
    made = ask(record, *ranges, "NC_000010.11:500-501")
    assert presences(made) == [True, False, None, None, None]
    assert [one["part"][0]["valueString"] for one in made["parameter"][:4]] == [*ranges]
    assert made["parameter"][-1]["name"] == "outcome"


def test_characters_are_counted_from_one_and_intervals_from_zero(record: FlaskClient) -> None:
    post(record, variant(low=101, counting="LA30102-0"))
    assert presences(ask(record, "NC_000010.11:100-101", "NC_000010.11:101-102")) == [True, None]


def test_variants_are_given_as_they_are_stored_when_asked_for(record: FlaskClient) -> None:
    post(record, variant())
    assert [part["name"] for part in ask(record, "NC_000010.11:100-101")["parameter"][0]["part"]] == [
        "rangeItem",
        "presence",
    ]
    (_, _, given) = ask(record, "NC_000010.11:100-101", more="&includeVariants=true")["parameter"][0]["part"]
    id_ = given["resource"]["id"]
    assert given["resource"] == codec.decode(record.get(f"/fhir/Observation/{id_}").data)


@pytest.mark.parametrize(
    "one",
    [
        variant("Patient/q"),
        variant(status="entered-in-error"),
        variant(status="preliminary"),
        variant(sequence="NC_000010.10"),
        variant(counting="LA26806-2"),
        variant(components=[coded("48013-7", "NC_000010.10")]),
    ],
)
def test_what_is_of_another_or_cannot_be_placed_says_nothing(record: FlaskClient, one: dict[str, Any]) -> None:
    post(record, one)
    assert presences(ask(record, "NC_000010.11:100-101")) == [None]


def test_germline_and_somatic_are_told_apart(record: FlaskClient) -> None:
    post(record, variant(components=[coded("48002-0", "LA6684-0")]))
    asked = "NC_000010.11:100-101"
    assert presences(ask(record, asked)) == [True]
    assert presences(ask(record, asked, more="&genomicSourceClass=somatic")) == [True]
    assert presences(ask(record, asked, more="&genomicSourceClass=germline")) == [None]


@pytest.mark.parametrize(
    "query",
    [
        "subject=p",
        "ranges=NC_000010.11:1-2",
        "subject=p&ranges=chr10:1-2",
        "subject=p&ranges=NC_000010.11:1-2&genomicSourceClass=other",
        "subject=p&ranges=NC_000010.11:1-2&includePhasing=true",
        "subject=Group/p&ranges=NC_000010.11:1-2",
        "subject=http://elsewhere.test/fhir/Patient/p&ranges=NC_000010.11:1-2",
        "subject=p&ranges=" + ",".join(f"NC_000010.11:{n}-{n + 1}" for n in range(201)),
    ],
)
def test_a_wrong_parameter_is_400_with_an_outcome(record: FlaskClient, query: str) -> None:
    answer = record.get(f"/fhir/$find-subject-variants?{query}")
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["resourceType"] == "OperationOutcome"


def test_nobody_who_is_not_stored_is_told_of(record: FlaskClient) -> None:
    assert record.get("/fhir/$find-subject-variants?subject=none&ranges=NC_000010.11:1-2").status_code == 404


def test_variants_of_several_pages_are_looked_through(record: FlaskClient) -> None:
    post(record, *(variant(low=1000 + n) for n in range(105)))
    assert presences(ask(record, "NC_000010.11:1000-1001", "NC_000010.11:1104-1105")) == [True, True]


def test_a_variant_is_found_that_is_nested_as_deep_as_may_be(record: FlaskClient) -> None:
    """The Bundle that it is found in is deeper."""
    inner: dict[str, Any] = {"url": "http://x.test", "valueString": "x"}
    for _ in range(30):
        inner = {"url": "http://x.test", "extension": [inner]}
    post(record, variant(extension=[inner]))
    assert presences(ask(record, "NC_000010.11:100-101")) == [True]
