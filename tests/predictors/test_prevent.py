"""PREVENT against results of R preventr, and its words."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from fhirtwin.predictors.cardiovascular.prevent import PREDICTOR, ascvd_category
from fhirtwin.predictors.model import Value
from fhirtwin.predictors.score import plain_sums, probability
from fhirtwin.settings import Settings
from fhirtwin.testing.predictors import vector_of


def values_of(row: dict[str, str]) -> dict[str, Value]:
    return {
        "age": Decimal(row["age"]),
        "sex": row["sex"],
        "total-cholesterol": Decimal(row["total_c"]),
        "hdl-cholesterol": Decimal(row["hdl_c"]),
        "systolic-bp": Decimal(row["sbp"]),
        "bmi": Decimal(row["bmi"]),
        "egfr": Decimal(row["egfr"]),
        "current-smoker": row["smoking"] == "1",
        "diabetes": row["dm"] == "1",
        "antihypertensive": row["bp_tx"] == "1",
        "statin": row["statin"] == "1",
    }


def test_agrees_with_preventr_on_every_vector(shared: Path) -> None:
    with (shared / "data/clinical/dev/prevent_vectors.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "base"]
    compared = 0
    for row in rows:
        vector = vector_of(PREDICTOR, values_of(row))
        sums = plain_sums(vector)
        for output in PREDICTOR.outputs:
            expected = row[output.id.replace("-", "_")]
            if expected:
                found = probability(vector, output, sums[output.row(vector.values)], Settings())
                assert abs(found - float(expected)) <= 1e-9, (row["id"], output.id)
                compared += 1
    assert compared > 500


def test_published_ranges_are_those_the_vectors_flag(shared: Path) -> None:
    inputs = {i.fact: i for i in PREDICTOR.inputs}
    with (shared / "data/clinical/dev/prevent_vectors.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            quantities = {f: v for f, v in values_of(row).items() if isinstance(v, Decimal)}
            inside = all(inputs[fact].holds(value) for fact, value in quantities.items())
            assert inside == (row["in_published_range"] == "1"), row["id"]


def test_has_a_row_for_each_outcome_horizon_and_sex() -> None:
    assert {row.name for row in PREDICTOR.rows} == {
        f"{outcome}-{years}y-{sex}"
        for outcome in ("total-cvd", "ascvd", "heart-failure")
        for years in (10, 30)
        for sex in ("female", "male")
    }


def test_thirty_years_end_at_59_and_ten_at_79() -> None:
    ages = {o.horizon_years: (o.low_age_years, o.high_age_years) for o in PREDICTOR.outputs}
    assert ages == {10: (30, 79), 30: (30, 59)}


def test_declares_the_inputs_that_its_rows_weigh() -> None:
    weighed = {row.name: set(row.weights) for row in PREDICTOR.rows}
    for output in PREDICTOR.outputs:
        terms = weighed[f"{output.id}-female"]
        assert output.needs("bmi") == ("bmi-from-30" in terms)
        assert output.needs("total-cholesterol") == output.needs("hdl-cholesterol") == ("non-hdl" in terms)
        assert output.needs("statin") == ("statin" in terms)


@pytest.mark.parametrize(
    ("percent", "code"),
    [
        ("0.01", "low"),
        ("2.99", "low"),
        ("3.0", "borderline"),
        ("4.99", "borderline"),
        ("5.0", "intermediate"),
        ("9.9", "intermediate"),
        ("10.0", "high"),
        ("99.9", "high"),
    ],
)
def test_ascvd_categories_begin_where_the_guideline_says(percent: str, code: str) -> None:
    category = ascvd_category(Decimal(percent), Settings())
    assert category.code == code
    assert category.indicator == ("warning" if code == "high" else "info")
    assert "ACC/AHA" in category.guideline


def test_only_ascvd_over_ten_years_has_categories() -> None:
    named = [o.id for o in PREDICTOR.outputs if o.category(Decimal(50), Settings())]
    assert named == ["ascvd-10y"]


def test_excludes_whom_the_authors_exclude() -> None:
    assert {rule.fact for rule in PREDICTOR.rules if not rule.must_be} == {
        "deceased",
        "cardiovascular-disease",
        "heart-failure",
        "pregnancy",
        "dialysis",
    }


def test_assumes_no_lab_no_vital_and_no_smoking_status() -> None:
    assumed = {i.fact for i in PREDICTOR.inputs if i.none_recorded_is_no}
    assert assumed == {"diabetes", "statin", "antihypertensive"}
