from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Incorrect
from tests.ckks.builders import random_panel

SMALL = Panel(("a", "b"), np.array([-1.0, 0.5]), np.array([2.0, 1.0]), ("r", "s"), np.array([[3.0, -4.0], [0.0, 1.0]]))


def test_range_is_reached_at_corners_and_includes_absent_features() -> None:
    low, high = SMALL.range()
    assert low.tolist() == [-7.0, 0.0]
    assert high.tolist() == [6.0, 1.0]


def test_digest_changes_with_every_name_bound_and_weight() -> None:
    changed = [
        replace(SMALL, features=("a", "c")),
        replace(SMALL, features=("ab", "")),
        replace(SMALL, rows=("r", "t")),
        replace(SMALL, low=SMALL.low - 0.1),
        replace(SMALL, high=SMALL.high + 0.1),
        replace(SMALL, weights=SMALL.weights * (1 + 1e-15)),
    ]
    assert len({panel.digest for panel in (SMALL, *changed)}) == 7
    assert replace(SMALL, weights=SMALL.weights.copy()).digest == SMALL.digest


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": ("a", "a")}, "twice"),
        ({"rows": ("r", "r")}, "twice"),
        ({"rows": (), "weights": np.zeros((0, 2))}, "at least one"),
        ({"weights": np.ones((2, 3))}, "shape"),
        ({"low": np.zeros(3)}, "shape"),
        ({"weights": np.array([[np.nan, 0.0], [0.0, 1.0]])}, "finite"),
        ({"high": np.array([np.inf, 1.0])}, "finite"),
        ({"low": np.array([3.0, 0.5])}, "Feature a"),
        ({"weights": np.array([[0.0, 0.0], [0.0, 1.0]])}, "Row r has no weight"),
        ({"weights": np.array([[1.0, 0.0], [8.1, 0.0]])}, "Row s could sum to 16.20"),
    ],
)
def test_a_panel_that_cannot_be_evaluated_is_refused_by_name(change: dict[str, object], says: str) -> None:
    with pytest.raises(Incorrect, match=says):
        replace(SMALL, **change).check()  # type: ignore[arg-type]


def test_a_panel_may_use_all_of_the_room() -> None:
    random_panel(largest_sum=16.0 - 1e-9).check()
