"""A panel: many linear models over one feature vector, evaluated together on one ciphertext."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect

LARGEST_SUM = 16.0
"""No row's sum of magnitudes, weight times largest value, may exceed this: a larger sum could wrap round in silence."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows by features.

    Attributes:
        features: names, in the order of the vector.
        low, high: bounds of each feature, inclusive, shape (features,). Features of a predictor not asked are 0.
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

    def largest(self) -> NDArray[np.float64]:
        """Largest magnitude of each feature, shape (features,)."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def range(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and greatest sum of each row over all admissible vectors, zeros included, two of shape (rows,)."""
        at_low = self.weights * np.minimum(self.low, 0.0)
        at_high = self.weights * np.maximum(self.high, 0.0)
        return np.minimum(at_low, at_high).sum(axis=1), np.maximum(at_low, at_high).sum(axis=1)

    def check(self) -> None:
        """Refuse a panel that cannot be evaluated safely.

        Raises:
            Incorrect: shapes, names or numbers are wrong, or a row could sum to more than `LARGEST_SUM`; the text
                names the row or feature.
        """
        features, rows = len(self.features), len(self.rows)
        if not features or not rows:
            raise Incorrect("A panel needs at least one feature and one row.")
        if len(set(self.features)) != features or len(set(self.rows)) != rows:
            raise Incorrect("A panel names a feature or a row twice.")
        if self.weights.shape != (rows, features) or {self.low.shape, self.high.shape} != {(features,)}:
            raise Incorrect("The arrays of a panel do not have the shape that its names say.")
        if not all(np.isfinite(array).all() for array in (self.weights, self.low, self.high)):
            raise Incorrect("Bounds and weights of a panel must be finite.")
        for name in np.array(self.features)[self.low > self.high]:
            raise Incorrect(f"Feature {name} has a lower bound above its upper bound.")
        sums = np.abs(self.weights) @ self.largest()
        for name, total in zip(self.rows, sums, strict=True):
            if not total:
                raise Incorrect(f"Row {name} has no weight.")
            if total > LARGEST_SUM:
                raise Incorrect(
                    f"Row {name} could sum to {total:.2f}, and {LARGEST_SUM:g} is the most; centre its features and "
                    "leave its constant to the gateway."
                )
