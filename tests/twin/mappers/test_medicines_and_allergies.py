from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhirtwin.terms.drugs import FROM_DISPLAY
from fhirtwin.testing.mappers import check_mapper
from fhirtwin.twin import derived, medicines
from fhirtwin.twin.mappers import allergy_intolerance
from fhirtwin.twin.mappers.registry import map_resource
from fhirtwin.twin.overlay import overlay
from fhirtwin.twin.state import Source
from tests.twin.builders import WHO, concept, read, reason

CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"


def order(code: dict[str, Any], **members: Any) -> dict[str, Any]:
    base = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": code,
        "authoredOn": "2026-01-01",
    }
    return {name: v for name, v in (base | members).items() if v is not None}


def allergy(code: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    base = {"resourceType": "AllergyIntolerance", "clinicalStatus": concept(CLINICAL, "active"), "code": code}
    return {name: v for name, v in (base | members).items() if v is not None}


def said(resource: dict[str, Any]) -> set[tuple[str, object]]:
    return {(f.name, f.value) for f in read(resource).facts}


def test_medicine_is_a_fact_beside_its_class() -> None:
    assert said(order(concept("rxnorm", "83367"))) == {("statin", True), ("medicine", "83367")}
    assert said(order(concept("rxnorm", "6448"))) == {("medicine", "6448")}


def test_ingredients_of_a_combination_are_facts_each() -> None:
    found = said(order(concept("rxnorm", "214618")))
    assert found == {("antihypertensive", True), ("medicine", "5487"), ("medicine", "29046")}


def test_class_is_told_by_the_ingredients_a_name_leads_to() -> None:
    made = read(order(concept("rxnorm", "99999999", display="lisinopril 7 MG Oral Tablet")))
    assert {(f.name, f.value) for f in made.facts} == {("antihypertensive", True), ("medicine", "29046")}
    assert [f.note for f in made.facts if f.name == "medicine"] == [FROM_DISPLAY]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (concept("rxnorm", "99999999"), "code not known"),
        ({"text": "lithium"}, "its medicine has no code"),
        (
            {"coding": [*concept("rxnorm", "6809")["coding"], *concept("rxnorm", "11289")["coding"]]},
            "different medicines",
        ),
    ],
)
def test_medicine_that_is_not_known_says_why(code: dict[str, Any], why: str) -> None:
    assert why in reason(order(code))
    assert reason(order(code, status="stopped")).endswith(medicines.OF_THE_PAST)


def test_medication_of_ingredients_is_read_and_the_unknown_one_is_said() -> None:
    inside = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [
            {"itemCodeableConcept": concept("rxnorm", "5487")},
            {"itemCodeableConcept": concept("rxnorm", "99999999")},
            {"itemCodeableConcept": concept("rxnorm", "11289"), "isActive": False},
        ],
    }
    made = read(order(None, contained=[inside], medicationReference={"reference": "#m"}))  # type: ignore[arg-type]
    assert ("medicine", "5487") in {(f.name, f.value) for f in made.facts}
    assert "11289" not in {f.value for f in made.facts}
    assert [u.reason for u in made.unused] == ["code not known"]


def test_known_class_of_unknown_ingredients_is_said_without_denying_the_class() -> None:
    made = read(order(concept("http://www.whocc.no/atc", "C09AA99")))
    assert [f.name for f in made.facts] == ["antihypertensive"]
    assert [u.reason for u in made.unused] == [medicines.CLASS_ONLY]


def test_allergy_to_an_ingredient_and_to_a_group() -> None:
    assert said(allergy(concept("rxnorm", "723"))) == {("allergy", "723")}
    assert said(allergy(concept("snomed", "373270004"))) == {("allergy", "penicillins")}
    assert said(allergy(concept("snomed", "373270004"), type="intolerance")) == {("intolerance", "penicillins")}
    assert said(allergy(concept("rxnorm", "10831"))) == {("allergy", "10180"), ("allergy", "10829")}


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("91936005", {"penicillins"}),
        ("91939003", {"sulfonamide-antibiotics"}),
        ("293610009", {"nsaids"}),
        ("293586001", {"1191"}),
        ("294523000", {"723", "48203"}),
        ("764146007", {"penicillins"}),
    ],
)
def test_finding_of_an_allergy_is_read_by_its_code(code: str, values: set[str]) -> None:
    assert said(allergy(concept("snomed", code))) == {("allergy", value) for value in values}


