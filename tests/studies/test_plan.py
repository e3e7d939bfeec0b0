from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from fhirtwin.ckks.profiles import SUMS
from fhirtwin.errors import Incorrect
from fhirtwin.studies import plan as plans
from fhirtwin.studies import statistics
from fhirtwin.studies.layout import Layout
from fhirtwin.studies.plan import Noise
from tests.studies.builders import AGE, BMI, ILL, SBP, plan

RIGHT: dict[str, Any] = {
    "name": "s",
    "kind": "ridge",
    "sites": ["a", "b", "c"],
    "columns": [{"name": "age", "low": 18, "high": 110, "step": 1}],
    "outcome": {"name": "sbp", "low": 60, "high": 260, "step": 0.5},
}


def read(**changes: Any) -> plans.Plan:
    return plans.read(json.dumps(RIGHT | changes).encode())


def column(**changes: Any) -> dict[str, Any]:
    return {"columns": [{"name": "age", "low": 18, "high": 110, "step": 1} | changes]}


def test_a_plan_is_read() -> None:
    assert read().variables[1].step == Decimal("0.5")
    assert read().minimum_contributors == 3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sites": ["a", "b"]}, "at least 3"),
        ({"minimum_contributors": 2}, "at least 3"),
        ({"minimum_contributors": 4}, "number of sites"),
        ({"sites": ["a", "b", "b"]}, "named twice"),
        ({"sites": ["a", "b", "../c"]}, "letters"),
        ({"kind": "median"}, "cannot be read"),
        ({"maximum": 3}, "cannot be read"),
        ({"outcome": None}, "has an outcome"),
        ({"columns": []}, "1 to 64"),
        ({"kind": "count", "outcome": None}, "no columns"),
        ({"penalty": -1}, "from 0"),
        ({"kind": "mean", "outcome": None, "penalty": 1}, "Only a regression"),
        ({"least_rows": 0}, "least_rows"),
        ({"most_rows": 10**9}, "most_rows"),
        (column(low=120), "low less than high"),
        (column(step=0), "more than 0"),
        (column(step=0.7), "multiples of step"),
        (column(step="0.000000001"), "coarser step"),
        (column(high="1e400"), "finite"),
        (column(high="NaN"), "finite"),
        (column(step="1e-999999999"), "decimal places"),
        (column(low="0e999999999"), "finite"),
        (column(edges=[18, 110]), "edges belong"),
        (column(name=" age"), "without spaces"),
        (column(name="sbp"), "named twice"),
        ({"kind": "logistic"}, "0 or 1"),
        ({"noise": {"epsilon": 0}}, "epsilon"),
        ({"noise": {"epsilon": 1, "honest": 4}}, "honest"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_reason(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Incorrect, match=told):
        read(**changes)


@pytest.mark.parametrize(
    ("edges", "told"), [([18, 50], "from low to high"), ([18, 60, 50, 110], "rise"), ([18, 40.5, 110], "multiples")]
)
def test_cells_cover_everything_once(edges: list[float], told: str) -> None:
    with pytest.raises(Incorrect, match=told):
        read(kind="histogram", outcome=None, **column(edges=edges))


@pytest.mark.parametrize("changes", [{}, {"most_rounds": 2}, {"most_rounds": 11}, {"most_rounds": 100}])
def test_noise_in_a_logistic_regression_wants_its_number_of_rounds(changes: dict[str, Any]) -> None:
    outcome = {"name": "ill", "low": 0, "high": 1, "step": 1}
    with pytest.raises(Incorrect, match=r"exactly most_rounds rounds.* from 3 to 10"):
        read(kind="logistic", outcome=outcome, noise={"epsilon": 1}, **changes)
    for rounds in (3, 10):
        assert read(kind="logistic", outcome=outcome, noise={"epsilon": 1}, most_rounds=rounds).rounds == rounds


def test_rounds_part_the_budget_of_privacy_and_the_last_has_a_half() -> None:
    for rounds in (3, 6, 10):
        noisy = plan("logistic", columns=(AGE,), outcome=ILL, most_rounds=rounds, noise=Noise(2.0))
        parts = [noisy.part(number) for number in range(1, rounds + 1)]
        assert sum(parts) == 1 and parts[-1] == Fraction(1, 2) and len(set(parts[:-1])) == 1
        assert sum(map(noisy.epsilon_of, range(1, rounds + 1))) == pytest.approx(2.0)
    assert plan("mean", columns=(AGE,), noise=Noise(2.0)).part(1) == 1
    assert plan("logistic", columns=(AGE,), outcome=ILL).epsilon_of(1) == float("inf")


def test_bounds_of_statistics_are_those_of_the_extremes() -> None:
    found = {one.name: one for one in statistics.of(plan("ridge", columns=(AGE, BMI), outcome=SBP, most_rows=1000))}
    assert found["sum of age"].high == 1000 * 92 and found["sum of age"].low == -1000 * 92
    assert found["sum of age times bmi"].high == 1000 * 92 * 700
    assert found["sum of bmi times bmi"].low == 0


def test_the_budget_of_privacy_is_parted_evenly_and_scales_follow_from_bounds() -> None:
    noisy = plan("mean", columns=(AGE,), noise=Noise(1.5))
    found = {one.name: one for one in statistics.of(noisy)}
    # Three groups: rows, sum, sum of squares; so each has an epsilon of a half.
    assert found["rows"].scale == 2 * 1
    assert found["sum of age"].scale == 2 * 92
    assert found["sum of age times age"].scale == 2 * 92**2
    assert found["sites"].scale == 0
    assert sum(one.sensitivity / one.scale for one in found.values() if one.scale) == pytest.approx(1.5)


def test_a_study_that_is_too_large_is_refused() -> None:
    found = [statistics.Statistic(str(number), 0, 2**200) for number in range(40_000)]
    with pytest.raises(Incorrect, match="64 are the most"):
        Layout(tuple(found))


def test_noise_of_a_place_stays_far_below_a_half() -> None:
    assert Layout(statistics.of(plan())).error <= SUMS.error < 0.01
