"""The reckoning of a round of a logistic regression with noise, and plans in which noise would hide all there is."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.studies import slopes, statistics
from fhirtwin.studies.column import Column
from fhirtwin.studies.plan import Noise, Plan
from tests.studies.builders import AGE, BMI, ILL, plan


def noisy(epsilon: float = 1.0, **changes: object) -> Plan:
    said = {"columns": (AGE, BMI), "outcome": ILL, "most_rounds": 6, "noise": Noise(epsilon)}
    return plan("logistic", **(said | changes))


def test_the_worst_row_spends_just_what_a_round_may() -> None:
    away = np.linspace(0, 1, 100_001)
    spent = slopes.GRADIENT * away + slopes.CURVATURE * away * (1 - away)
    assert spent.max() == pytest.approx(1.0, abs=1e-9)
    assert away[spent.argmax()] == pytest.approx(0.75, abs=1e-4)


def test_scales_are_those_of_the_page() -> None:
    found = {one.name: one for one in statistics.of(noisy(0.5))}
    assert found["gradient of bmi"].scale == pytest.approx(3 * 9 / (8 * 0.5) * 2**30)
    assert found["curvature of age and bmi"].scale == pytest.approx(6 * 9 / (16 * 0.5) * 2**30)


def test_nothing_is_opened_but_what_a_step_needs() -> None:
    names = [one.name for one in statistics.of(noisy(missing="leave out"))]
    assert len(names) == 1 + 3 + 6
    assert not {"rows", "left out", "loss"} & set(names)
    assert {"rows", "left out", "loss"} < {one.name for one in statistics.of(noisy(missing="leave out", noise=None))}


def test_noise_of_more_than_the_needed_contributors_is_more() -> None:
    said = noisy(minimum_contributors=3)  # so that two have noise enough
    assert slopes.spread(2.0, said, 2) == pytest.approx(2 * 2**0.5)
    assert slopes.spread(2.0, said, 4) == pytest.approx(2 * 2)
    assert slopes.spread(2.0, said, 1) == slopes.spread(2.0, said, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": Noise(0.001)},
        {"noise": Noise(1.0), "most_rows": 20},
        {
            "noise": Noise(1.0),
            "most_rows": 2000,
            "columns": tuple(Column(f"c{number}", Decimal(0), Decimal(1), Decimal(1)) for number in range(64)),
        },
    ],
)
def test_noise_that_hides_whatever_there_is_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Incorrect, match="larger than what all rows together"):
        statistics.of(noisy(**({"most_rows": 1000} | changes)))
    assert statistics.of(noisy(most_rows=1000))
