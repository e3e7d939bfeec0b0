"""How a panel lies in the slots of one ciphertext: the layout that vault and engine share.

A slot holds a *complex pair* of features, x₀ + i·x₁; it is multiplied by w₀ − i·w₁, and the real part of the product is
w₀·x₀ + w₁·x₁. Slots are ordered block by block: block j, lane r lies at j · lanes + r, and lane r belongs to row r. The
sum of a lane over all blocks is the row's linear predictor.

After the rows of the panel come as many lanes for a *probe*. The rows have the patient's vector x. The probe's lanes
have f · x + c, with the same weights: f is a secret factor and c a secret random case, both new for each request, and
the sums W · c of that case are known to who sealed it. So the sums of the probe less f times the sums of the patient
must be W · c. Who does not have the weights takes for c a secret combination of cases whose sums are known
(`fhirtwin.ckks.hidden`). Under encryption the engine sees neither f nor c: whatever it does to a patient's sums, it
would have to do f times to the probe's. Wrong weights, on both alike, answer the case wrongly. An answer to another
request, a stale one, and damage to any slot fail as well. It costs slots and no ciphertext. What it finds and what not
is reckoned in `docs/probes.md`. All other lanes and slots are zero, and must come back as zero.

In sparse mode it lies otherwise: `fhirtwin.ckks.sparse`.

In rotating mode, blocks and lanes are rounded up to powers of two and the whole is repeated over all slots, so that
rotating and adding leaves the full sum of its lane in every slot and no partial sum in any.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fhirtwin.ckks import sparse
from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.ckks.layout import AnyPanel, Complex, Float, Laid, Layout, Uniform, gains_of, paired, refuse_overflow
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Incorrect

LEAST_FACTOR, GREATEST_FACTOR = 0.25, 0.5
"""Magnitudes between which the secret factor of a probe lies; its sign is as secret."""

LARGEST_CASE = 1.0 - GREATEST_FACTOR
"""How far the case of a probe goes towards the bounds of each feature. Factor and case together keep to the bounds."""


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


@dataclass(frozen=True, eq=False)
class Grid(Layout):
    """Blocks by lanes, every row over every feature, for the patient and for the probe.

    Attributes:
        blocks, lanes: the grid of slots; `blocks * lanes` of them, repeated `copies` times.
    """

    blocks: int
    lanes: int
    copies: int

    def lay(self, values: Float, uniform: Uniform) -> Laid:
        """Lay out checked feature values and, beside them, a probe that hides them."""
        factor = _factor(float(uniform(1)[0]))
        case, expected = self.known(uniform)
        rows = self.rows

        def off(totals: Float) -> float:
            return float(np.abs(totals[rows : 2 * rows] - factor * totals[:rows] - expected).max())

        return Laid(self.spread(values, factor * values + case), off)

    def known(self, uniform: Uniform) -> tuple[Float, Float]:
        """A secret vector within the bounds of the panel, and the sums of the rows for it."""
        panel = self.panel
        if isinstance(panel, HiddenPanel):
            return panel.combined(uniform(1 + len(panel.cases)), LARGEST_CASE)
        case = self.case(uniform(len(panel.features)))
        return case, panel.weights @ case

    def case(self, drawn: Float) -> Float:
        """A vector within the bounds of the panel, from numbers between -1 and 1; of each choice one feature alone."""
        kept = np.ones(drawn.size, dtype=np.bool_)
        for choice in self.panel.choices:
            places = np.array(choice)
            kept[places] = places == places[np.abs(drawn[places]).argmax()]
        return np.where(kept, drawn * self._farthest, 0.0)

    @cached_property
    def _farthest(self) -> Float:
        """How far a case goes, feature by feature."""
        return LARGEST_CASE * self.panel.largest()

    def spread(self, values: Float, probe: Float) -> Complex:
        """Lay out two vectors, in panel order: one complex number a slot."""
        slots = np.zeros(self.profile.slots, dtype=np.complex128)
        used = self.copies * self.blocks * self.lanes
        grid = slots[:used].reshape(self.copies, self.blocks, self.lanes)
        grid[:, :, : self.rows] = paired(values * self.gains, self.blocks)[:, None]
        grid[:, :, self.rows : 2 * self.rows] = paired(probe * self.gains, self.blocks)[:, None]
        return slots

    def sums(self, opened: Complex) -> tuple[Float, float]:
        """Add up what was opened: every lane's sum, and the largest magnitude where zero must be."""
        used, lanes = self.blocks * self.lanes, 2 * self.rows
        real = opened.real
        if self.steps:
            grid = real.reshape(-1, self.lanes)
            return grid[0, :lanes], float(max(np.abs(grid[:, lanes:]).max(initial=0.0), np.abs(grid - grid[0]).max()))
        totals = real[:used].reshape(self.blocks, self.lanes).sum(axis=0)
        return totals, float(np.abs(opened[used:]).max(initial=0.0))


