"""The kit finds what it promises to find: each test breaks a good predictor in one way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from fhirtwin.predictors.kidney.kfre import PREDICTOR as GOOD
from fhirtwin.predictors.model import Category, Feature, FeatureVector, Input, Output, Predictor, Row, Rule, Values
from fhirtwin.predictors.score import plain_sums
from fhirtwin.settings import Settings
from fhirtwin.testing.predictors import TOLERANCE, CheckFailed, check_golden, check_predictor, random_values


def changed(**changes: object) -> Predictor:
    return dataclasses.replace(GOOD, **changes)


def with_input(fact: str, **changes: object) -> Predictor:
    return changed(inputs=tuple(dataclasses.replace(i, **changes) if i.fact == fact else i for i in GOOD.inputs))


def with_outputs(**changes: object) -> Predictor:
    return changed(outputs=tuple(dataclasses.replace(o, **changes) for o in GOOD.outputs))


def nameless(_percent: Decimal, _settings: Settings) -> Category:
    return Category("high", "high", "warning", "")


def wide(values: Values) -> Mapping[str, float]:
    return {**GOOD.prepare(values), "age": float(values["age"]) / 10}


def forgetful(values: Values) -> Mapping[str, float]:
    return {"age": 0.0, "male": 0.0, "egfr": 0.0}


BROKEN = {
    "not kebab-case": changed(id="KFRE 4"),
    "no version": changed(version=""),
    "no https link": changed(source="Tangri 2016"),
    "no fact of the twin": changed(inputs=(*GOOD.inputs, Input("shoe-size", "shoe size"))),
    "has no label": with_input("uacr", label=""),
    "not in its canonical unit": with_input("uacr", unit="mg/mmol"),
    "has no range": with_input("uacr", high=None),
    "has no code to ask for": with_input("uacr", code=None),
    "kept on no list": with_input("uacr", none_recorded_is_no=True),
    "no age setting": with_input("uacr", keep="moons"),
    "no flag of the twin": changed(rules=(*GOOD.rules, Rule("left-handed", False, "left-handed"))),
    "has no reason": changed(rules=(*GOOD.rules, Rule("pregnancy", False, ""))),
    "exclude the deceased": changed(rules=GOOD.rules[1:]),
    "applies at no age": with_outputs(low_age_years=120),
    "has no horizon": with_outputs(horizon_years=0),
    "not declared": with_outputs(inputs=frozenset({"bmi"})),
    "no row for female": with_outputs(row=lambda _values: "elsewhere"),
    "leaves 0 to 1": with_outputs(link=lambda linear, _settings: linear),
    "does not rise": with_outputs(link=lambda linear, _settings: 1 / (2 + linear**2)),
    "lacks its name, guideline": with_outputs(category=nameless),
    "leaves its declared range": changed(prepare=wide),
    "other features than declared": changed(prepare=forgetful),
    "not centred": changed(features=(*GOOD.features[:-1], Feature("ln-uacr", 1.0, 5.0))),
    "can pass 16": changed(rows=(Row("kidney-failure", {"age": 100.0}),)),
}


def test_a_good_predictor_passes() -> None:
    check_predictor(GOOD)


@pytest.mark.parametrize("says", BROKEN)
def test_finds_a_broken_predictor(says: str) -> None:
    with pytest.raises(CheckFailed, match=says):
        check_predictor(BROKEN[says])


def test_finds_an_output_that_weighs_what_it_says_it_does_without() -> None:
    def tolerant(values: Values) -> Mapping[str, float]:
        return GOOD.prepare({"uacr": Decimal(100), **values})

    sly = dataclasses.replace(
        with_outputs(inputs=frozenset({"age", "sex", "egfr"})), prepare=tolerant, features=GOOD.features
    )
    with pytest.raises(CheckFailed, match="does without"):
        check_predictor(sly)


def test_finds_a_result_that_makes_no_valid_risk_assessment() -> None:
    spaced = Category("quite  high", "quite high", "warning", "a guideline")  # no FHIR code has two spaces in a row
    with pytest.raises(CheckFailed, match="RiskAssessment is not valid"):
        check_predictor(with_outputs(category=lambda _percent, _settings: spaced))


def test_finds_an_input_whose_absence_refuses_nothing() -> None:
    four = frozenset(i.fact for i in GOOD.inputs)
    idle = Input("statin", "statin", none_recorded_is_no=True)
    with pytest.raises(CheckFailed, match="statin missing is not named"):
        check_predictor(dataclasses.replace(with_outputs(inputs=four), inputs=(*GOOD.inputs, idle)))


def test_finds_a_coefficient_that_is_not_the_published_one() -> None:
    def published(values: Values, output: Output, settings: Settings) -> float:
        weights = {**GOOD.rows[0].weights, "egfr": -0.5577}
        features = GOOD.prepare(values)
        return output.link(sum(w * features[name] for name, w in weights.items()), settings)

    with pytest.raises(CheckFailed, match="off its reference"):
        check_predictor(GOOD, reference=published)


@pytest.mark.parametrize(("error", "found"), [(0.9e-4, False), (1.1e-4, True)])
def test_holds_a_sealed_road_to_its_tolerance(error: float, found: bool) -> None:
    def noisy(vector: FeatureVector) -> dict[str, float]:
        return {row: value + error for row, value in plain_sums(vector).items()}

    if found:
        with pytest.raises(CheckFailed, match="is off by"):
            check_predictor(GOOD, evaluate=noisy, tolerance=TOLERANCE)
    else:
        check_predictor(GOOD, evaluate=noisy, tolerance=TOLERANCE)


HEADER = "age,sex,egfr,uacr,settings,output,percent,source\n"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "no example"),
        ("57.28,female,15.0,1762.00184,kfre_region=non-north-american,kidney-failure-2y,44.66,\n", "no source"),
        ("57.28,female,15.0,1762.00184,kfre_region=non-north-american,kidney-failure-2y,44.68,x\n", "not 44.68"),
        ("57.28,female,15.0,1762.00184,kfre_region=north-american,kidney-failure-2y,44.66,x\n", "not 44.66"),
    ],
)
def test_finds_an_example_that_comes_out_otherwise(tmp_path: Path, lines: str, says: str) -> None:
    examples = tmp_path / "golden.csv"
    examples.write_text(HEADER + lines, encoding="utf-8")
    with pytest.raises(CheckFailed, match=says):
        check_golden(GOOD, examples)


def test_drawn_patients_reach_both_ends_of_every_range_and_never_leave_it() -> None:
    random = Random(3)  # noqa: S311
    drawn = [random_values(GOOD, random) for _ in range(200)]
    for needed in GOOD.inputs:
        values = [d[needed.fact] for d in drawn]
        numbers = [v for v in values if isinstance(v, Decimal)]
        assert all(needed.holds(v) for v in numbers)
        if numbers and needed.high is not None:
            assert min(numbers) == needed.low
            assert needed.high - max(numbers) <= Decimal("0.1") * needed.high_excluded
    assert {d["sex"] for d in drawn} == {"female", "male"}
