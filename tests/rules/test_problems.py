"""Evidence for a problem that is put on the list: at each criterion's edge, and no verdict without results."""

from __future__ import annotations

import pytest

from fhirtwin.rules.findings import Finding, Severity
from fhirtwin.rules.problems import Problem, evidence, kinds
from fhirtwin.terms.concepts import Code
from fhirtwin.terms.systems import ICD10CM, SNOMED
from fhirtwin.twin.derived import as_of
from fhirtwin.twin.state import Fact
from tests.rules.building import TODAY, flag
from tests.twin.builders import measured, person

DIABETES = Problem("Condition/new", (Code(ICD10CM, "E11.9"),))
CKD = Problem("Condition/new", (Code(SNOMED, "709044004"),))
AKI = Problem("Condition/new", (Code(ICD10CM, "N17.9"),))


def _found(problem: Problem, *facts: Fact) -> Finding:
    (finding,) = evidence((problem,), as_of(person(*facts), TODAY))
    return finding


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (DIABETES, ("diabetes",)),
        (CKD, ("chronic-kidney-disease",)),
        (Problem("", (Code(ICD10CM, "N18.32"),)), ("chronic-kidney-disease",)),
        (Problem("", (Code(ICD10CM, "N19"),)), ()),
        (Problem("", (Code(SNOMED, "7090440040"),)), ()),
        (AKI, ("acute-kidney-injury",)),
        (Problem("", (Code(ICD10CM, "I10"),)), ()),
        (Problem("", ()), ()),
    ],
)
def test_problems_with_criteria_are_told_by_their_codes(problem: Problem, kind: tuple[str, ...]) -> None:
    assert kinds(problem) == kind


@pytest.mark.parametrize(
    ("values", "verdict"),
    [  # ADA: 6.5 % or more; a second result confirms
        ([("hba1c", "6.5", "2026-10-01"), ("hba1c", "6.6", "2026-11-01")], "supported"),
        ([("hba1c", "6.5", "2026-10-01"), ("hba1c", "6.49", "2026-11-01")], "to-confirm"),
        ([("hba1c", "6.5", "2026-10-01")], "to-confirm"),
        ([("hba1c", "6.49", "2026-10-01"), ("hba1c", "6.4", "2026-11-01")], "not-shown"),
        ([("glucose", "250", "2026-10-01"), ("glucose", "260", "2026-11-01")], "not-shown"),
        ([], "unknown"),
    ],
)
def test_diabetes(values: list[tuple[str, str, str]], verdict: str) -> None:
    found = _found(DIABETES, *(measured(*value) for value in values))
    assert found.rule == f"problem.diabetes.{verdict}"
    assert bool(found.remedies) is (verdict != "supported")
    assert all(time in " ".join(found.detail) for _, _, time in values)


def test_high_glucose_alone_is_shown_and_judged_by_nobody() -> None:
    found = _found(DIABETES, measured("glucose", "126", "2026-11-01"))
    assert "does not tell whether glucose was fasting" in " ".join(found.detail)
    found = _found(DIABETES, measured("glucose", "125", "2026-11-01"))
    assert "does not tell whether glucose was fasting" not in " ".join(found.detail)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [  # KDIGO 2024: eGFR below 60, or albumin to creatinine 30 mg/g or more, for three months
        ([("egfr", "59.99", "2026-08-01"), ("egfr", "59", "2026-11-01")], "supported"),
        ([("egfr", "60", "2026-08-01"), ("egfr", "59", "2026-11-01")], "not-shown"),
        ([("egfr", "50", "2026-08-10"), ("egfr", "50", "2026-11-01")], "not-shown"),
        ([("uacr", "30", "2026-08-03"), ("uacr", "30", "2026-11-01")], "supported"),
        ([("uacr", "30", "2026-08-04"), ("uacr", "30", "2026-11-01")], "not-shown"),
        ([("uacr", "29.9", "2026-08-01"), ("uacr", "30", "2026-11-01")], "not-shown"),
        ([("uacr", "90", "2026-01-01"), ("uacr", "5", "2026-06-01"), ("uacr", "90", "2026-11-01")], "not-shown"),
        ([("egfr", "40", "2026-11-01")], "not-shown"),
        ([], "unknown"),
    ],
)
def test_chronic_kidney_disease(values: list[tuple[str, str, str]], verdict: str) -> None:
    found = _found(CKD, *(measured(*value) for value in values))
    assert found.rule == f"problem.chronic-kidney-disease.{verdict}"


def test_a_low_egfr_around_an_injury_shows_no_chronic_disease() -> None:
    low = (measured("egfr", "50", "2026-07-01"), measured("egfr", "50", "2026-11-01"))
    assert _found(CKD, *low).rule.endswith(".supported")
    found = _found(CKD, *low, flag("acute-kidney-injury", time="2026-10-30"))
    assert found.rule.endswith(".not-shown")
    assert "not steady" in " ".join(found.detail)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [  # KDIGO 2012: 0.3 mg/dL within 48 hours, or 1.5 times within 7 days
        ([("1.0", "2026-11-01"), ("1.3", "2026-11-03")], "supported"),
        ([("1.0", "2026-11-01"), ("1.29", "2026-11-03")], "not-shown"),
        ([("1.0", "2026-11-01"), ("1.5", "2026-11-08")], "supported"),
        ([("1.0", "2026-11-01")], "unknown"),
        ([], "unknown"),
    ],
)
def test_acute_kidney_injury(values: list[tuple[str, str]], verdict: str) -> None:
    found = _found(AKI, *(measured("creatinine", value, time) for value, time in values))
    assert found.rule == f"problem.acute-kidney-injury.{verdict}"


@pytest.mark.parametrize("problem", [DIABETES, CKD, AKI])
def test_findings_inform_and_cite_and_name_the_draft(problem: Problem) -> None:
    found = _found(problem)
    assert found.severity is Severity.INFO
    assert found.orders == ("Condition/new",)
    assert found.sources
    assert len(found.summary) < 140
    assert found.remedies
