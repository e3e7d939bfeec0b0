"""Parameter profiles, pinned by name: neither side of the wire ever sends the other a parameter.

Source of the limits: the 128-bit classical, ternary-secret tables of the Homomorphic Encryption Standard (2018,
https://homomorphicencryption.org/standard/) and of its successor guidelines (2024, https://eprint.iacr.org/2024/463).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fhirtwin.errors import Incorrect

MAX_MODULUS_BITS: Final = {4096: min(109, 106), 8192: min(218, 214)}
"""Ring degree to the largest modulus, in bits: the stricter of the limits of 2018 (109, 218) and of 2024 (106, 214)."""

_CIPHERTEXT_HEADER_BYTES = 113
_KEYS_HEADER_BYTES = 56
_RELINEARISATION_HEADER_BYTES = 64
_PLAINTEXT_HEADER_BYTES = 88


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to seal and evaluate a panel.

    Attributes:
        name: what both sides call it on the wire; at most 15 ASCII characters.
        mode: `masked` (the engine adds zero-sum masks, the vault adds up), `rotating` (the engine adds up), or `sparse`
            (as masked, with slots only for what weighs something: large tables of which each row needs little). These
            three evaluate a panel in one ciphertext; `batch`, `polygenic` and `network` are the circuits of
            `fhirtwin.ckks.circuits`; `sums` only adds up, for `fhirtwin.studies`.
        degree: of the polynomial ring; half as many slots.
        modulus_bits: sizes of the data primes, first the one that is left last, and of the key-switching prime.
        input_bits, weight_bits: binary logarithms of the scales of features and weights.
        mask_bits: masks are uniform between minus and plus 2 to this power, before they are made to sum to zero.
        error: bound of the error of an opened linear predictor, before rounding, over a panel's declared ranges.
        tolerance: how far what an answer is judged by may be from what it must be: seven times what was measured, at
            most, over random vectors and corners.
        step: what the vault rounds a linear predictor to. Ten times the error bound, so that next to nothing of the
            noise, which tells of the key, is left in what leaves the vault.
    """

    name: str
    mode: str
    degree: int
    modulus_bits: tuple[int, ...]
    input_bits: int
    weight_bits: int
    mask_bits: int
    error: float
    tolerance: float
    step: Decimal

    @property
    def slots(self) -> int:
        """Complex numbers in one ciphertext."""
        return self.degree // 2

    @property
    def levels(self) -> int:
        """How many products may follow one upon another: one for each data prime, for the last one keeps its own."""
        return len(self.modulus_bits) - 1

    @property
    def input_scale(self) -> float:
        """Scale of the sealed features."""
        return 2.0**self.input_bits

    @property
    def weight_scale(self) -> float:
        """Scale of the encoded weights."""
        return 2.0**self.weight_bits

    @property
    def product_scale(self) -> float:
        """Scale of the sealed sums."""
        return 2.0 ** (self.input_bits + self.weight_bits)

    @property
    def largest_coefficient(self) -> float:
        """Magnitude that no coefficient of the opened polynomial may reach: from there it wraps round in silence."""
        return 2.0 ** (self.modulus_bits[0] - 1 - self.input_bits - self.weight_bits)

    @property
    def ciphertext_bytes(self) -> int:
        """Exact length of a fresh serialised ciphertext: two polynomials over the data primes."""
        return self.level_bytes(len(self.modulus_bits) - 1)

    @property
    def answer_bytes(self) -> int:
        """Exact length of a serialised ciphertext of which the first data prime alone is left."""
        return self.level_bytes(1)

    def level_bytes(self, primes: int) -> int:
        """Exact length of a serialised ciphertext over so many data primes, eight bytes a coefficient."""
        return _CIPHERTEXT_HEADER_BYTES + 2 * 8 * self.degree * primes

    def rotation_keys_bytes(self, steps: int) -> int:
        """Exact length of serialised rotation keys for so many steps; none when there is no step."""
        return 8 * self.degree + _KEYS_HEADER_BYTES + steps * self._key_bytes if steps else 0

    @property
    def relinearisation_key_bytes(self) -> int:
        """Exact length of the serialised key that brings a square back to two polynomials."""
        return _RELINEARISATION_HEADER_BYTES + self._key_bytes

    @property
    def public_key_bytes(self) -> int:
        """Exact length of a serialised public key: a ciphertext over all primes."""
        return self.level_bytes(len(self.modulus_bits))

    @property
    def secret_key_bytes(self) -> int:
        """Exact length of a serialised secret key: a polynomial over all primes."""
        return _PLAINTEXT_HEADER_BYTES + 8 * self.degree * len(self.modulus_bits)

    @property
    def _key_bytes(self) -> int:
        """Of one key: for each data prime an encryption over all primes."""
        primes = len(self.modulus_bits)
        return (primes - 1) * self.level_bytes(primes)


MASKED: Final = Profile("P1-mask", "masked", 4096, (60, 46), 28, 24, 6, 1e-4, 2.5e-4, Decimal("0.001"))
ROTATING: Final = Profile("P1-rot", "rotating", 4096, (60, 46), 29, 25, 5, 1e-4, 2.5e-4, Decimal("0.001"))
SPARSE: Final = Profile("P1-sparse", "sparse", 4096, (60, 46), 28, 24, 6, 1e-4, 5e-4, Decimal("0.001"))
BATCH: Final = Profile("P1-batch", "batch", 4096, (60, 46), 29, 25, 0, 1e-4, 5e-4, Decimal("0.001"))
POLYGENIC: Final = Profile("P1-poly", "polygenic", 4096, (60, 46), 29, 28, 1, 1e-4, 5e-4, Decimal("0.001"))
NETWORK: Final = Profile("P2-net", "network", 8192, (60, 29, 24, 29, 28, 44), 33, 24, 4, 3e-4, 2e-3, Decimal("0.003"))
# Whole numbers are added up: an error of a half would be one too many, and one step is one.
SUMS: Final = Profile("P1-sum", "sums", 4096, (60, 46), 27, 0, 0, 5e-3, 0.05, Decimal(1))

_OF_PANELS: Final = {p.mode: p for p in (MASKED, ROTATING, SPARSE)}
_PROFILES: Final = {p.name: p for p in (*_OF_PANELS.values(), BATCH, POLYGENIC, NETWORK, SUMS)}


def profile(name: str) -> Profile:
    """Return the profile of that name.

    Raises:
        Incorrect: there is none.
    """
    try:
        return _PROFILES[name]
    except KeyError:
        raise Incorrect(f"There is no such parameter profile; there are {', '.join(_PROFILES)}.") from None


def for_mode(mode: str) -> Profile:
    """Return the profile that evaluates a panel in `mode`: `masked`, `rotating` or `sparse`.

    Raises:
        Incorrect: it is none of them.
    """
    try:
        return _OF_PANELS[mode]
    except KeyError:
        raise Incorrect("A panel is evaluated in mode masked or rotating, or sparse if it is a table.") from None


def check(candidate: Profile) -> None:
    """Refuse parameters that are not pinned, or not inside both published security limits.

    Raises:
        Incorrect: they must not be used.
    """
    limit = MAX_MODULUS_BITS.get(candidate.degree, 0)
    if sum(candidate.modulus_bits) > limit:
        raise Incorrect(f"The modulus of profile {candidate.name} exceeds the 128-bit limit of {limit} bits.")
    if _PROFILES.get(candidate.name) != candidate:
        raise Incorrect(f"The parameters of profile {candidate.name} are not the pinned ones.")
