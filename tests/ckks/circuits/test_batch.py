"""What a batch declares, and which panels it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import profiles
from fhirtwin.ckks.circuits import circuit as module
from fhirtwin.ckks.circuits.batch import PROBES, Batch
from fhirtwin.ckks.context import Ring
from fhirtwin.errors import Incorrect
from tests.ckks.builders import random_panel

PANEL = random_panel(3, rows=5, features=9)


def test_the_profile_is_pinned_and_inside_both_limits() -> None:
    profile = profiles.BATCH
    assert (profile.degree, profile.modulus_bits, profile.input_bits, profile.weight_bits) == (4096, (60, 46), 29, 25)
    profiles.check(profile)
    assert profile.answer_bytes == profile.ciphertext_bytes == 65_649


def test_a_batch_declares_what_it_takes() -> None:
    batch = Batch(PANEL)
    assert (batch.cost.sealed_in, batch.cost.sealed_out, batch.cost.products) == (9, 5, 45)
    assert batch.cost.rotations == batch.evaluation_keys_bytes == 0
    assert (batch.vector_bytes, batch.answer_bytes) == (9 * 65_649, 5 * 65_649)
    assert batch.patients == 4096 - PROBES
    assert 0 < batch.error <= 1e-4


def test_the_digest_differs_from_that_of_the_panel_and_of_other_weights() -> None:
    other = replace(PANEL, weights=PANEL.weights * 0.999)
    other_gains = Batch(PANEL)
    other_gains.__dict__.pop("digest", None)
    other_gains.__dict__["gains"] = 2 * Batch(PANEL).gains
    assert len({PANEL.digest, Batch(PANEL).digest, Batch(other).digest, other_gains.digest}) == 4


def test_weights_of_zero_take_no_product() -> None:
    """Pyfhel refuses a product that is zero everywhere, so the engine must never come to make one."""
    weights = PANEL.weights.copy()
    weights[:, 4] = 0.0
    weights[2, :8] = 0.0
    assert Batch(replace(PANEL, weights=weights)).cost.products == 45 - 5 - 7


def test_a_row_of_which_nothing_is_left_by_rounding_is_refused() -> None:
    weights = PANEL.weights.copy()
    weights[2] *= 1e-9
    with pytest.raises(Incorrect, match="row-2 are too small"):
        Batch(replace(PANEL, weights=weights))


def test_sums_that_could_wrap_round_are_refused() -> None:
    with pytest.raises(Incorrect, match="could sum to"):
        Batch(replace(PANEL, weights=PANEL.weights * 1.1))


def test_features_that_do_not_fit_the_modulus_are_refused() -> None:
    high = PANEL.high.copy()
    high[0] = 2.0**40
    weights = PANEL.weights.copy()
    weights[:, 0] *= 2.0**-43
    with pytest.raises(Incorrect, match="too large for profile P1-batch"):
        Batch(replace(PANEL, high=high, weights=weights))


def test_a_model_whose_error_could_exceed_the_bound_is_refused() -> None:
    """A feature of great range and little weight: its rounded weight is off by more, summed up, than may be."""
    high, weights = PANEL.high.copy(), PANEL.weights * 0.5
    high[0] = 2.0**20
    weights[:, 0] = 2000.5 * 2.0**-25 / 64
    with pytest.raises(Incorrect, match="The error of this model could be"):
        Batch(replace(PANEL, high=high, weights=weights))


def test_a_batch_that_would_fill_an_engine_worker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MEMORY_BYTES", 2**20)
    with pytest.raises(Incorrect, match="split it"):
        Batch(PANEL)


def test_the_noise_of_a_fresh_ciphertext_is_what_the_error_is_reckoned_with() -> None:
    from fhirtwin.ckks.noise import FRESH_NOISE

    ring = Ring(profiles.BATCH)
    ring.make_keys()
    scale = profiles.BATCH.input_scale
    zeros = np.zeros(profiles.BATCH.slots, dtype=np.complex128)
    opened = np.stack([ring.decrypt(ring.load(ring.encrypt(zeros, scale), scale)) for _ in range(20)])
    assert opened.real.std() * scale == pytest.approx(FRESH_NOISE, rel=0.1)
    assert opened.imag.std() * scale == pytest.approx(FRESH_NOISE, rel=0.1)
