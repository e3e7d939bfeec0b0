"""The IWPC equations: worked example, every weight, refusals."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx import warfarin
from fhirtwin.pgx.warfarin import Person, estimate

EXAMPLE = Person(65, 170, 70, "-1639 GG", "*1/*1", "White")


def test_the_worked_example() -> None:
    assert round(estimate(EXAMPLE).weekly, 1) == 41.1
    assert estimate(EXAMPLE).equation == "pharmacogenetic"


def test_weights_are_those_of_the_paper(shared: Path) -> None:
    with (shared / "data/pgx/evidence/warfarin_iwpc2009.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if not row["term"].startswith("#")]
    with_genes = sorted(float(row["pharmacogenetic"]) for row in rows)
    assert with_genes == sorted(warfarin.PHARMACOGENETIC.values())
    assert sorted(float(row["clinical"]) for row in rows if row["clinical"]) == sorted(warfarin.CLINICAL.values())
    by_term = {row["term"]: row for row in rows}
    for name in ("Asian", "Black or African American", "missing or mixed race", "amiodarone", "intercept"):
        assert float(by_term[name]["pharmacogenetic"]) == warfarin.PHARMACOGENETIC[name]
        assert float(by_term[name]["clinical"]) == warfarin.CLINICAL[name]


@pytest.mark.parametrize(
    ("changed", "adds"),
    [
        ({"vkorc1": "-1639 AA"}, -1.6974),
        ({"vkorc1": "unknown"}, -0.4854),
        ({"cyp2c9": "*2/*3"}, -1.9206),
        ({"race": "Asian"}, -0.1092),
        ({"inducer": True}, 1.1816),
        ({"amiodarone": True}, -0.5503),
        ({"age": 75}, -0.2614),
        ({"height": 180.0}, 0.087),
    ],
)
def test_each_input_changes_the_root_of_the_dose_by_its_weight(changed: dict[str, object], adds: float) -> None:
    other = estimate(replace(EXAMPLE, **changed))  # type: ignore[arg-type]
    assert math.sqrt(other.weekly) - math.sqrt(estimate(EXAMPLE).weekly) == pytest.approx(adds)


def test_age_counts_at_most_nine_decades() -> None:
    assert estimate(replace(EXAMPLE, age=90)).weekly == estimate(replace(EXAMPLE, age=107)).weekly


def test_without_genes_the_clinical_equation_is_used() -> None:
    dose = estimate(Person(65, 170, 70, race="White"))
    assert dose.equation == "clinical"
    assert dose.weekly == pytest.approx((4.0376 - 0.2546 * 6 + 0.0118 * 170 + 0.0134 * 70) ** 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"age": 17},
        {"age": 121},
        {"height": 1.7},
        {"height": math.nan},
        {"weight": 500.0},
        {"cyp2c9": "*1/*5"},
        {"vkorc1": "GG"},
        {"race": "white"},
    ],
)
def test_what_the_equation_does_not_know_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Unprocessable, match="The warfarin equation"):
        estimate(replace(EXAMPLE, **changed))  # type: ignore[arg-type]
