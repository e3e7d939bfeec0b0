"""Polygenic scores: sums over a hundred thousand variants, chunk by chunk of the genome.

A chunk is a ciphertext of 4,094 dosages, two in each slot as a complex pair, and a check slot. The engine multiplies
each chunk by the weights of a score, adds the products up in one ciphertext a score, and hides the sums of the slots
behind a mask that adds up to zero; the vault adds up the slots. So sums have no bound but that of what a slot may hold,
and noise adds up over slots as its variance does.

The last slot of each chunk holds a random number of this request, and its weight follows from the digest, the score and
the number of the chunk. So the last slot of an answer is right only when every chunk was used once, in its place, for
that score. Dosages are centred, minus one to one: the vault takes one off and the scores get their constants back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import Circuit, Cost, digest_of
from fhirtwin.ckks.drawing import weights_of_checks
from fhirtwin.ckks.noise import FRESH_NOISE
from fhirtwin.ckks.profiles import POLYGENIC, Profile
from fhirtwin.errors import Incorrect

LARGEST_DOSAGE: Final = 2.0
NONCE_LIMIT: Final = 4.0
"""Random numbers in check slots are uniform between minus and plus this."""

CHUNK: Final = 2 * (POLYGENIC.slots - 1)
"""Variants in one ciphertext."""

_GAIN_BITS = 10
_DEVIATIONS = 7.0

# Standard deviation of one part of a slot of an encoded plaintext, times its scale: coefficients are rounded, each
# uniform over one, and 4,096 of them make up a slot: sqrt(1/12) * sqrt(4096 / 2).
_ROUNDING_NOISE = 13.1

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Polygenic(Circuit):
    """Scores over the same variants.

    Attributes:
        variants: names, in the order of dosages; what allele is counted is part of the name.
        scores: names.
        weights: of one copy of the counted allele, float64, shape (scores, variants).

    Raises:
        Incorrect: names, shapes or numbers are wrong, a score could overflow, or its error or cost is too great.
    """

    variants: tuple[str, ...]
    scores: tuple[str, ...]
    weights: Float

    def __post_init__(self) -> None:
        if not self.variants or not self.scores:
            raise Incorrect("A polygenic model needs at least one variant and one score.")
        if len(set(self.variants)) != len(self.variants) or len(set(self.scores)) != len(self.scores):
            raise Incorrect("A polygenic model names a variant or a score twice.")
        if self.weights.shape != (len(self.scores), len(self.variants)) or self.weights.dtype != np.float64:
            raise Incorrect("The weights of a polygenic model must be float64, scores by variants.")
        if not np.isfinite(self.weights).all():
            raise Incorrect("The weights of a polygenic model must be finite.")
        for name, row in zip(self.scores, self.weights, strict=True):
            if not row.any():
                raise Incorrect(f"Score {name} has no weight.")
        self._refuse_overflow()
        self.refuse_excess()

    @property
    def profile(self) -> Profile:
        """The pinned parameters."""
        return POLYGENIC

    @cached_property
    def digest(self) -> str:
        """Of variants, scores and weights, and of the gain: check slots have none and would not tell another."""
        names, gain = ("\x00".join(self.variants), "\x00".join(self.scores)), np.array([self.gain])
        return digest_of("polygenic", *names, self.weights, gain)

    @property
    def chunks(self) -> int:
        """Ciphertexts that dosages take."""
        return -(-len(self.variants) // CHUNK)

    @property
    def cost(self) -> Cost:
        """The same for everybody."""
        products = self.chunks * len(self.scores)
        return Cost(self.chunks, len(self.scores), products, products)

    @cached_property
    def error(self) -> float:
        """Seven standard deviations of what noise and rounded weights add up to, of the worst score."""
        sealing = FRESH_NOISE / POLYGENIC.input_scale * np.linalg.norm(self.weights, axis=1) / self.gain
        rounding = _ROUNDING_NOISE / POLYGENIC.weight_scale * np.sqrt(len(self.variants)) * self.gain
        return float(_DEVIATIONS * np.hypot(sealing, rounding).max())

    @cached_property
    def gain(self) -> float:
        """Power of two that dosages are multiplied by, and weights divided by, so that noise weighs least."""
        sealing = FRESH_NOISE / POLYGENIC.input_scale * np.linalg.norm(self.weights, axis=1).max()
        rounding = _ROUNDING_NOISE / POLYGENIC.weight_scale * np.sqrt(len(self.variants))
        return float(2.0 ** np.clip(np.rint(np.log2(sealing / rounding) / 2), -_GAIN_BITS, _GAIN_BITS))

    @cached_property
    def constants(self) -> Float:
        """What centring took off each score, shape (scores,)."""
        return np.asarray(self.weights.sum(axis=1))

    @cached_property
    def largest(self) -> Float:
        """Largest magnitude of each score without its constant, shape (scores,)."""
        return np.asarray(np.abs(self.weights).sum(axis=1))

    @cached_property
    def tags(self) -> Float:
        """Weights of the check slots, from 0.5 to 1 by magnitude, shape (scores, chunks)."""
        drawn = weights_of_checks(b"tags", self.digest, len(self.scores) * self.chunks)
        return drawn.reshape(len(self.scores), self.chunks)

    def encoded(self, score: int) -> Iterator[Complex]:
        """The weights of one score, a chunk at a time, one complex number a slot."""
        padded = np.zeros(self.chunks * CHUNK)
        padded[: len(self.variants)] = self.weights[score] / self.gain
        for number, chunk in enumerate(padded.reshape(self.chunks, CHUNK)):
            yield np.append(chunk[0::2] - 1j * chunk[1::2], self.tags[score, number])

    def laid_out(self, dosages: Float, nonce: float) -> Complex:
        """Dosages of one chunk, fewer in the last, and the number in its check slot: one complex number a slot."""
        padded = np.zeros(CHUNK)
        padded[: dosages.size] = (dosages - 1.0) * self.gain
        return np.append(padded[0::2] + 1j * padded[1::2], nonce)

    def _refuse_overflow(self) -> None:
        """No coefficient exceeds the mean magnitude over slots; masks as in `fhirtwin.ckks.layout.refuse_overflow`."""
        slots = POLYGENIC.slots
        products = (self.largest.max() + NONCE_LIMIT * self.chunks) / slots
        if products + 2.0**POLYGENIC.mask_bits / 4 >= POLYGENIC.largest_coefficient:
            raise Incorrect(f"These scores could overflow profile {POLYGENIC.name}; scale their weights down.")


def in_chunks(blocks: Iterable[Float]) -> Iterator[Float]:
    """Cut dosages that come in blocks of any length into chunks, the last of which may be shorter."""
    waiting: list[Float] = []
    held = 0
    for block in blocks:
        waiting.append(block)
        held += block.size
        while held >= CHUNK:
            joined = np.concatenate(waiting)
            yield joined[:CHUNK]
            waiting, held = [joined[CHUNK:]], held - CHUNK
    if held:
        yield np.concatenate(waiting)
