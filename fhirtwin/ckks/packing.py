"""How a panel lies in the slots of one ciphertext: the layout that vault and engine share.

A slot holds a *complex pair* of features, x₀ + i·x₁; it is multiplied by w₀ − i·w₁, and the real part of the product is
w₀·x₀ + w₁·x₁. Slots are ordered block by block: block j, lane r lies at j · lanes + r, and lane r belongs to row r. The
sum of a lane over all blocks is the row's linear predictor.

After the rows of the panel come two *check lanes*, which make an answer that is wrong, stale or of another request an
error. In the nonce lane every feature is the request's nonce and the weights sum to one, so it echoes the nonce. In the
canary lane every feature is raised by the nonce and the weights follow from the panel's digest, so its sum is known to
who sealed it and depends on every feature, on the nonce and on the panel. All other lanes and slots are zero, and must
come back as zero. The check lanes detect mistakes and damage; against an engine that lies there is no proof here, since
it knows the weights: that it is the right engine is what the message authentication says.

In sparse mode it lies otherwise: `fhirtwin.ckks.sparse`.

In rotating mode, blocks and lanes are rounded up to powers of two and the whole is repeated over all slots, so that
rotating and adding leaves the full sum of its lane in every slot and no partial sum in any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fhirtwin.ckks import sparse
from fhirtwin.ckks.layout import (
    NONCE_LIMIT,
    Complex,
    Float,
    Layout,
    canary_of,
    gains_of,
    paired,
    refuse_overflow,
)
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Incorrect

_CHECK_LANES = 2


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


@dataclass(frozen=True, eq=False)
class Grid(Layout):
    """Blocks by lanes, every row over every feature.

    Attributes:
        blocks, lanes: the grid of slots; `blocks * lanes` of them, repeated `copies` times.
        canary: weights of the canary lane.
    """

    blocks: int
    lanes: int
    copies: int
    canary: Float

    def spread(self, values: Float, nonce: float) -> Complex:
        """Lay out checked feature values, in panel order, and a nonce: one complex number a slot."""
        pairs = paired(values * self.gains, self.blocks)
        shift = nonce * (1 + 1j)
        grid = np.zeros((self.blocks, self.lanes), dtype=np.complex128)
        grid[:, : self.rows] = pairs[:, None]
        grid[:, self.rows] = shift
        grid[:, self.rows + 1] = pairs + shift
        return _over_slots(grid, self.copies, self.profile.slots)

    def expected_canaries(self, values: Float, nonce: float) -> tuple[float]:
        """What the one canary lane must open to."""
        raised = np.zeros(2 * self.blocks)
        raised[: values.size] = values * self.gains
        return (float(self.canary @ (raised + nonce)),)

    def sums(self, opened: Complex) -> tuple[Float, float]:
        """Add up what was opened: every lane's sum, and the largest magnitude where zero must be."""
        used = self.blocks * self.lanes
        real = opened.real
        if self.steps:
            grid = real.reshape(-1, self.lanes)
            return grid[0, : self.rows + _CHECK_LANES], float(
                max(np.abs(grid[:, self.rows + _CHECK_LANES :]).max(initial=0.0), np.abs(grid - grid[0]).max())
            )
        totals = real[:used].reshape(self.blocks, self.lanes).sum(axis=0)
        return totals, float(np.abs(opened[used:]).max(initial=0.0))


def layout(panel: Panel, profile: Profile) -> Layout:
    """Lay a panel out as its profile says, and refuse one that could overflow.

    Raises:
        Incorrect: the panel does not fit the slots, or a sum of it could wrap round the modulus.
    """
    panel.check()
    return sparse.layout(panel, profile) if profile.mode == "sparse" else _grid(panel, profile)


def _grid(panel: Panel, profile: Profile) -> Grid:
    rotating = profile.mode == "rotating"
    lanes, blocks = len(panel.rows) + _CHECK_LANES, (len(panel.features) + 1) // 2
    if rotating:
        lanes, blocks = _power_of_two(lanes), max(2, _power_of_two(blocks))
    if lanes * blocks > profile.slots:
        raise Incorrect(
            f"A panel of {len(panel.rows)} rows and {len(panel.features)} features does not fit a ciphertext."
        )
    copies = profile.slots // (lanes * blocks) if rotating else 1
    steps = tuple(lanes << i for i in reversed(range(blocks.bit_length() - 1))) if rotating else ()

    gains = gains_of(panel)
    canary = canary_of(panel, gains, blocks, blocks)
    weights = np.zeros((len(panel.rows) + _CHECK_LANES, 2 * blocks))
    weights[: len(panel.rows), : len(panel.features)] = panel.weights / gains
    weights[len(panel.rows)] = 1.0 / (2 * blocks)
    weights[len(panel.rows) + 1] = canary
    grid = np.zeros((blocks, lanes), dtype=np.complex128)
    grid[:, : len(weights)] = (weights[:, 0::2] - 1j * weights[:, 1::2]).T

    refuse_overflow(profile, _products(panel, profile, gains, grid))
    low, high = panel.range()
    slots = _over_slots(grid, copies, profile.slots)
    lane_of = np.tile(np.arange(lanes), blocks)
    return Grid(panel, profile, steps, gains, slots, lane_of, low, high, blocks, lanes, copies, canary)


def _over_slots(grid: Complex, copies: int, slots: int) -> Complex:
    filled = np.tile(grid.reshape(-1), copies)
    return np.concatenate([filled, np.zeros(slots - filled.size, dtype=np.complex128)])


def _products(panel: Panel, profile: Profile, gains: Float, grid: Complex) -> float:
    """Mean magnitude, over all slots, of the largest products."""
    raised = np.zeros(2 * len(grid))
    raised[: len(gains)] = panel.largest() * gains
    pairs = np.hypot(raised[0::2], raised[1::2])
    largest = np.full(grid.shape, 0.0)
    largest[:, : len(panel.rows)] = pairs[:, None]
    largest[:, len(panel.rows)] = NONCE_LIMIT * np.sqrt(2)
    largest[:, len(panel.rows) + 1] = np.hypot(raised[0::2] + NONCE_LIMIT, raised[1::2] + NONCE_LIMIT)
    products = np.abs(grid) * largest
    return float(products.sum(axis=0).mean() if profile.mode == "rotating" else products.sum() / profile.slots)
