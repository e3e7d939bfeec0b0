"""A panel without weights: its probes are combinations of known cases, and it lies as the engine's does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import noise, packing, profiles
from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Incorrect
from tests.ckks.builders import random_panel, random_vector


def hidden_of(panel: Panel, cases: int = 6, seed: int = 3) -> HiddenPanel:
    """What a gateway has of a panel."""
    draw = np.random.default_rng(seed)
    vectors = np.array([random_vector(panel, draw) for _ in range(cases)])
    least, greatest = panel.range()
    return HiddenPanel(
        panel.features,
        panel.low,
        panel.high,
        panel.rows,
        panel.digest,
        least,
        greatest,
        vectors,
        vectors @ panel.weights.T,
    )


PANEL = replace(random_panel(), package="ab" * 32)
HIDDEN = hidden_of(PANEL)


def test_both_sides_know_it_by_the_same_digest_and_lay_it_out_alike() -> None:
    assert HIDDEN.digest == PANEL.digest == "ab" * 32
    whole, without = packing.layout(PANEL, profiles.MASKED), packing.layout(HIDDEN, profiles.MASKED)
    assert (whole.gains == without.gains).all() and whole.steps == without.steps
    assert (whole.lane_of == without.lane_of).all() and without.weights.size == 0


def test_gains_tell_nothing_of_the_weights() -> None:
    other = replace(PANEL, weights=np.flip(PANEL.weights, axis=1) * 0.1)
    assert (packing.layout(other, profiles.MASKED).gains == packing.layout(PANEL, profiles.MASKED).gains).all()
    plain = replace(PANEL, package="")
    assert (packing.layout(plain, profiles.MASKED).gains != packing.layout(PANEL, profiles.MASKED).gains).any()


def test_a_combination_keeps_to_the_bounds_and_its_answer_is_right() -> None:
    draw = np.random.default_rng(5)
    seen = []
    for _ in range(300):
        case, answer = HIDDEN.combined(draw.uniform(-1, 1, 7), packing.LARGEST_CASE)
        assert (np.abs(case) <= packing.LARGEST_CASE * HIDDEN.largest() + 1e-12).all()
        assert answer == pytest.approx(PANEL.weights @ case, abs=1e-12)
        seen.append(case)
    assert np.linalg.matrix_rank(np.array(seen)) == 6  # every known case has its part


def test_even_of_one_case_how_much_is_secret() -> None:
    draw = np.random.default_rng(6)
    one = hidden_of(PANEL, cases=1)
    shares = np.array([one.combined(draw.uniform(-1, 1, 2), 0.5)[0][0] / one.cases[0, 0] for _ in range(2000)])
    assert (np.abs(shares) >= 0.25 - 1e-12).all() and (np.abs(shares) <= 0.5 + 1e-12).all()
    counts, _ = np.histogram(np.abs(shares), 5, (0.25, 0.5))
    assert counts.min() > 300 and 800 < (shares > 0).sum() < 1200


def test_nothing_drawn_at_all_divides_by_nothing() -> None:
    case, answer = HIDDEN.combined(np.zeros(7), 0.5)
    assert not case.any() and not answer.any()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"cases": np.empty((0, 27)), "answers": np.empty((0, 15))}, "a case whose answer is known"),
        ({"answers": HIDDEN.answers[:, :3]}, "shape"),
        ({"cases": HIDDEN.cases + 100}, "lies outside the bounds of its features"),
        ({"answers": HIDDEN.answers + 100}, "outside the bounds of its row"),
        ({"least": HIDDEN.least * np.nan}, "finite"),
        ({"rows": ("row-0",) * 15}, "twice"),
    ],
)
def test_what_nothing_can_be_sealed_by_is_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        packing.layout(replace(HIDDEN, **changes), profiles.MASKED)  # type: ignore[arg-type]


def test_a_table_is_not_sealed_without_its_weights() -> None:
    with pytest.raises(Incorrect, match="table"):
        packing.layout(HIDDEN, profiles.SPARSE)


def test_the_forecast_error_grows_with_weight_on_one_feature() -> None:
    spread = noise.error_of(PANEL, profiles.MASKED)
    assert (spread < 1e-4).all()
    weights = np.zeros((1, 27))
    weights[0, 0] = 15.9 / PANEL.largest()[0]
    steep = replace(PANEL, rows=("steep",), weights=weights)
    assert noise.error_of(steep, profiles.MASKED)[0] > 1e-4


def _caught(panel: HiddenPanel, draw: np.random.Generator) -> bool:
    """One lie, in numbers that an engine works on sealed: moved sums, cleverly moved sums, or weights a little off."""
    layout = packing.layout(panel, profiles.MASKED)
    patient = random_vector(PANEL, draw)
    weights, rows = PANEL.weights, len(PANEL.rows)
    case_and_factor: list[np.ndarray] = []

    def uniform(count: int) -> np.ndarray:
        case_and_factor.append(draw.uniform(-1, 1, count))
        return case_and_factor[-1]

    laid = layout.lay(patient, uniform)
    factor = packing._factor(float(case_and_factor[0][0]))
    case, _ = panel.combined(case_and_factor[1], packing.LARGEST_CASE)
    probe = factor * patient + case
    lie, by = draw.integers(3), draw.choice([-1, 1]) * 10 ** draw.uniform(-2, 0)
    moved = np.zeros(2 * rows)
    row = int(draw.integers(rows))
    if lie == 2:
        weights = weights * (1 - 0.05 * draw.random(weights.shape))
    else:
        moved[row] = by
        moved[rows + row] = draw.choice([-1, 1]) * draw.uniform(0.25, 0.5) * by if lie else 0.0
    return laid.off(np.concatenate([weights @ patient, weights @ probe]) + moved) > profiles.MASKED.tolerance


@pytest.mark.parametrize("cases", [1, 6])
def test_an_engine_that_lies_in_one_of_a_hundred_calls_is_caught_within_a_thousand(cases: int) -> None:
    draw = np.random.default_rng(20261121)
    panel = hidden_of(PANEL, cases)
    caught = sum(any(_caught(panel, draw) for _ in range(draw.binomial(1000, 0.01))) for _ in range(1000))
    assert caught >= 990
