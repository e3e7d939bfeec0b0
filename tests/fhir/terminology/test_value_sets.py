from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.fhir.terminology import value_sets
from tests.fhir.profiles.builders import Loaded

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
SYSTEM = "http://hl7.org/fhir/administrative-gender"
URL = "http://example.org/ValueSet/v"
OWN = {
    "resourceType": "CodeSystem",
    "url": "http://example.org/CodeSystem/c",
    "content": "complete",
    "concept": [{"code": "a", "concept": [{"code": "a1"}]}, {"code": "b"}],
}


def value_set(**members: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "url": URL, "status": "active", **members}


def including(*include: dict[str, Any], exclude: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return value_set(compose={"include": list(include), **({"exclude": exclude} if exclude else {})})


@pytest.mark.parametrize(
    ("canonical", "system", "code", "answer"),
    [
        (GENDER, SYSTEM, "female", True),
        (f"{GENDER}|4.0.1", None, "female", True),
        (GENDER, SYSTEM, "Female", False),
        (GENDER, "http://loinc.org", "female", False),
        (GENDER, None, "woman", False),
        ("http://hl7.org/fhir/ValueSet/observation-codes", "http://loinc.org", "1-8", None),
        ("http://hl7.org/fhir/ValueSet/observation-codes", SYSTEM, "female", False),
        ("http://example.org/nowhere", SYSTEM, "female", None),
        ("http://hl7.org/fhir/ValueSet/ucum-bodytemp", "http://unitsofmeasure.org", "Cel", True),
        ("http://hl7.org/fhir/ValueSet/ucum-bodytemp", "http://unitsofmeasure.org", "K", False),
    ],
)
def test_value_sets_of_r4(canonical: str, system: str | None, code: str, answer: bool | None) -> None:
    assert value_sets.contains(canonical, system, code) is answer


@pytest.mark.parametrize(
    ("given", "code", "answer"),
    [
        (including({"system": OWN["url"]}), "a1", True),
        (including({"system": OWN["url"]}), "c", False),
        (including({"system": OWN["url"], "concept": [{"code": "b"}]}), "a", False),
        (including({"system": OWN["url"], "filter": [{}]}), "a", None),
        (including({"system": OWN["url"], "filter": [{}]}), "c", False),
        (including({"system": OWN["url"]}, exclude=[{"system": OWN["url"], "concept": [{"code": "a"}]}]), "a", False),
        (including({"system": OWN["url"]}, exclude=[{"system": OWN["url"], "filter": [{}]}]), "a", None),
        (including({"valueSet": [GENDER]}), "a", False),
        (including({"system": OWN["url"], "valueSet": ["http://example.org/nowhere"]}), "a", None),
        (including({"valueSet": [URL]}), "a", None),
        (value_set(expansion={"contains": [{"contains": [{"system": OWN["url"], "code": "a"}]}]}), "a", True),
        (value_set(expansion={"contains": [{"system": OWN["url"], "code": "b"}]}), "a", False),
        (value_set(expansion={"total": 9, "contains": [{"system": OWN["url"], "code": "b"}]}), "a", None),
        (value_set(), "a", None),
    ],
)
def test_loaded_value_sets(given: dict[str, Any], code: str, answer: bool | None) -> None:
    assert value_sets.contains(URL, str(OWN["url"]), code, Loaded(given, OWN).resource) is answer


def test_a_code_system_that_is_not_whole_decides_nothing() -> None:
    part = {**OWN, "content": "fragment"}
    assert value_sets.in_system(str(OWN["url"]), "c", Loaded(part).resource) is None
    assert value_sets.in_system(str(OWN["url"]), "c", Loaded(OWN).resource) is False
    assert value_sets.in_system(SYSTEM, "female") is True


def test_displays_of_r4_are_known() -> None:
    assert value_sets.display(SYSTEM, "female") == "Female"
    assert value_sets.display("http://loinc.org", "1-8") is None
