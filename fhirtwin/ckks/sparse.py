"""How a table lies in the slots of one ciphertext: slots only for what weighs something.

A table is a panel of many rows each of which needs few of its features, as one-hot lookups do. As in a grid
(`fhirtwin.ckks.packing`) a slot holds a complex pair of features and is multiplied by its complex pair of weights; but
a row has a slot only for pairs of which it weighs one, and the vault adds up the slots of each row. Then come the check
lanes: one that echoes the nonce, and canaries, each over so few pairs that every feature tells in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fhirtwin.ckks.drawing import weights_of_checks
from fhirtwin.ckks.layout import Complex, Float, Laid, Layout, Places, Uniform, gains_of, paired, refuse_overflow
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Incorrect

NONCE_LIMIT = 4.0
"""Nonces are uniform between minus and plus this."""

_CANARY_LIMIT = 8.0
_NONCE_SLOTS = 8
_PAIRS_A_CANARY = 32
_NO_PAIR = -1


@dataclass(frozen=True, eq=False)
class Sparse(Layout):
    """A list of slots.

    Attributes:
        pair_of: of each slot that is used, the pair of features in it; -1 in those of the nonce.
        pairs: how many there are.
        canary: weights of the canaries, two for each pair.
    """

    pair_of: Places
    pairs: int
    canary: Float

    def lay(self, values: Float, uniform: Uniform) -> Laid:
        """Lay out checked feature values beside a nonce, which the check lanes must answer to."""
        nonce = float(uniform(1)[0]) * NONCE_LIMIT
        expected = np.array([nonce, *self.expected_canaries(values, nonce)])
        return Laid(self.spread(values, nonce), lambda totals: float(np.abs(totals[self.rows :] - expected).max()))

    def spread(self, values: Float, nonce: float) -> Complex:
        """Lay out checked feature values, in panel order, and a nonce: one complex number a slot."""
        with_none = np.append(paired(values * self.gains, self.pairs), 0.0)
        slots = np.zeros(self.profile.slots, dtype=np.complex128)
        slots[: self.pair_of.size] = with_none[self.pair_of] + nonce * (1 + 1j) * (self.lane_of >= self.rows)
        return slots

    def expected_canaries(self, values: Float, nonce: float) -> tuple[float, ...]:
        """What the canary lanes must open to."""
        raised = np.zeros(2 * self.pairs)
        raised[: values.size] = values * self.gains
        products = self.canary * (raised + nonce)
        return tuple(np.add.reduceat(products, np.arange(0, products.size, 2 * _PAIRS_A_CANARY)).tolist())

    def sums(self, opened: Complex) -> tuple[Float, float]:
        """Add up what was opened: every lane's sum, and the largest magnitude where zero must be."""
        used = self.lane_of.size
        totals: Float = np.bincount(self.lane_of, opened.real[:used]).astype(np.float64)
        return totals, float(np.abs(opened[used:]).max(initial=0.0))


def layout(panel: Panel, profile: Profile) -> Sparse:
    """Lay a checked panel out, and refuse one that could overflow.

    Raises:
        Incorrect: the panel does not fit the slots, or a sum of it could wrap round the modulus.
    """
    pairs, rows = (len(panel.features) + 1) // 2, len(panel.rows)
    gains = gains_of(panel)
    canary = _canary(panel, gains, pairs)
    weights = np.zeros((rows, 2 * pairs))
    weights[:, : len(panel.features)] = panel.weights / gains

    row_of, pair_of = np.nonzero((weights[:, 0::2] != 0.0) | (weights[:, 1::2] != 0.0))
    every = np.arange(pairs)
    lane_of = np.concatenate([row_of, np.full(_NONCE_SLOTS, rows), rows + 1 + every // _PAIRS_A_CANARY])
    if lane_of.size > profile.slots:
        raise Incorrect(f"A table that needs {lane_of.size} slots does not fit a ciphertext of {profile.slots}.")
    used = np.concatenate(
        [
            weights[row_of, 2 * pair_of] - 1j * weights[row_of, 2 * pair_of + 1],
            np.full(_NONCE_SLOTS, (1 - 1j) / (2 * _NONCE_SLOTS)),
            canary[0::2] - 1j * canary[1::2],
        ]
    )
    slots = np.zeros(profile.slots, dtype=np.complex128)
    slots[: used.size] = used
    places = np.concatenate([pair_of, np.full(_NONCE_SLOTS, _NO_PAIR), every])

    refuse_overflow(profile, _products(panel, gains, used, places, lane_of) / profile.slots)
    low, high = panel.range()
    return Sparse(panel, profile, (), gains, slots, lane_of, low, high, places, pairs, canary)


def _canary(panel: Panel, gains: Float, pairs: int) -> Float:
    """Weights of the canaries, scaled so that the sum of each keeps to its limit."""
    largest = np.full(2 * pairs, NONCE_LIMIT)
    largest[: len(gains)] += panel.largest() * gains
    drawn = weights_of_checks(b"canary", panel.digest, 2 * pairs)
    return np.asarray(drawn * _CANARY_LIMIT / (2 * _PAIRS_A_CANARY) / largest)


def _products(panel: Panel, gains: Float, weights: Complex, pair_of: Places, lane_of: Places) -> float:
    """Sum of the magnitudes of the largest products."""
    largest = np.append(paired(panel.largest() * gains, (len(panel.features) + 1) // 2), 0.0)
    raised = largest[pair_of] + NONCE_LIMIT * (1 + 1j) * (lane_of >= len(panel.rows))
    return float((np.abs(weights) * np.abs(raised)).sum())
