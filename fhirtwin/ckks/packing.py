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

In rotating mode, blocks and lanes are rounded up to powers of two and the whole is repeated over all slots, so that
rotating and adding leaves the full sum of its lane in every slot and no partial sum in any.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Incorrect

NONCE_LIMIT = 4.0
"""Nonces are uniform between minus and plus this."""

_CANARY_LIMIT = 8.0
_CHECK_LANES = 2
_LARGEST_GAIN_BITS = 6

# Binary logarithm of the noise of sealing over that of rounding the encoded weights, as standard deviations in one slot
# (2.7e-6 and 1.1e-6 under P1-mask, measured). It says how far features are best scaled up and weights down.
_NOISE_RATIO_BITS = 1.3

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


@dataclass(frozen=True, eq=False)
class Layout:
    """Where everything of a panel lies under a profile.

    Attributes:
        blocks, lanes: the grid of slots; `blocks * lanes` of them, repeated `copies` times.
        steps: by which to rotate and add, largest first; empty in masked mode.
        gains: powers of two that features are multiplied by, and weights divided by, so that noise weighs least.
        weights: complex, one a slot.
        low, high: what every row's sum must lie between, shape (rows,).
    """

    panel: Panel
    profile: Profile
    blocks: int
    lanes: int
    copies: int
    steps: tuple[int, ...]
    gains: Float
    canary: Float
    weights: Complex
    low: Float
    high: Float

    @property
    def rows(self) -> int:
        """Rows of the panel, without the check lanes."""
        return len(self.panel.rows)

    @property
    def evaluation_keys_bytes(self) -> int:
        """Exact length of the evaluation keys that come with a request for this panel."""
        return self.profile.rotation_keys_bytes(len(self.steps))

    def spread(self, values: Float, nonce: float) -> Complex:
        """Lay out checked feature values, in panel order, and a nonce: one complex number a slot."""
        pairs = _paired(values * self.gains, self.blocks)
        shift = nonce * (1 + 1j)
        grid = np.zeros((self.blocks, self.lanes), dtype=np.complex128)
        grid[:, : self.rows] = pairs[:, None]
        grid[:, self.rows] = shift
        grid[:, self.rows + 1] = pairs + shift
        return _over_slots(grid, self.copies, self.profile.slots)

    def expected_canary(self, values: Float, nonce: float) -> float:
        """What the canary lane must open to."""
        raised = np.zeros(2 * self.blocks)
        raised[: values.size] = values * self.gains
        return float(self.canary @ (raised + nonce))

    def sums(self, opened: Complex) -> tuple[Float, float]:
        """Add up what was opened: every lane's sum, and the largest magnitude where zero must be.

        Returns:
            Sums of all lanes, those of the check lanes after those of the rows, and the largest residue.
        """
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
    """Lay a panel out, and refuse one that could overflow.

    Raises:
        Incorrect: the panel does not fit the slots, or a sum of it could wrap round the modulus.
    """
    panel.check()
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

    gains = _gains(panel)
    canary = _canary(panel, gains, blocks)
    weights = np.zeros((len(panel.rows) + _CHECK_LANES, 2 * blocks))
    weights[: len(panel.rows), : len(panel.features)] = panel.weights / gains
    weights[len(panel.rows)] = 1.0 / (2 * blocks)
    weights[len(panel.rows) + 1] = canary
    grid = np.zeros((blocks, lanes), dtype=np.complex128)
    grid[:, : len(weights)] = (weights[:, 0::2] - 1j * weights[:, 1::2]).T

    _check_coefficients(panel, profile, gains, grid)
    low, high = panel.range()
    spread = _over_slots(grid, copies, profile.slots)
    return Layout(panel, profile, blocks, lanes, copies, steps, gains, canary, spread, low, high)


def _paired(values: Float, blocks: int) -> Complex:
    padded = np.zeros(2 * blocks)
    padded[: values.size] = values
    return padded[0::2] + 1j * padded[1::2]


def _over_slots(grid: Complex, copies: int, slots: int) -> Complex:
    filled = np.tile(grid.reshape(-1), copies)
    return np.concatenate([filled, np.zeros(slots - filled.size, dtype=np.complex128)])


def _gains(panel: Panel) -> Float:
    """Powers of two, so that multiplying and dividing by them is exact on both sides."""
    largest_weight = np.abs(panel.weights).max(axis=0)
    largest_value = panel.largest()
    usable = (largest_weight > 0) & (largest_value > 0)
    ratio = np.where(usable, largest_weight, 1.0) / np.where(usable, largest_value, 1.0)
    bits = np.rint((_NOISE_RATIO_BITS + np.log2(ratio)) / 2)
    return np.asarray(2.0 ** np.clip(bits, -_LARGEST_GAIN_BITS, _LARGEST_GAIN_BITS), dtype=np.float64)


def _canary(panel: Panel, gains: Float, blocks: int) -> Float:
    """Weights in (0.5, 1] by magnitude before they are scaled so that the canary's sum keeps to its limit."""
    stream = hashlib.shake_256(b"fhirtwin canary\x00" + bytes.fromhex(panel.digest)).digest(8 * 2 * blocks)
    drawn = np.frombuffer(stream, dtype="<u8")
    magnitude = 1.0 - (drawn >> np.uint64(12)).astype(np.float64) * 2.0**-53
    sign = np.where(drawn & np.uint64(1), -1.0, 1.0)
    largest = np.full(2 * blocks, NONCE_LIMIT)
    largest[: len(gains)] += panel.largest() * gains
    weights: Float = sign * magnitude * _CANARY_LIMIT / (2 * blocks) / largest
    return weights


def _check_coefficients(panel: Panel, profile: Profile, gains: Float, grid: Complex) -> None:
    """Refuse a panel of whose polynomial a coefficient could reach the modulus, by its products or by its masks.

    No coefficient of a polynomial exceeds the mean magnitude of its slots; so the largest products of all lanes are
    averaged over all slots. A coefficient of the masks is a mean of independent uniform numbers times factors of at
    most one; by Hoeffding's inequality it exceeds a quarter of their bound with a probability of at most
    2 · exp(−slots / 32), which is below 1e-27.
    """
    raised = np.zeros(2 * len(grid))
    raised[: len(gains)] = panel.largest() * gains
    pairs = np.hypot(raised[0::2], raised[1::2])
    largest = np.full(grid.shape, 0.0)
    largest[:, : len(panel.rows)] = pairs[:, None]
    largest[:, len(panel.rows)] = NONCE_LIMIT * np.sqrt(2)
    largest[:, len(panel.rows) + 1] = np.hypot(raised[0::2] + NONCE_LIMIT, raised[1::2] + NONCE_LIMIT)
    products = np.abs(grid) * largest
    per_slot = products.sum(axis=0).mean() if profile.mode == "rotating" else products.sum() / profile.slots
    if float(per_slot) + 2.0**profile.mask_bits / 4 >= profile.largest_coefficient:
        raise Incorrect(f"The sums of this panel could overflow profile {profile.name}; centre its features.")
