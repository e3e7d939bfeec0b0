from __future__ import annotations

from fhirtwin.errors import Incorrect, Issue
from fhirtwin.fhir.outcome import operation_outcome
from fhirtwin.fhir.validator import validate


def test_each_issue_becomes_one_with_its_place() -> None:
    issues = [
        Issue("required", "This element is required.", ("Patient.name",)),
        Issue("not-found", "Gone.", severity="warning"),
    ]
    assert operation_outcome(issues) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "diagnostics": "This element is required.",
                "expression": ["Patient.name"],
            },
            {"severity": "warning", "code": "not-found", "diagnostics": "Gone."},
        ],
    }


def test_every_outcome_is_valid_r4_even_of_nothing() -> None:
    for issues in ([], [Issue("invalid", "")], Incorrect("No.", expression="Patient").issues):
        assert validate(operation_outcome(issues)) == []
