"""A network whose weights are not here: what a gateway has of one that somebody else keeps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.drawing import weights_of_checks
from fhirtwin.ckks.profiles import NETWORK, Profile

INPUTS: Final = 64
UNITS: Final = (64, 16)
OUTPUTS: Final = 4
CANARIES: Final = 4
RADIUS: Final = "the radius"
"""What `outside` says of inputs that lie out of it together; no input is called so."""

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class HiddenNetwork:
    """What seals for a network and checks its answers.

    Attributes:
        inputs, outputs, low, high, radius: as of the network that the engine holds.
        input_gain: power of two that inputs are multiplied by.
        largest_outputs: magnitudes that no output exceeds, shape (outputs,).
        digest: both sides know the network by it.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    low: Float
    high: Float
    radius: float
    input_gain: float
    largest_outputs: Float
    digest: str

    @property
    def profile(self) -> Profile:
        """The pinned parameters."""
        return NETWORK

    @property
    def answer_bytes(self) -> int:
        """Exact length of the ciphertext of an answer."""
        return NETWORK.answer_bytes

    @cached_property
    def canary(self) -> Float:
        """Weights of the canaries, from 0.5 to 1 by magnitude over what inputs may be, shape (canaries, inputs)."""
        signed = weights_of_checks(b"canary", self.digest, CANARIES * len(self.inputs))
        largest = np.maximum(np.maximum(np.abs(self.low), np.abs(self.high)) * self.input_gain, 2.0**-10)
        return np.asarray(signed.reshape(CANARIES, -1) / largest)

    def spread(self, values: Float) -> Complex:
        """Lay out checked inputs: one complex number a slot."""
        padded = np.zeros(INPUTS)
        padded[: values.size] = values * self.input_gain
        return np.repeat(padded, UNITS[0]).astype(np.complex128)

    def expected_canaries(self, values: Float) -> Float:
        """What the canaries must open to, shape (canaries,)."""
        return np.asarray(self.canary @ (values * self.input_gain))

    def outside(self, values: Float) -> str:
        """The first input that lies out of its bounds, `RADIUS` when all together lie too far out, or nothing."""
        inside = (values >= self.low) & (values <= self.high)
        if not inside.all():
            return self.inputs[int(np.argmin(inside))]
        return "" if float(np.linalg.norm(values)) <= self.radius else RADIUS
