"""A panel: many linear models over one feature vector, evaluated together on one ciphertext."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
        choices: sets of features, by their places, of which at most one is not 0 in any vector (a one-hot vector is
            one such set); the vault refuses others. No feature is in two.
        package: SHA-256, in hex, of the manifest of the model package it is of, if it is of one. Its gateways, which
            do not have its weights, know it by that.
    """

    features: tuple[str, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rows: tuple[str, ...]
    weights: NDArray[np.float64]
    choices: tuple[tuple[int, ...], ...] = ()
    package: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of names, bounds and weights, or of a package's manifest: both sides hold the same."""
        if self.package:
            return self.package
        h = hashlib.sha256()
        for part in (self.features, self.rows):
            h.update("\x00".join(part).encode() + b"\x01")
        for array in (self.low, self.high, self.weights):
            h.update(np.ascontiguousarray(array, dtype="<f8").tobytes() + b"\x01")
        for choice in self.choices:
            h.update(np.array(choice, dtype="<u4").tobytes() + b"\x02")
        return h.hexdigest()

    def largest(self) -> NDArray[np.float64]:
        """Largest magnitude of each feature, shape (features,)."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def range(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and greatest sum of each row over all admissible vectors, zeros included, two of shape (rows,)."""
        at_low = self.weights * np.minimum(self.low, 0.0)
        at_high = self.weights * np.maximum(self.high, 0.0)
        greatest = self.added(np.maximum(at_low, at_high))
        return -self.added(-np.minimum(at_low, at_high)), greatest

    def chosen_twice(self, values: NDArray[np.float64]) -> bool:
        """Tell whether a vector, or one of several that are a line each, has two that are not 0 of one choice."""
        if not self.choices:
            return False
        line, place = np.nonzero(np.atleast_2d(values))
        choice = self._choice_of[place]
        seen = (line * (len(self.choices) + 1) + choice)[choice > 0]
        return bool((np.bincount(seen) > 1).any())

    @cached_property
    def _choice_of(self) -> NDArray[np.intp]:
        """The number of the choice that each feature belongs to, from 1; 0 for those of none."""
        found = np.zeros(len(self.features), dtype=np.intp)
        for number, choice in enumerate(self.choices, 1):
            found[list(choice)] = number
        return found

    def added(self, terms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up terms that are not negative, rows by features; of each choice the greatest alone."""
        total: NDArray[np.float64] = terms[:, self._choice_of == 0].sum(axis=1)
        for choice in self.choices:
            total = total + terms[:, list(choice)].max(axis=1)
        return total

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
        chosen = [place for choice in self.choices for place in choice]
        if len(set(chosen)) != len(chosen) or not set(chosen) <= set(range(features)) or () in self.choices:
            raise Incorrect("A choice of a panel is empty, or names a feature that is not there or is in another.")
        if not all(np.isfinite(array).all() for array in (self.weights, self.low, self.high)):
            raise Incorrect("Bounds and weights of a panel must be finite.")
        for name in np.array(self.features)[self.low > self.high]:
            raise Incorrect(f"Feature {name} has a lower bound above its upper bound.")
        sums = self.added(np.abs(self.weights) * self.largest())
        for name, total in zip(self.rows, sums, strict=True):
            if not total:
                raise Incorrect(f"Row {name} has no weight.")
            if total > LARGEST_SUM:
                raise Incorrect(
                    f"Row {name} could sum to {total:.2f}, and {LARGEST_SUM:g} is the most; centre its features and "
                    "leave its constant to the gateway."
                )


def joined(parts: Mapping[str, Panel]) -> Panel:
    """Lay panels side by side: features and rows are named `<name>:<their name>`, weights are 0 between them."""
    panels = list(parts.values())
    starts = np.cumsum([0, *(len(one.features) for one in panels)])
    weights = np.zeros((sum(len(one.rows) for one in panels), starts[-1]))
    line = 0
    for one, start in zip(panels, starts, strict=False):
        weights[line : line + len(one.rows), start : start + len(one.features)] = one.weights
        line += len(one.rows)
    return Panel(
        features=tuple(f"{name}:{feature}" for name, one in parts.items() for feature in one.features),
        low=np.concatenate([one.low for one in panels]),
        high=np.concatenate([one.high for one in panels]),
        rows=tuple(f"{name}:{row}" for name, one in parts.items() for row in one.rows),
        weights=weights,
        choices=tuple(
            tuple(int(start) + place for place in choice)
            for one, start in zip(panels, starts, strict=False)
            for choice in one.choices
        ),
    )
