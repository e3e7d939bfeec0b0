"""What an engine can answer that holds the weights, and lies: all of it is well formed, and would be signed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fhirtwin.ckks.packing import Grid
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from tests.ckks.builders import evaluate


def moved(evaluator: Evaluator, features: SealedFeatures, by: Mapping[int, float]) -> SealedScores:
    """The right answer with some lanes' sums moved; all others are right.

    Args:
        evaluator: an honest one.
        features: what it was sent.
        by: lane to how much is added to its sum: first the rows of the patient, then as many of the probe.
    """
    layout = _layout(evaluator, features)
    plain = np.zeros(layout.profile.slots, dtype=np.complex128)
    for lane, much in by.items():
        plain[lane :: layout.lanes if layout.steps else plain.size] = much
    return _added(evaluator, features, evaluate(evaluator, features), plain)


def swapped(evaluator: Evaluator, features: SealedFeatures, others: SealedFeatures) -> SealedScores:
    """The patient's sums of one request with the probe's of another: both must be under one key.

    Slots are multiplied one by one, so weights that are zero in the lanes of the one and in those of the other give a
    ciphertext of both.
    """
    layout = _layout(evaluator, features)
    profile = layout.profile
    ring = evaluator._keyed.ring(b"any", features.evaluation_keys)
    of_patient = np.arange(profile.slots) % layout.lanes < layout.rows
    parts = []
    for sent, lanes in ((others, of_patient), (features, ~of_patient)):
        sealed = ring.load(sent.sealed_vector, profile.input_scale)
        ring.multiply(sealed, ring.encode(np.where(lanes, layout.weights, 0.0), profile.weight_scale))
        parts.append(sealed)
    ring.add(parts[0], parts[1])
    for step in layout.steps:
        ring.add_rotated(parts[0], step)
    return SealedScores(profile.name, features.panel_digest, features.request_id, ring.save(parts[0]))


def _layout(evaluator: Evaluator, features: SealedFeatures) -> Grid:
    layout = evaluator._by_panel[features.panel_digest, features.profile]
    assert isinstance(layout, Grid)
    return layout


def _added(evaluator: Evaluator, features: SealedFeatures, right: SealedScores, plain: np.ndarray) -> SealedScores:
    layout = _layout(evaluator, features)
    ring = evaluator._rings[layout.profile.name]
    sealed = ring.load(right.sealed_sums, layout.profile.product_scale)
    ring.add_plain(sealed, ring.encode(plain, layout.profile.product_scale))
    return SealedScores(right.profile, right.panel_digest, right.request_id, ring.save(sealed))
