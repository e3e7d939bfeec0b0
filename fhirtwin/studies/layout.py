"""How whole numbers of any size lie in slots so that their total is exact: digit by digit.

A statistic, less its lower bound, is written in digits of 20 bits, each in a place of its own: the real or the
imaginary part of a slot. Sites add up digit by digit; 1,024 of them make less than 2 to the power 30 in a place, where
the noise is below a hundredth. So totals of digits, rounded, are exact, and so is what they are made
into. The last places hold the tag (`fhirtwin.studies.tags`); places between are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.noise import FRESH_NOISE
from fhirtwin.ckks.profiles import SUMS
from fhirtwin.errors import Fault, Incorrect
from fhirtwin.studies import tags
from fhirtwin.studies.plan import MOST_SITES
from fhirtwin.studies.statistics import Statistic

DIGIT_BITS: Final = 20
MOST_CIPHERTEXTS: Final = 64
PLACES: Final = 2 * SUMS.slots

# What rounding leaves in a slot is normal, times the magnitude of the key in that slot; over slots and keys that is a
# Laplace distribution: more than 25 standard deviations come once in e^(25 * sqrt(2)), in 2e15 places.
_DEVIATIONS = 25

_BASE = 1 << DIGIT_BITS
_TAG_DIGITS = -(-tags.BITS // DIGIT_BITS)

Digits = NDArray[np.int64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Layout:
    """Places of the digits of some statistics.

    Raises:
        Incorrect: they need too many ciphertexts, or digits could overflow.
    """

    statistics: tuple[Statistic, ...]

    def __post_init__(self) -> None:
        if self.ciphertexts > MOST_CIPHERTEXTS:
            raise Incorrect(
                f"A contribution would take {self.ciphertexts} ciphertexts, and {MOST_CIPHERTEXTS} are the most; have "
                "fewer columns or cells."
            )
        # A coefficient is at most the mean magnitude of the slots; that of a slot at most the root of two of a part's.
        if np.sqrt(2) * MOST_SITES * _BASE >= SUMS.largest_coefficient:
            raise Incorrect(f"Digits could overflow profile {SUMS.name}.")

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Digits of each statistic."""
        return tuple(max(1, -(-(one.high - one.low).bit_length() // DIGIT_BITS)) for one in self.statistics)

    @property
    def used(self) -> int:
        """Places of all statistics."""
        return sum(self.widths)

    @property
    def ciphertexts(self) -> int:
        """Of one contribution, and of a total."""
        return -(-(self.used + _TAG_DIGITS) // PLACES)

    @property
    def error(self) -> float:
        """What the noise of no place of the largest total exceeds: far below a half, so totals are exact."""
        return _DEVIATIONS * FRESH_NOISE / SUMS.input_scale * float(np.sqrt(MOST_SITES))

    def digits(self, values: Sequence[int]) -> Digits:
        """Write the statistics of one site in digits.

        Raises:
            Fault: one of them is missing, or outside its bounds; the text names it, without its value.
        """
        found: list[int] = []
        for one, width, value in zip(self.statistics, self.widths, values, strict=True):
            if not one.low <= value <= one.high:
                raise Fault(f"The statistic {one.name} is outside the bounds of its study.")
            found += _written(value - one.low, width)
        return np.array(found, dtype=np.int64)

    def numbers(self, digits: Digits, contributors: int) -> tuple[int, ...]:
        """Read totals from totals of digits."""
        found, start = [], 0
        for one, width in zip(self.statistics, self.widths, strict=True):
            found.append(_read(digits[start : start + width]) + contributors * one.low)
            start += width
        return tuple(found)

    def slots(self, digits: Digits, tag: int) -> list[Complex]:
        """Lay digits and tag out, one complex number a slot, a vector for each ciphertext."""
        places = np.zeros(self.ciphertexts * PLACES)
        places[: self.used] = digits
        places[-_TAG_DIGITS:] = _written(tag, _TAG_DIGITS)
        return [np.ascontiguousarray(part) for part in places.view(np.complex128).reshape(self.ciphertexts, -1)]

    def split(self, places: Digits) -> tuple[Digits, Digits, int]:
        """Part what was opened into digits, places that must be zero, and the tag."""
        return places[: self.used], places[self.used : -_TAG_DIGITS], _read(places[-_TAG_DIGITS:])


def _written(value: int, width: int) -> list[int]:
    return [value >> (DIGIT_BITS * place) & (_BASE - 1) for place in range(width)]


def _read(digits: Digits) -> int:
    return sum(int(digit) << (DIGIT_BITS * place) for place, digit in enumerate(digits))


def largest_digit(contributors: int) -> int:
    """Of a total."""
    return contributors * (_BASE - 1)
