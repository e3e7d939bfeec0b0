from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import packing, profiles
from fhirtwin.ckks.layout import NONCE_LIMIT, Layout
from fhirtwin.errors import Incorrect
from tests.ckks.builders import random_panel, random_vector

BOTH = [profiles.MASKED, profiles.ROTATING]
SHAPES = [(1, 1), (2, 3), (15, 27), (32, 64), (30, 63)]


def product(layout: Layout, slots: np.ndarray) -> np.ndarray:
    """What the engine does, in plain."""
    result = slots * layout.weights
    for step in layout.steps:
        result = result + np.roll(result, -step)
    return result


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_the_rows_then_the_nonce_then_the_canary(profile: profiles.Profile, shape: tuple[int, int]) -> None:
    panel = random_panel(3, *shape)
    layout = packing.layout(panel, profile)
    vector = random_vector(panel, np.random.default_rng(1))
    totals, residue = layout.sums(product(layout, layout.spread(vector, 1.25)))
    right = [*(panel.weights @ vector), 1.25, layout.expected_canaries(vector, 1.25)[0]]
    assert totals == pytest.approx(right, abs=1e-11)
    assert residue < 1e-11


def test_in_rotating_mode_every_slot_of_a_lane_holds_the_full_sum_and_none_a_partial_one() -> None:
    panel = random_panel()
    layout = packing.layout(panel, profiles.ROTATING)
    assert isinstance(layout, packing.Grid)
    lanes = product(layout, layout.spread(panel.high, 0.5)).real.reshape(-1, layout.lanes)
    assert np.abs(lanes - lanes[0]).max() < 1e-11


def test_rotating_mode_needs_five_steps_for_32_models_of_64_features_and_masked_none() -> None:
    panel = random_panel(1, 32, 64)
    assert packing.layout(panel, profiles.ROTATING).steps == (1024, 512, 256, 128, 64)
    masked = packing.layout(panel, profiles.MASKED)
    assert masked.steps == ()
    assert masked.evaluation_keys_bytes == 0


def test_canary_depends_on_every_feature_on_the_nonce_and_on_the_panel() -> None:
    panel = random_panel()
    layout = packing.layout(panel, profiles.MASKED)
    zero = np.zeros(len(panel.features))
    for i, high in enumerate(panel.high):
        one = zero.copy()
        one[i] = high
        assert abs(layout.expected_canaries(one, 0.0)[0]) > 10 * profiles.MASKED.tolerance
    assert abs(layout.expected_canaries(zero, 1.0)[0]) > 10 * profiles.MASKED.tolerance
    other = packing.layout(replace(panel, rows=("renamed", *panel.rows[1:])), profiles.MASKED)
    assert abs(other.expected_canaries(panel.high, 1.0)[0] - layout.expected_canaries(panel.high, 1.0)[0]) > 0.01


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_canary_stays_within_its_limit(profile: profiles.Profile) -> None:
    panel = random_panel()
    layout = packing.layout(panel, profile)
    assert isinstance(layout, packing.Grid)
    worst = np.where(layout.canary[: len(panel.features)] > 0, panel.high, panel.low)
    assert abs(layout.expected_canaries(worst, NONCE_LIMIT)[0]) <= 8.0


def test_gains_are_powers_of_two() -> None:
    gains = packing.layout(random_panel(), profiles.MASKED).gains
    assert np.frexp(gains)[0].tolist() == [0.5] * gains.size


def test_a_panel_too_large_for_the_slots_is_refused() -> None:
    with pytest.raises(Incorrect, match="does not fit"):
        packing.layout(random_panel(1, 70, 60), profiles.MASKED)
    with pytest.raises(Incorrect, match="does not fit"):
        packing.layout(random_panel(1, 33, 65), profiles.ROTATING)


def test_a_panel_whose_coefficients_could_wrap_round_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirtwin.ckks.panel.LARGEST_SUM", 1e9)
    packing.layout(random_panel(1, 60, 64, 16.0), profiles.MASKED)
    with pytest.raises(Incorrect, match="overflow profile P1-mask"):
        packing.layout(random_panel(1, 60, 64, 9000.0), profiles.MASKED)
    with pytest.raises(Incorrect, match="overflow profile P1-rot"):
        packing.layout(random_panel(1, 60, 64, 40.0), profiles.ROTATING)
