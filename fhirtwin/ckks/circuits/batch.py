"""A panel over thousands of patients at once: a slot a patient, a ciphertext a feature, a ciphertext a model.

Weights are real numbers that are the same in every slot, so real and imaginary parts of a slot never touch: each slot
holds two patients. A weight is encoded as a constant polynomial, which is exact but for the rounding of one number; so
features are scaled up and weights down, by powers of two, only as far as that allows.

Some places, chosen at random for each batch, hold *probes*: admissible random vectors of nobody, whose answers the
vault knows. They make an answer of other weights, of another batch, in another order, or damaged, an error; and since
under encryption they cannot be told from patients, an engine that answers wrongly for a share p of the places is
caught with a probability of at least 1 - (1 - p) to the power of their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import Circuit, Cost, digest_of
from fhirtwin.ckks.declared import Declared
from fhirtwin.ckks.layout import gains_of
from fhirtwin.ckks.noise import FRESH_NOISE
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import BATCH
from fhirtwin.errors import Incorrect

PROBES: Final = 16
"""Places of a batch that hold probes."""

# Over keys, the noise of a slot falls off as a Laplace distribution does, for it is a product of two normal numbers,
# one of them the key's. A batch has hundreds of thousands of sums: one in 1e15 exceeds 25 standard deviations.
_DEVIATIONS = 25.0

# Binary logarithm of the noise of a feature over the rounding of a weight, each at its scale.
_NOISE_RATIO_BITS = 7.0

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Batch(Circuit):
    """A panel for up to `patients` patients a call.

    Raises:
        Incorrect: the panel cannot be evaluated safely in a batch, or a row has next to no weight.
    """

    panel: Panel

    declared: ClassVar = Declared(BATCH, 1, "a slot for two patients, one in each part; a ciphertext a feature")

    def __post_init__(self) -> None:
        self.panel.check()
        for name, row in zip(self.panel.rows, self.rounded, strict=True):
            if not row.any():
                raise Incorrect(f"The weights of row {name} are too small for profile {BATCH.name}; scale it.")
        # A coefficient is at most the mean magnitude of the slots, and that of a slot the root of two of a part's.
        if np.sqrt(2) * (np.abs(self.panel.weights) @ self.panel.largest()).max() >= BATCH.largest_coefficient:
            raise Incorrect(f"The sums of this panel could overflow profile {BATCH.name}; centre its features.")
        if (2 * self.panel.largest() * self.gains).max() * BATCH.input_scale >= 2.0 ** (BATCH.modulus_bits[0] - 1):
            raise Incorrect(f"A feature of this panel is too large for profile {BATCH.name}; centre or scale it.")
        self.refuse_excess()

    @property
    def patients(self) -> int:
        """The most patients of one batch."""
        return 2 * BATCH.slots - PROBES

    @property
    def vectors(self) -> int:
        """All places: the engine cannot tell probes and empty ones from patients."""
        return 2 * BATCH.slots

    @cached_property
    def digest(self) -> str:
        """That of the panel, as a batch, and of the gains, so that sides which reckon them otherwise say so."""
        return digest_of("batch", self.panel.digest, self.gains)

    @property
    def cost(self) -> Cost:
        """The same for one patient and for thousands."""
        products = int(np.count_nonzero(self.rounded))
        return Cost(len(self.panel.features), len(self.panel.rows), products, products)

    @cached_property
    def gains(self) -> Float:
        """Powers of two that features are multiplied by and weights divided by, shape (features,)."""
        return gains_of(self.panel, _NOISE_RATIO_BITS)

    @cached_property
    def rounded(self) -> Float:
        """The weights as they are encoded, gains taken off, shape (rows, features): what rounds to 0 is not used."""
        return np.asarray(np.rint(self.panel.weights / self.gains * BATCH.weight_scale) / BATCH.weight_scale)

    @cached_property
    def error(self) -> float:
        """Of rounding the weights, at its worst, and of noise."""
        panel, used = self.panel, self.rounded * self.gains
        rounding = np.abs(used - panel.weights) @ panel.largest()
        noise = FRESH_NOISE / BATCH.input_scale * np.sqrt((self.rounded**2).sum(axis=1))
        return float((rounding + _DEVIATIONS * noise).max())

    def spread(self, values: Float) -> Complex:
        """Lay out a full batch, shape (places, features): one row of complex numbers, one a slot, for each feature."""
        scaled = (values * self.gains).T
        slots = BATCH.slots
        return np.ascontiguousarray(scaled[:, :slots] + 1j * scaled[:, slots:])

    def gathered(self, opened: Complex) -> Float:
        """What was opened, shape (rows, slots), as sums of places, shape (places, rows)."""
        return np.concatenate([opened.real, opened.imag], axis=1).T


@dataclass(frozen=True, eq=False)
class BatchScores:
    """Opened by the vault and rounded.

    Attributes:
        rows: names of the models.
        counts: linear predictors without their constants in whole steps, int64, shape (patients, rows).
        step: what one stands for.
    """

    rows: tuple[str, ...]
    counts: NDArray[np.int64]
    step: Decimal
    profile: str
    digest: str
