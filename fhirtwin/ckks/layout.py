"""What vault and engine share of how a panel lies in slots, however it does: gains and limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Incorrect

_LARGEST_GAIN_BITS = 6

# Binary logarithm of the noise of sealing over that of rounding the encoded weights, as standard deviations in one slot
# (2.7e-6 and 1.1e-6 under P1-mask and a public key, measured). It says how far features are best scaled up and weights
# down.
_NOISE_RATIO_BITS = 1.3

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Places = NDArray[np.intp]

AnyPanel = Panel | HiddenPanel
"""With its weights, as engines have it, or without."""

Uniform = Callable[[int], Float]
"""Draws so many secret numbers, uniform between -1 and 1."""


@dataclass(frozen=True, eq=False)
class Laid:
    """A vector in slots, and what its answer is judged by.

    Attributes:
        slots: one complex number a slot.
        off: tells of the sums of an answer by how much its checks are off, at most; 0 of a right one without noise.
    """

    slots: Complex
    off: Callable[[Float], float]


@dataclass(frozen=True, eq=False)
class Layout(ABC):
    """Where everything of a panel lies under a profile.

    Attributes:
        steps: by which to rotate and add, largest first; empty when the vault adds up.
        gains: powers of two that features are multiplied by, and weights divided by, so that noise weighs least.
        weights: complex, one a slot; none where they are not known.
        lane_of: of each slot that is used, from the first, the lane whose sum it belongs to.
        low, high: what every row's sum must lie between, shape (rows,).
    """

    panel: AnyPanel
    profile: Profile
    steps: tuple[int, ...]
    gains: Float
    weights: Complex
    lane_of: Places
    low: Float
    high: Float

    @property
    def rows(self) -> int:
        """Rows of the panel, without the check lanes."""
        return len(self.panel.rows)

    @cached_property
    def lane_sizes(self) -> Places:
        """How many slots each lane has."""
        return np.bincount(self.lane_of)

    @property
    def evaluation_keys_bytes(self) -> int:
        """Exact length of the evaluation keys that come with a request for this panel."""
        return self.profile.rotation_keys_bytes(len(self.steps))

    @abstractmethod
    def lay(self, values: Float, uniform: Uniform) -> Laid:
        """Lay out checked feature values, in panel order, with secret numbers by which the answer is judged."""

    @abstractmethod
    def sums(self, opened: Complex) -> tuple[Float, float]:
        """Add up what was opened: every lane's sum, and the largest magnitude where zero must be.

        Returns:
            Sums of the rows, then of the lanes that the answer is judged by, and the largest residue.
        """


def paired(values: Float, pairs: int) -> Complex:
    """Put neighbours together as one complex number, filled up with zeros to so many pairs."""
    padded = np.zeros(2 * pairs)
    padded[: values.size] = values
    return padded.view(np.complex128)


def gains_of(panel: AnyPanel, noise_ratio_bits: float = _NOISE_RATIO_BITS) -> Float:
    """Powers of two, so that multiplying and dividing by them is exact on both sides.

    Those of a model package follow from the bounds of its features alone: its weights are not known to the one side.

    Args:
        panel: whose features they are for.
        noise_ratio_bits: binary logarithm of the noise of a feature over that of a weight, each at its scale.
    """
    largest_value = panel.largest()
    if isinstance(panel, HiddenPanel) or panel.package:
        largest_weight = 1.0 / np.where(largest_value > 0, largest_value, 1.0)
    else:
        largest_weight = np.abs(panel.weights).max(axis=0)
    usable = (largest_weight > 0) & (largest_value > 0)
    ratio = np.where(usable, largest_weight, 1.0) / np.where(usable, largest_value, 1.0)
    bits = np.rint((noise_ratio_bits + np.log2(ratio)) / 2)
    return np.asarray(2.0 ** np.clip(bits, -_LARGEST_GAIN_BITS, _LARGEST_GAIN_BITS), dtype=np.float64)


def refuse_overflow(profile: Profile, products: float) -> None:
    """Refuse a panel of whose polynomial a coefficient could reach the modulus, by its products or by its masks.

    No coefficient of a polynomial exceeds the mean magnitude of its slots; so the largest products of all slots are
    averaged over all slots. A coefficient of the masks is a mean of independent uniform numbers times factors of at
    most one; by Hoeffding's inequality it exceeds a quarter of their bound with a probability of at most
    2 · exp(−slots / 32), which is below 1e-27.

    Args:
        profile: says what the modulus is and how large masks are.
        products: mean magnitude of the largest products, over all slots.
    """
    if products + 2.0**profile.mask_bits / 4 >= profile.largest_coefficient:
        raise Incorrect(f"The sums of this panel could overflow profile {profile.name}; centre its features.")
