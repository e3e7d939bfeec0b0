from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.fhir.validator import validate

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
SUBJECT = {"reference": "Patient/1"}


def told(resource: dict[str, Any]) -> list[tuple[str, str]]:
    return [(issue.code, *issue.expression) for issue in validate(resource)]


def condition(status: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Condition", "subject": SUBJECT, "clinicalStatus": status}


def test_a_code_outside_a_required_value_set_is_refused_and_the_right_ones_are_named() -> None:
    (issue,) = validate({"resourceType": "Patient", "gender": "Miller"})
    assert (issue.code, issue.expression) == ("code-invalid", ("Patient.gender",))
    assert issue.text == "Expected one of female, male, other, unknown."


def test_codes_of_nested_elements_and_arrays_are_judged_where_they_stand() -> None:
    assert told({"resourceType": "Patient", "name": [{"use": "usual"}, {"use": "nope"}]}) == [
        ("code-invalid", "Patient.name[1].use")
    ]
    allergy = {"resourceType": "AllergyIntolerance", "patient": SUBJECT, "category": ["food", "nope"]}
    assert ("code-invalid", "AllergyIntolerance.category[1]") in told(allergy)


def test_what_is_no_code_at_all_is_a_matter_of_format() -> None:
    assert told({"resourceType": "Patient", "gender": 1}) == [("structure", "Patient.gender")]
    assert told({"resourceType": "Patient", "gender": " male"}) == [("value", "Patient.gender")]


@pytest.mark.parametrize(
    "status",
    [
        {"coding": [{"system": CLINICAL, "code": "active"}]},
        {"coding": [{"system": "http://x", "code": "a"}, {"system": CLINICAL, "code": "active"}], "text": "x"},
        {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]},
    ],
)
def test_a_concept_with_one_coding_of_the_value_set_or_only_a_reason_passes(status: dict[str, Any]) -> None:
    assert validate(condition(status)) == []


@pytest.mark.parametrize(
    "status",
    [
        {"coding": [{"system": CLINICAL, "code": "nope"}]},
        {"coding": [{"system": "http://x", "code": "active"}]},
        {"coding": [{"code": "active"}]},
        {"text": "active"},
    ],
)
def test_a_concept_without_a_coding_of_the_value_set_is_refused(status: dict[str, Any]) -> None:
    assert told(condition(status)) == [("code-invalid", "Condition.clinicalStatus")]


def test_bindings_that_are_not_required_are_not_judged() -> None:
    assert validate({"resourceType": "Patient", "maritalStatus": {"text": "x"}, "language": "tlh"}) == []


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8", "application/fhir+json", "image/*"])
def test_media_types_pass_by_their_form(kind: str) -> None:
    assert validate({"resourceType": "Binary", "contentType": kind}) == []


@pytest.mark.parametrize("kind", ["json", "not-a-type", "text/", "/plain", "a b/c"])
def test_what_has_not_the_form_of_a_media_type_is_refused(kind: str) -> None:
    assert told({"resourceType": "Binary", "contentType": kind}) == [("code-invalid", "Binary.contentType")]


def test_currencies_are_three_capitals() -> None:
    account = {"resourceType": "Invoice", "status": "draft", "totalNet": {"value": 1, "currency": "EUR"}}
    assert validate(account) == []
    assert told({**account, "totalNet": {"currency": "euro"}}) == [("code-invalid", "Invoice.totalNet.currency")]


def test_a_capability_statement_may_call_its_formats_json_and_xml() -> None:
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "draft",
        "date": "2024",
        "kind": "requirements",
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+xml"],
        "description": "x",
        "rest": [{"mode": "server"}],
    }
    assert validate(statement) == []
