"""The kidney failure risk equation against results of Python kfre, a second writing of it, and its words."""

from __future__ import annotations

import csv
import math
from decimal import Decimal
from pathlib import Path

import pytest

from fhirtwin.predictors.kidney.kfre import PREDICTOR
from fhirtwin.predictors.model import Output, Values
from fhirtwin.predictors.score import plain_sums, probability
from fhirtwin.settings import Settings
from fhirtwin.testing.predictors import check_predictor, vector_of

TWO, FIVE = PREDICTOR.outputs
REGIONS = ("north-american", "non-north-american")


def test_agrees_with_the_kfre_package_on_every_vector(shared: Path) -> None:
    with (shared / "data/clinical/dev/kfre_vectors.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["num_vars"] == "4"]
    assert len(rows) > 100
    for row in rows:
        vector = vector_of(
            PREDICTOR,
            {
                "age": Decimal(row["age"]),
                "sex": "male" if row["male"] == "1" else "female",
                "egfr": Decimal(row["egfr"]),
                "uacr": Decimal(row["uacr_mg_g"]),
            },
        )
        settings = Settings(kfre_region=REGIONS[row["north_american"] == "0"])
        output = {2: TWO, 5: FIVE}[int(row["years"])]
        found = probability(vector, output, plain_sums(vector)["kidney-failure"], settings)
        assert abs(found - float(row["risk"])) <= 1e-9, row["id"]


def written_again(values: Values, output: Output, settings: Settings) -> float:
    """The published equation in one line, with uncentred inputs gathered into one constant."""
    survival = {"north-american": (0.975, 0.924), "non-north-american": (0.9832, 0.9365)}[settings.kfre_region]
    linear = (
        -0.02201 * float(values["age"])
        + 0.2467 * (values["sex"] == "male")
        - 0.11134 * float(values["egfr"])
        + 0.4510 * math.log(float(values["uacr"]))
        + (0.2201 * 7.036 - 0.2467 * 0.5642 + 0.5567 * 7.222 - 0.4510 * 5.137)
    )
    return 1 - survival[output.horizon_years == 5] ** math.exp(linear)


@pytest.mark.parametrize("region", REGIONS)
def test_agrees_with_the_equation_written_again_over_the_whole_range(region: str) -> None:
    check_predictor(PREDICTOR, settings=Settings(kfre_region=region), reference=written_again)


def test_risk_over_five_years_is_never_below_that_over_two() -> None:
    for region in REGIONS:
        settings = Settings(kfre_region=region)
        for linear in range(-7, 8):
            assert TWO.link(linear, settings) <= FIVE.link(linear, settings)


@pytest.mark.parametrize(
    ("output", "percent", "code"),
    [
        (FIVE, "4.99", None),
        (FIVE, "5.0", "nephrology-referral"),
        (TWO, "10.0", None),
        (TWO, "10.01", "multidisciplinary-care"),
        (TWO, "40.0", "multidisciplinary-care"),
        (TWO, "40.01", "kidney-replacement-preparation"),
    ],
)
def test_categories_begin_where_the_guideline_says(output: Output, percent: str, code: str | None) -> None:
    category = output.category(Decimal(percent), Settings())
    assert (category and category.code) == code
    assert category is None or ("KDIGO 2024" in category.guideline and category.indicator == "warning")


def test_referral_begins_at_the_setting() -> None:
    settings = Settings(kfre_referral_percent=3.5)
    assert FIVE.category(Decimal("3.49"), settings) is None
    category = FIVE.category(Decimal("3.5"), settings)
    assert category is not None
    assert "3.5 %" in category.text


def test_needs_chronic_kidney_disease_shown_and_stable() -> None:
    rules = {rule.fact: rule.must_be for rule in PREDICTOR.rules}
    assert rules == {
        "deceased": False,
        "dialysis": False,
        "kidney-transplant": False,
        "acute-kidney-injury": False,
        "kidney-function-unstable": False,
        "ckd-g3-g5-shown": True,
    }


def test_egfr_of_60_is_no_longer_in_range() -> None:
    egfr = next(i for i in PREDICTOR.inputs if i.fact == "egfr")
    assert [egfr.holds(Decimal(v)) for v in ("9.9", "10", "59.99", "60")] == [False, True, True, False]
