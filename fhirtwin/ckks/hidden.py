"""A panel whose weights are not here: what a gateway has of a model that somebody else keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect

Float = NDArray[np.float64]

_LEAST_SHARE: Final = 0.5
"""Of the room that a combination of cases has, it takes at least so much; how much is drawn anew each time."""


@dataclass(frozen=True, eq=False)
class HiddenPanel:
    """Names, bounds and known cases, without the weights.

    Attributes:
        features, low, high, rows: as of the panel that the engine holds.
        digest: SHA-256, in hex, of the manifest of its package: both sides know the panel by it.
        least, greatest: what the sum of each row lies between, over all admissible vectors; shape (rows,).
        cases: vectors whose sums are known, each within the bounds; shape (cases, features).
        answers: their sums, shape (cases, rows).
    """

    features: tuple[str, ...]
    low: Float
    high: Float
    rows: tuple[str, ...]
    digest: str
    least: Float
    greatest: Float
    cases: Float
    answers: Float

    @property
    def choices(self) -> tuple[tuple[int, ...], ...]:
        """None: a package has no sets of features of which one alone may be other than 0."""
        return ()

    def largest(self) -> Float:
        """Largest magnitude of each feature, shape (features,)."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def range(self) -> tuple[Float, Float]:
        """Least and greatest sum of each row, as its package declares them."""
        return self.least, self.greatest

    def chosen_twice(self, _values: Float) -> bool:
        """Tell whether a vector breaks a choice; there is none to break."""
        return False

    def combined(self, drawn: Float, most: float) -> tuple[Float, Float]:
        """A vector of which the sums are known, another one each time: a combination of all cases.

        A linear model's answer to a combination of cases is that combination of its answers.

        Args:
            drawn: secret numbers between -1 and 1, one more than there are cases.
            most: how far it goes towards the bounds of each feature, at most; how far it does go is as secret.

        Returns:
            The vector, and the sum of each row for it.
        """
        directions = drawn[1:]
        length = float(np.abs(directions).sum()) or 1.0
        share = _LEAST_SHARE + (1.0 - _LEAST_SHARE) * abs(float(drawn[0]))
        parts = directions * (most * share / length)
        return parts @ self.cases, parts @ self.answers

    def check(self) -> None:
        """Refuse what nothing can be sealed by.

        Raises:
            Incorrect: shapes, names or numbers are wrong, or there is no case; the text says which.
        """
        features, rows, cases = len(self.features), len(self.rows), len(self.cases)
        if not (features and rows and cases):
            raise Incorrect("A panel without weights needs a feature, a row, and a case whose answer is known.")
        if len(set(self.features)) != features or len(set(self.rows)) != rows:
            raise Incorrect("A panel names a feature or a row twice.")
        shapes = {self.low.shape, self.high.shape} == {(features,)} and {self.least.shape, self.greatest.shape} == {
            (rows,)
        }
        if not (shapes and self.cases.shape == (cases, features) and self.answers.shape == (cases, rows)):
            raise Incorrect("The arrays of a panel do not have the shape that its names say.")
        arrays = (self.low, self.high, self.least, self.greatest, self.cases, self.answers)
        if not all(np.isfinite(array).all() for array in arrays):
            raise Incorrect("Bounds and cases of a panel must be finite.")
        if not ((self.cases >= self.low) & (self.cases <= self.high)).all():
            raise Incorrect("A case of a panel lies outside the bounds of its features.")
        if not ((self.answers >= self.least) & (self.answers <= self.greatest)).all():
            raise Incorrect("The answer to a case of a panel lies outside the bounds of its row.")