def _factor(drawn: float) -> float:
    """A factor of either sign, from a number between -1 and 1."""
    return float(np.copysign(LEAST_FACTOR + abs(drawn) * (GREATEST_FACTOR - LEAST_FACTOR), drawn))


def layout(panel: AnyPanel, profile: Profile) -> Layout:
    """Lay a panel out as its profile says, and refuse one that could overflow.

    That a panel without weights cannot overflow is for the engine to see, which has them.

    Raises:
        Incorrect: the panel does not fit the slots, or a sum of it could wrap round the modulus.
    """
    panel.check()
    if profile.mode != "sparse":
        return _grid(panel, profile)
    if isinstance(panel, HiddenPanel):
        raise Incorrect("A table is evaluated with its weights on both sides.")
    return sparse.layout(panel, profile)


def _grid(panel: AnyPanel, profile: Profile) -> Grid:
    rotating = profile.mode == "rotating"
    rows = len(panel.rows)
    lanes, blocks = 2 * rows, (len(panel.features) + 1) // 2
    if rotating:
        lanes, blocks = _power_of_two(lanes), max(2, _power_of_two(blocks))
    if lanes * blocks > profile.slots:
        raise Incorrect(f"A panel of {rows} rows and {len(panel.features)} features does not fit a ciphertext.")
    copies = profile.slots // (lanes * blocks) if rotating else 1
    steps = tuple(lanes << i for i in reversed(range(blocks.bit_length() - 1))) if rotating else ()

    gains = gains_of(panel)
    slots = np.empty(0, dtype=np.complex128)
    if isinstance(panel, Panel):
        weights = np.zeros((rows, 2 * blocks))
        weights[:, : len(panel.features)] = panel.weights / gains
        grid = np.zeros((blocks, lanes), dtype=np.complex128)
        grid[:, :rows] = grid[:, rows : 2 * rows] = (weights[:, 0::2] - 1j * weights[:, 1::2]).T
        refuse_overflow(profile, _products(panel, profile, gains, grid))
        slots = _over_slots(grid, copies, profile.slots)
    low, high = panel.range()
    lane_of = np.tile(np.arange(lanes), blocks)
    return Grid(panel, profile, steps, gains, slots, lane_of, low, high, blocks, lanes, copies)


def _over_slots(grid: Complex, copies: int, slots: int) -> Complex:
    filled = np.tile(grid.reshape(-1), copies)
    return np.concatenate([filled, np.zeros(slots - filled.size, dtype=np.complex128)])


def _products(panel: Panel, profile: Profile, gains: Float, grid: Complex) -> float:
    """Mean magnitude, over all slots, of the largest products. A probe keeps to the bounds that a patient keeps to."""
    largest = np.abs(paired(panel.largest() * gains, len(grid)))
    products = np.abs(grid) * largest[:, None]
    return float(products.sum(axis=0).mean() if profile.mode == "rotating" else products.sum() / profile.slots)
