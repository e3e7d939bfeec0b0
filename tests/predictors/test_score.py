"""Rounding, and what is shown beside it."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Fault
from fhirtwin.predictors.cardiovascular.prevent import PREDICTOR as PREVENT
from fhirtwin.predictors.kidney.kfre import PREDICTOR as KFRE
from fhirtwin.predictors.model import FeatureVector, Output, Predictor, Score, Value
from fhirtwin.predictors.score import plain_sums, probability, scores
from fhirtwin.settings import Settings
from fhirtwin.testing.predictors import vector_of

WOMAN: dict[str, Value] = {
    "age": Decimal(50),
    "sex": "female",
    "total-cholesterol": Decimal(200),
    "hdl-cholesterol": Decimal(45),
    "systolic-bp": Decimal(160),
    "bmi": Decimal(35),
    "egfr": Decimal(90),
    "current-smoker": False,
    "diabetes": True,
    "antihypertensive": True,
    "statin": False,
}
KIDNEY: dict[str, Value] = {"age": Decimal(70), "sex": "male", "egfr": Decimal(25), "uacr": Decimal(300)}
ASCVD = next(o for o in PREVENT.outputs if o.id == "ascvd-10y")


def shown(predictor: Predictor, output: Output, probability_shown: float, settings: Settings | None = None) -> Score:
    """Score an output whose link gives just this probability."""
    fixed = dataclasses.replace(output, link=lambda _linear, _settings: probability_shown)
    vector = vector_of(predictor, WOMAN if predictor is PREVENT else KIDNEY)
    vector = dataclasses.replace(vector, outputs=(fixed,))
    return scores(vector, plain_sums(vector), settings or Settings())[0]


def test_the_published_woman_comes_out_as_printed() -> None:
    vector = vector_of(PREVENT, WOMAN)
    found = {s.output.id: s.percent for s in scores(vector, plain_sums(vector), Settings())}
    assert found == {
        "total-cvd-10y": Decimal("14.7"),
        "ascvd-10y": Decimal("9.2"),
        "heart-failure-10y": Decimal("8.1"),
        "total-cvd-30y": Decimal("53.0"),
        "ascvd-30y": Decimal("35.4"),
        "heart-failure-30y": Decimal("39.0"),
    }


def test_sealed_sums_are_decimals_and_score_the_same() -> None:
    vector = vector_of(PREVENT, WOMAN)
    plain = plain_sums(vector)
    rounded = {row: Decimal(value).quantize(Decimal("0.0001")) for row, value in plain.items()}
    assert scores(vector, rounded, Settings()) == scores(vector, plain, Settings())


@pytest.mark.parametrize(
    ("probability_shown", "percent", "code"),
    [
        (0.0274, "2.7", "low"),
        (0.0296, "2.96", "low"),
        (0.02999, "2.99", "low"),
        (0.03, "3.0", "borderline"),
        (0.0497, "4.97", "borderline"),
        (0.0502, "5.0", "intermediate"),
        (0.09951, "9.95", "intermediate"),
        (0.1, "10.0", "high"),
        (0.000321, "0.03", "low"),
        (0.0000001, "0.01", "low"),
        (0.99999, "99.9", "high"),
    ],
)
def test_is_shown_on_its_own_side_of_every_threshold(probability_shown: float, percent: str, code: str) -> None:
    score = shown(PREVENT, ASCVD, probability_shown)
    assert (str(score.percent), score.category and score.category.code) == (percent, code)


def test_just_above_a_threshold_that_is_not_included_shows_two_decimals() -> None:
    score = shown(KFRE, KFRE.outputs[0], 0.1001)
    assert str(score.percent) == "10.01"
    assert score.category is not None
    assert score.category.code == "multidisciplinary-care"


@given(st.floats(min_value=0, max_value=1), st.sampled_from([ASCVD, *KFRE.outputs]))
def test_figure_and_category_never_contradict(chance: float, output: Output) -> None:
    settings = Settings()
    score = shown(PREVENT if output is ASCVD else KFRE, output, chance)
    assert score.category == output.category(Decimal(repr(chance)) * 100, settings)
    assert score.category == output.category(score.percent, settings)


@given(st.floats(min_value=0, max_value=1))
def test_rounding_is_within_half_a_tenth_but_at_the_very_ends(chance: float) -> None:
    percent = shown(PREVENT, ASCVD, chance).percent
    assert 0 < percent < 100
    error = abs(percent - Decimal(repr(chance)) * 100)
    assert error <= (Decimal("0.05") if percent != Decimal("99.9") else Decimal("0.1"))


def test_only_outputs_of_the_vector_are_scored() -> None:
    vector = dataclasses.replace(vector_of(PREVENT, WOMAN), outputs=(ASCVD,))
    assert [s.output.id for s in scores(vector, plain_sums(vector), Settings())] == ["ascvd-10y"]


def test_a_row_that_did_not_come_back_is_a_fault() -> None:
    vector = vector_of(PREVENT, WOMAN)
    sums = plain_sums(vector)
    del sums["ascvd-10y-female"]
    with pytest.raises(Fault, match="ascvd-10y-female"):
        scores(vector, sums, Settings())


@pytest.mark.parametrize("impossible", [float("nan"), -0.1, 1.1])
def test_a_link_that_gives_no_probability_is_a_fault(impossible: float) -> None:
    with pytest.raises(Fault, match="no probability"):
        shown(PREVENT, ASCVD, impossible)


def test_probability_is_not_rounded() -> None:
    vector: FeatureVector = vector_of(PREVENT, WOMAN)
    found = probability(vector, ASCVD, plain_sums(vector)["ascvd-10y-female"], Settings())
    assert abs(found - 0.0919) < 1e-3
    assert Decimal(found).as_tuple().exponent < -10
