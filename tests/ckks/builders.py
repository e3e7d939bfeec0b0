"""Panels, vectors and answers for tests of the sealed road."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks import wire
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))

CIPHERTEXT_HEADER, PLAINTEXT_HEADER = 113, 88
"""Bytes before the numbers of a ciphertext or public key, and of a plaintext or secret key, as SEAL writes them."""


def random_panel(seed: int = 1, rows: int = 15, features: int = 27, largest_sum: float = 15.9) -> Panel:
    """A panel whose every row uses nearly all of the room it may use."""
    draw = np.random.default_rng(seed)
    high = draw.uniform(0.2, 5.0, features)
    low = -draw.uniform(0.0, 1.0, features) * high
    weights = draw.normal(size=(rows, features))
    weights *= (largest_sum / (np.abs(weights) @ high))[:, None]
    return Panel(
        tuple(f"feature-{i}" for i in range(features)), low, high, tuple(f"row-{i}" for i in range(rows)), weights
    )


def random_table(seed: int = 1, sizes: tuple[int, ...] = (3, 36, 20, 15, 1, 10)) -> Panel:
    """One-hot lookups side by side, a row each; no code is 0."""
    draw = np.random.default_rng(seed)
    starts = np.cumsum([0, *sizes])
    weights = np.zeros((len(sizes), starts[-1]))
    for row, (start, end) in enumerate(pairwise(starts)):
        weights[row, start:end] = draw.integers(1, 40, end - start) / 32
    return Panel(
        tuple(f"slot-{i}" for i in range(starts[-1])),
        np.zeros(starts[-1]),
        np.ones(starts[-1]),
        tuple(f"book-{i}" for i in range(len(sizes))),
        weights,
        tuple(tuple(range(start, end)) for start, end in zip(starts.tolist(), starts[1:].tolist(), strict=False)),
    )


def random_lookup(table: Panel, draw: np.random.Generator) -> NDArray[np.float64]:
    """One of each choice, or none."""
    values = np.zeros(len(table.features))
    for choice in table.choices:
        if draw.random() < 0.8:
            values[draw.choice(choice)] = 1.0
    return values


def random_vector(panel: Panel, draw: np.random.Generator) -> NDArray[np.float64]:
    """Half of the vectors lie at corners of the declared box."""
    if draw.random() < 0.5:
        return np.where(draw.random(len(panel.features)) < 0.5, panel.low, panel.high)
    return draw.uniform(panel.low, panel.high)


def evaluate(evaluator: Evaluator, features: SealedFeatures) -> SealedScores:
    return evaluator.evaluate(features, wire.keys_digest(features.evaluation_keys))
