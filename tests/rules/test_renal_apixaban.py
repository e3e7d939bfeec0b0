"""Apixaban: two of three features, at their ends, and when not all of them are known."""

from __future__ import annotations

import pytest

from fhirtwin.rules.renal_apixaban import apixaban
from fhirtwin.twin.state import Fact
from tests.rules.building import DAY, chart, flag, ordered
from tests.twin.builders import measured

APIXABAN = "1364430"
EIGHTY, SEVENTY_NINE = "1946-11-20", "1946-11-21"


def _facts(weight: str, creatinine: str) -> list[Fact]:
    made = [measured("body-weight", weight, DAY)] if weight else []
    return made + ([measured("creatinine", creatinine, DAY)] if creatinine else [])


@pytest.mark.parametrize(
    ("birth", "weight", "creatinine", "expected"),
    [  # Eliquis label 2.1: at least two of age >= 80, weight <= 60 kg, creatinine >= 1.5 mg/dL
        (EIGHTY, "60", "1.49", "two-of-three"),
        (EIGHTY, "60.01", "1.5", "two-of-three"),
        (EIGHTY, "60.01", "1.49", ""),
        (EIGHTY, "59.99", "1.51", "two-of-three"),
        (SEVENTY_NINE, "60", "1.5", "two-of-three"),
        (SEVENTY_NINE, "60", "1.49", ""),
        (SEVENTY_NINE, "60.01", "1.5", ""),
        (EIGHTY, "60", "", "two-of-three"),
        (EIGHTY, "", "1.5", "two-of-three"),
        (EIGHTY, "", "1.49", "missing"),
        (EIGHTY, "61", "", "missing"),
        (SEVENTY_NINE, "61", "", ""),
        (SEVENTY_NINE, "", "1.2", ""),
        (SEVENTY_NINE, "", "", "missing"),
    ],
)
def test_two_of_three(birth: str, weight: str, creatinine: str, expected: str) -> None:
    asked = chart(*_facts(weight, creatinine), orders=(ordered(APIXABAN),), birth=birth)
    assert [f.rule for f in apixaban(asked)] == ([f"renal.apixaban.{expected}"] if expected else [])


@pytest.mark.parametrize("name", ["acute-kidney-injury", "dialysis"])
def test_injury_and_dialysis_end_in_a_question(name: str) -> None:
    asked = chart(*_facts("50", "2"), flag(name), orders=(ordered(APIXABAN),), birth=EIGHTY)
    assert [f.rule for f in apixaban(asked)] == ["renal.apixaban.unsteady"]


def test_a_child_is_not_judged() -> None:
    asked = chart(*_facts("50", "2"), orders=(ordered(APIXABAN),), birth="2012-01-01")
    assert [f.rule for f in apixaban(asked)] == ["renal.apixaban.child"]


def test_all_three_fit_into_a_summary() -> None:
    (found,) = apixaban(chart(*_facts("50", "2"), orders=(ordered(APIXABAN),), birth=EIGHTY))
    assert len(found.summary) < 140
    assert {f.name for f in found.facts} == {"age", "body-weight", "creatinine"}


def test_what_is_missing_can_be_ordered() -> None:
    (found,) = apixaban(chart(orders=(ordered(APIXABAN),), birth=EIGHTY))
    assert {r.code.code for r in found.remedies if r.code} == {"29463-7", "2160-0"}


def test_other_medicines_are_none_of_its_business() -> None:
    assert list(apixaban(chart(orders=(ordered("11289"),)))) == []
