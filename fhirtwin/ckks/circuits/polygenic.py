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

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import Circuit, Cost, digest_of
from fhirtwin.ckks.declared import Declared
from fhirtwin.ckks.drawing import weights_of_checks
from fhirtwin.ckks.noise import FRESH_NOISE
from fhirtwin.ckks.profiles import POLYGENIC
from fhirtwin.errors import Incorrect

LARGEST_DOSAGE: Final = 2.0
NONCE_LIMIT: Final = 4.0
"""Random numbers in check slots are uniform between minus and plus this."""

CHUNK: Final = 2 * (POLYGENIC.slots - 1)
"""Variants in one ciphertext."""

GAIN_BITS: Final = 10
"""Gains are no more than 2 to this, nor less than 2 to minus this."""

_DEVIATIONS = 7.0

# Standard deviation of one part of a slot of an encoded plaintext, times its scale: coefficients are rounded, each
# uniform over one, and 4,096 of them make up a slot: sqrt(1/12) * sqrt(4096 / 2).
_ROUNDING_NOISE = 13.1

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class AnyPolygenic(Circuit):
    """What both sides know of scores over the same variants: how dosages lie, and what an answer is judged by.

    Attributes:
        variants: names, in the order of dosages; what allele is counted is part of the name. Those of a package are
            made when they are asked for, and whoever read it saw to it that none is there twice.
        scores: names.

    Raises:
        Incorrect: a name is missing or there twice.
    """

    variants: Sequence[str]
    scores: tuple[str, ...]

    declared: ClassVar = Declared(
        POLYGENIC, 1, f"two dosages a slot, as a complex number, {CHUNK:,} in a ciphertext; a check in its last slot"
    )

    def __post_init__(self) -> None:
        if not self.variants or not self.scores:
            raise Incorrect("A polygenic model needs at least one variant and one score.")
        twice = isinstance(self.variants, tuple) and len(set(self.variants)) != len(self.variants)
        if twice or len(set(self.scores)) != len(self.scores):
            raise Incorrect("A polygenic model names a variant or a score twice.")

    @property
    @abstractmethod
    def gain(self) -> float:
        """Power of two that dosages are multiplied by, and weights divided by, so that noise weighs least."""

    @property
    @abstractmethod
    def constants(self) -> Float:
        """What centring took off each score, shape (scores,)."""

    @property
    @abstractmethod
    def largest(self) -> Float:
        """Largest magnitude of each score without its constant, shape (scores,)."""

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
    def tags(self) -> Float:
        """Weights of the check slots, from 0.5 to 1 by magnitude, shape (scores, chunks)."""
        drawn = weights_of_checks(b"tags", self.digest, len(self.scores) * self.chunks)
        return drawn.reshape(len(self.scores), self.chunks)

    def laid_out(self, dosages: Float, nonce: float) -> Complex:
        """Dosages of one chunk, fewer in the last, and the number in its check slot: one complex number a slot."""
        padded = np.zeros(CHUNK)
        padded[: dosages.size] = (dosages - 1.0) * self.gain
        return np.append(padded[0::2] + 1j * padded[1::2], nonce)

    def refuse_overflow(self) -> None:
        """Refuse scores that could wrap round the modulus.

        No coefficient exceeds the mean magnitude over slots; masks as in `fhirtwin.ckks.layout.refuse_overflow`.

        Raises:
            Incorrect: they could.
        """
        products = (self.largest.max() + NONCE_LIMIT * self.chunks) / POLYGENIC.slots
        # Written so that a NaN fails.
        if not products + 2.0**POLYGENIC.mask_bits / 4 < POLYGENIC.largest_coefficient:
            raise Incorrect(f"These scores could overflow profile {POLYGENIC.name}; scale their weights down.")


@dataclass(frozen=True, eq=False)
class Polygenic(AnyPolygenic):
    """Scores with their weights.

    Attributes:
        weights: of one copy of the counted allele, float64, shape (scores, variants).
        package: SHA-256, in hex, of the manifest of the model package it is of, if it is of one. Its gateways, which
            do not have its weights, know it by that.
        gain_bits: binary logarithm of the gain, as a package declares it; None works it out.

    Raises:
        Incorrect: names, shapes or numbers are wrong, a score could overflow, or its error or cost is too great.
    """

    weights: Float
    package: str = ""
    gain_bits: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights.shape != (len(self.scores), len(self.variants)) or self.weights.dtype != np.float64:
            raise Incorrect("The weights of a polygenic model must be float64, scores by variants.")
        if not np.isfinite(self.weights).all():
            raise Incorrect("The weights of a polygenic model must be finite.")
        for name, row in zip(self.scores, self.weights, strict=True):
            if not row.any():
                raise Incorrect(f"Score {name} has no weight.")
        self.refuse_overflow()
        self.refuse_excess()

    @cached_property
    def digest(self) -> str:
        """Of variants, scores and weights, and of the gain: check slots have none and would not tell another.

        Of a package it is the hash, of which all of these are part.
        """
        if self.package:
            return self.package
        names, gain = ("\x00".join(self.variants), "\x00".join(self.scores)), np.array([self.gain])
        return digest_of("polygenic", *names, self.weights, gain)

    @cached_property
    def error(self) -> float:
        """Seven standard deviations of what noise and rounded weights add up to, of the worst score."""
        sealing, rounding = self._noise
        return float(_DEVIATIONS * np.hypot(sealing / self.gain, rounding * self.gain))

    @cached_property
    def gain(self) -> float:
        """Worked out from the weights, or as a package declares it."""
        return float(2.0 ** (self.best_gain_bits if self.gain_bits is None else self.gain_bits))

    @property
    def best_gain_bits(self) -> int:
        """Binary logarithm of the gain at which noise weighs least."""
        sealing, rounding = self._noise
        return int(np.clip(np.rint(np.log2(sealing / rounding) / 2), -GAIN_BITS, GAIN_BITS))

    @cached_property
    def constants(self) -> Float:
        """Sums of the weights."""
        return np.asarray(self.weights.sum(axis=1))

    @cached_property
    def largest(self) -> Float:
        """Sums of the magnitudes of the weights."""
        return np.asarray(np.abs(self.weights).sum(axis=1))

    def encoded(self, score: int) -> Iterator[Complex]:
        """The weights of one score, a chunk at a time, one complex number a slot."""
        padded = np.zeros(self.chunks * CHUNK)
        padded[: len(self.variants)] = self.weights[score] / self.gain
        for number, chunk in enumerate(padded.reshape(self.chunks, CHUNK)):
            yield np.append(chunk[0::2] - 1j * chunk[1::2], self.tags[score, number])

    @cached_property
    def _noise(self) -> tuple[float, float]:
        """Standard deviations, at a gain of one, of what sealing and what rounding adds to the worst score."""
        sealing = FRESH_NOISE / POLYGENIC.input_scale * np.linalg.norm(self.weights, axis=1).max()
        rounding = _ROUNDING_NOISE / POLYGENIC.weight_scale * np.sqrt(len(self.variants))
        return float(sealing), float(rounding)


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
