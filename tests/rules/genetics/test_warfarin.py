"""The dose of warfarin that the equation estimates, and what is said where it cannot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.twin.state import Fact
from tests.rules.building import measured, taken
from tests.rules.genetics.building import one, result


def _adult(**changed: Any) -> tuple[Fact, ...]:
    facts = {
        "age": measured("age", Decimal(65)),
        "height": measured("body-height", Decimal(170)),
        "weight": measured("body-weight", Decimal(70)),
        "vkorc1": result("VKORC1", "rs9923231 reference (C)/rs9923231 reference (C)"),
        "cyp2c9": result("CYP2C9", "*1/*1"),
    } | changed
    return tuple(fact for fact in facts.values() if fact)


def test_warfarin_dose_is_estimated_when_all_is_known_and_its_accuracy_told() -> None:
    finding = one("warfarin", facts=_adult())
    # 41.1 mg in the paper's worked example for a White person; race is not read: (√41.1 − 0.1032)² ≈ 39.8
    assert "about 40 mg a week" in finding.summary
    assert finding.severity.value == "info"
    assert any("within 20 %" in line for line in finding.detail)
    assert any("Race is not read" in line for line in finding.detail)
    amiodarone = one("warfarin", facts=(*_adult(), taken("amiodarone")))
    assert "about 33 mg a week" in amiodarone.summary
    assert any("amiodarone (amiodarone)" in line for line in amiodarone.detail)
    assert any(fact.display == "amiodarone" for fact in amiodarone.facts)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"weight": None}, "body weight"),
        ({"weight": measured("body-weight", Decimal(70), "2024-01-01")}, "body weight of late"),
        ({"age": None}, "age"),
        (
            {"cyp2c9": result("CYP2C9", "no read", "gene-not-called"), "vkorc1": None},
            "a genotype of CYP2C9 or VKORC1",
        ),
    ],
)
def test_warfarin_without_an_input_says_which(changed: dict[str, Fact | None], word: str) -> None:
    finding = one("warfarin", facts=_adult(**changed))
    assert f"missing: {word}" in finding.summary
    assert "mg a week" not in finding.summary


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (result("CYP2C9", "*2/*11"), "CYP2C9 *2/*11, intermediate metabolizer (activity score 1.0)"),
        (result("CYP2C9", "*5/*6"), "CYP2C9 *5/*6, poor metabolizer (activity score 0.5)"),
        (result("CYP2C9", "Poor Metabolizer", "gene-phenotype"), "CYP2C9, poor metabolizer"),
    ],
)
def test_warfarin_and_a_gene_that_is_known_and_not_in_the_equation(known: Fact, said: str) -> None:
    finding = one("warfarin", facts=_adult(cyp2c9=known))
    assert finding.summary == f"Warfarin: no dose can be told from the genes; not in the equation: {said}"
    assert not any("CYP2C9 is not known" in line for line in finding.detail)
    assert any("it does not make CYP2C9 usual" in line for line in finding.detail)
    lacking = one("warfarin", facts=_adult(cyp2c9=known, weight=None, height=None, age=None))
    assert "missing: age, body height, body weight; not in the equation: CYP2C9" in lacking.summary


def test_warfarin_with_one_gene_takes_the_term_of_the_equation_for_the_other() -> None:
    slow = result("CYP2C9", "*3/*3")
    finding = one("warfarin", facts=_adult(cyp2c9=slow, vkorc1=None))
    # 5.6044 - 6 x 0.2614 + 170 x 0.0087 + 70 x 0.0128 - 0.4854 - 2.3312 - 0.1032, squared
    assert "about 12 mg a week" in finding.summary
    assert "VKORC1 is not known: the equation's own term for that is taken." in finding.detail
    assert "In the equation CYP2C9 *3/*3 lowers the dose." in finding.detail
    lacking = one("warfarin", facts=_adult(cyp2c9=slow, vkorc1=None, weight=None))
    assert "missing: body weight" in lacking.summary
    assert "In the equation CYP2C9 *3/*3 lowers the dose." in lacking.detail


def test_warfarin_of_a_child_is_refused_with_the_reason() -> None:
    finding = one("warfarin", facts=_adult(age=measured("age", Decimal(12))))
    assert finding.rule == "genes.warfarin.no-estimate"
    assert any("from 18 to 120" in line for line in finding.detail)
