"""A panel: many linear models over one feature vector, evaluated together on one ciphertext."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows by features.

    Attributes:
        features: names, in the order of the vector.
        low, high: bounds of each feature, inclusive, shape (features,).
        rows: names, in the order of the answer.
        weights: shape (rows, features), float64.
    """

    features: tuple[str, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rows: tuple[str, ...]
    weights: NDArray[np.float64]

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of names, bounds and weights: both sides must hold the same panel."""
        h = hashlib.sha256()
        for part in (self.features, self.rows):
            h.update("\x00".join(part).encode() + b"\x01")
        for array in (self.low, self.high, self.weights):
            h.update(np.ascontiguousarray(array, dtype="<f8").tobytes() + b"\x01")
        return h.hexdigest()