def test_criticality_is_kept() -> None:
    for told, note in (("high", allergy_intolerance.CRITICAL), ("low", allergy_intolerance.MILD), (None, "")):
        (fact,) = read(allergy(concept("rxnorm", "723"), criticality=told)).facts
        assert fact.note == note


def test_severe_reaction_is_said() -> None:
    reaction = [{"manifestation": [{"text": "rash"}]}, {"manifestation": [{"text": "shock"}], "severity": "severe"}]
    (fact,) = read(allergy(concept("rxnorm", "723"), reaction=reaction, criticality="low")).facts
    assert fact.note == f"{allergy_intolerance.MILD}; {allergy_intolerance.SEVERE}"


def test_substance_of_a_reaction_is_read_only_without_a_code() -> None:
    reaction = [{"substance": concept("rxnorm", "723"), "manifestation": [{"text": "rash"}]}]
    assert said(allergy(None, reaction=reaction)) == {("allergy", "723")}
    assert said(allergy(concept("rxnorm", "11289"), reaction=reaction)) == {("allergy", "11289")}


@pytest.mark.parametrize("code", ["716186003", "409137002", "429625007"])
def test_no_known_allergy_is_neither_an_allergy_nor_a_gap(code: str) -> None:
    made = read(allergy(concept("snomed", code)))
    assert (made.facts, made.unused) == ((), ())


@pytest.mark.parametrize(
    ("status", "counts"), [("confirmed", 1), ("unconfirmed", 1), ("presumed", 1), ("refuted", 0), ("x", 0)]
)
def test_verification_status_decides(status: str, counts: int) -> None:
    made = read(allergy(concept("rxnorm", "723"), verificationStatus=concept(VERIFICATION, status)))
    assert len(made.facts) == counts
    assert bool(made.unused) != bool(counts)


def test_allergy_of_the_past_does_not_hold() -> None:
    made = read(allergy(concept("rxnorm", "723"), clinicalStatus=concept(CLINICAL, "resolved")))
    assert [f.active for f in made.facts] == [False]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"code": concept("snomed", "292545003")}, "code not known"),
        ({"code": concept("snomed", "91935009")}, "no medicine"),
        ({"code": {"text": "penicillin"}}, "it has no code"),
        ({"code": concept("snomed", "227493005"), "category": ["food"]}, "no medicine"),
        ({"code": concept("rxnorm", "723"), "modifierExtension": [{"url": "x"}]}, "modifier extension"),
    ],
)
def test_allergy_that_is_not_known_says_why(members: dict[str, Any], why: str) -> None:
    assert why in reason(allergy(**members))


def test_allergy_mapper_keeps_the_contract() -> None:
    check_mapper(
        allergy_intolerance.MAPPER,
        [allergy(concept("rxnorm", "723"), verificationStatus=concept(VERIFICATION, "confirmed"))],
    )


def test_medicines_that_hold_on_a_day_are_one_fact_each() -> None:
    orders = [
        (Source("", "MedicationRequest", "a", "1"), order(concept("rxnorm", "6448"))),
        (Source("", "MedicationRequest", "b", "1"), order(concept("rxnorm", "42351"), authoredOn="2026-02-01")),
        (Source("", "MedicationRequest", "c", "1"), order(concept("rxnorm", "11289"), status="stopped")),
        (Source("", "MedicationRequest", "d", "1"), order(concept("rxnorm", "6809"), authoredOn="2026-09-01")),
    ]
    state = overlay(None, WHO, [(s, map_resource(r, s)) for s, r in orders], frozenset(), "Patient/pat")
    held = derived.as_of(state, date(2026, 3, 1)).named("medicine")
    assert [(f.value, f.time, [s.id for s in f.sources]) for f in held] == [("6448", "2026-02-01", ["a", "b"])]
