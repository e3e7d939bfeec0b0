"""The panel that is shipped, over the declared ranges of its predictors: 10,000 random vectors, corners included."""

from __future__ import annotations

import numpy as np
import pytest

from fhirtwin.ckks import wire
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.predictors import registry
from fhirtwin.vault import Vault
from fhirtwin.vault.keys import FreshKeys

VECTORS = 10_000


@pytest.mark.production_set
@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_error_of_every_linear_predictor_is_at_most_1e_4_and_no_right_answer_is_refused(mode: str) -> None:
    """Checks have a tolerance of at least four times what any of 10,000 right answers was off by."""
    panel = registry.panel(registry.all_predictors())
    evaluator, vault = Evaluator(panel), Vault(panel, mode=mode)
    draw = np.random.default_rng(20230101)
    vectors = draw.uniform(panel.low, panel.high, (VECTORS, len(panel.features)))
    corners = np.where(draw.random(vectors.shape) < 0.5, panel.low, panel.high)
    vectors[: VECTORS // 2] = corners[: VECTORS // 2]
    # The largest and the least sum of each row, both of which a patient at the edge of every range would have.
    extremes = [np.where(side * row > 0, panel.high, panel.low) for row in panel.weights for side in (1, -1)]
    vectors[: len(extremes)] = extremes

    right = vectors @ panel.weights.T
    worst, off = 0.0, 0.0
    for vector, exact in zip(vectors, right, strict=True):
        features, opening = vault.seal(vector)
        ring, opening._ring = opening._ring, None
        assert ring is not None
        answer = evaluator.evaluate(features, wire.keys_digest(features.evaluation_keys))
        sums = vault._sums(ring, answer, opening)
        totals, _ = vault._layout.sums(ring.decrypt(ring.load(answer.sealed_sums, vault.profile.product_scale)))
        off = max(off, opening._expected.off(totals))
        if isinstance(vault._keys, FreshKeys):
            ring.make_keys()
            vault._keys._idle.append(ring)
        worst = max(worst, float(np.abs(sums - exact).max()))
    assert worst <= 1e-4
    assert off <= vault.profile.tolerance / 4
