"""Polygenic scores whose weights are not here: what a gateway has of those that somebody else keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.polygenic import GAIN_BITS, AnyPolygenic
from fhirtwin.ckks.profiles import POLYGENIC
from fhirtwin.errors import Incorrect

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HiddenPolygenic(AnyPolygenic):
    """Scores without their weights.

    Attributes:
        package: SHA-256, in hex, of the manifest of its package: both sides know it by that.
        gain_bits: binary logarithm of the gain.
        sums: of the weights of each score, shape (scores,).
        most: what the magnitudes of the weights of each score add up to, at most, shape (scores,).

    Raises:
        Incorrect: names, shapes or numbers are wrong, or a score could overflow.
    """

    package: str
    gain_bits: int
    sums: Float
    most: Float

    def __post_init__(self) -> None:
        super().__post_init__()
        if {self.sums.shape, self.most.shape} != {(len(self.scores),)} or abs(self.gain_bits) > GAIN_BITS:
            raise Incorrect("A polygenic model without weights needs a sum and a bound for each score, and a gain.")
        if not (np.isfinite(self.sums).all() and (np.abs(self.sums) <= self.most).all() and (self.most > 0).all()):
            raise Incorrect("The sums of the weights of a polygenic model leave the bounds that it declares.")
        self.refuse_overflow()
        self.refuse_excess()

    @property
    def digest(self) -> str:
        """The hash of the package."""
        return self.package

    @property
    def error(self) -> float:
        """The most that there may be: that it is no more is for the engine to see, which has the weights."""
        return POLYGENIC.error

    @property
    def gain(self) -> float:
        """As the package declares it."""
        return float(2.0**self.gain_bits)

    @property
    def constants(self) -> Float:
        """As the package declares them."""
        return self.sums

    @property
    def largest(self) -> Float:
        """As the package declares it."""
        return self.most
