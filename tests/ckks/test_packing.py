from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import packing, profiles
from fhirtwin.ckks.layout import Layout
from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import Incorrect
from tests.ckks.builders import random_panel, random_vector

BOTH = [profiles.MASKED, profiles.ROTATING]
SHAPES = [(1, 1), (2, 3), (15, 27), (32, 64), (30, 63)]


def uniform(seed: int) -> Callable[[int], np.ndarray]:
    draw = np.random.default_rng(seed)
    return lambda count: draw.uniform(-1.0, 1.0, count)


def grid(panel: Panel, profile: profiles.Profile) -> packing.Grid:
    made = packing.layout(panel, profile)
    assert isinstance(made, packing.Grid)
    return made


def product(layout: Layout, slots: np.ndarray) -> np.ndarray:
    """What the engine does, in plain."""
    result = slots * layout.weights
    for step in layout.steps:
        result = result + np.roll(result, -step)
    return result


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_those_of_the_patient_then_those_of_the_probe(
    profile: profiles.Profile, shape: tuple[int, int]
) -> None:
    panel = random_panel(3, *shape)
    layout = grid(panel, profile)
    draw = np.random.default_rng(1)
    patient, probe = random_vector(panel, draw), random_vector(panel, draw)
    totals, residue = layout.sums(product(layout, layout.spread(patient, probe)))
    assert totals == pytest.approx([*(panel.weights @ patient), *(panel.weights @ probe)], abs=1e-11)
    assert residue < 1e-11


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_right_answer_is_off_by_nothing(profile: profiles.Profile, shape: tuple[int, int]) -> None:
    panel = random_panel(3, *shape)
    layout = grid(panel, profile)
    laid = layout.lay(random_vector(panel, np.random.default_rng(1)), uniform(2))
    totals, _ = layout.sums(product(layout, laid.slots))
    assert laid.off(totals) < 1e-11


def test_a_patient_and_a_probe_of_any_factor_and_case_keep_to_the_bounds_of_each_feature() -> None:
    panel = random_panel()
    layout = grid(panel, profiles.MASKED)
    for seed in range(200):
        laid = layout.lay(random_vector(panel, np.random.default_rng(seed)), uniform(seed))
        lanes = laid.slots[: layout.blocks * layout.lanes].reshape(layout.blocks, layout.lanes)
        spread = lanes[:, layout.rows]
        probe = np.stack([spread.real, spread.imag], axis=1).reshape(-1)[: len(panel.features)] / layout.gains
        assert (np.abs(probe) <= panel.largest() * (1 + 1e-12)).all()
        assert np.abs(probe).max() > 0.0


def test_factors_are_of_either_sign_and_never_small() -> None:
    made = [packing._factor(drawn) for drawn in np.linspace(-1.0, 1.0, 1001)]
    assert {abs(one) for one in made} <= set(np.abs(made)) and min(map(abs, made)) >= 0.25
    assert max(map(abs, made)) == 0.5 and min(made) == -0.5 and max(made) == 0.5


def test_a_case_has_one_feature_of_each_choice() -> None:
    panel = replace(random_panel(), choices=((0, 1, 2), (5, 6)))
    layout = grid(panel, profiles.MASKED)
    seen = set()
    for seed in range(50):
        case = layout.case(uniform(seed)(len(panel.features)))
        assert not panel.chosen_twice(case)
        assert np.count_nonzero(case) == len(panel.features) - 3
        seen |= set(np.flatnonzero(case).tolist())
    assert seen == set(range(len(panel.features)))


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_a_change_to_any_one_sum_or_any_one_weight_shows(profile: profiles.Profile) -> None:
    panel = random_panel(3, 4, 6)
    layout = grid(panel, profile)
    patient = random_vector(panel, np.random.default_rng(4))
    laid = layout.lay(patient, uniform(5))
    totals, _ = layout.sums(product(layout, laid.slots))
    for place in range(totals.size):
        moved = totals.copy()
        moved[place] += 0.01
        assert laid.off(moved) > profile.tolerance
    for row in range(4):
        for feature in range(6):
            weights = panel.weights.copy()
            weights[row, feature] += 0.05
            wrong = grid(replace(panel, weights=weights * 0.9), profile)
            assert laid.off(wrong.sums(product(wrong, laid.slots))[0]) > profile.tolerance


def test_in_rotating_mode_every_slot_of_a_lane_holds_the_full_sum_and_none_a_partial_one() -> None:
    panel = random_panel()
    layout = grid(panel, profiles.ROTATING)
    lanes = product(layout, layout.spread(panel.high, panel.low)).real.reshape(-1, layout.lanes)
    assert np.abs(lanes - lanes[0]).max() < 1e-11


def test_rotating_mode_needs_five_steps_for_32_models_of_64_features_and_masked_none() -> None:
    panel = random_panel(1, 32, 64)
    assert packing.layout(panel, profiles.ROTATING).steps == (1024, 512, 256, 128, 64)
    masked = packing.layout(panel, profiles.MASKED)
    assert masked.steps == ()
    assert masked.evaluation_keys_bytes == 0


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
    packing.layout(random_panel(1, 32, 64, 16.0), profiles.MASKED)
    with pytest.raises(Incorrect, match="overflow profile P1-mask"):
        packing.layout(random_panel(1, 32, 64, 9000.0), profiles.MASKED)
    packing.layout(random_panel(1, 32, 64, 16.0), profiles.ROTATING)
    with pytest.raises(Incorrect, match="overflow profile P1-rot"):
        packing.layout(random_panel(1, 32, 64, 40.0), profiles.ROTATING)
