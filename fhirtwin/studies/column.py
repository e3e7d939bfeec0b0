"""A column of a study: its bounds and its step, by which values become whole numbers and back, exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from fhirtwin.errors import Incorrect

MOST_STEPS: Final = 10**8
_LARGEST: Final = Decimal(10) ** 15
_MOST_PLACES: Final = 12


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column that all sites have.

    Values are counted in half steps from the middle of the bounds: `v = middle + half_step * count`, with `count` from
    `-steps` to `steps`. So squares and products are as small as may be, and every sum of them is a whole number.

    Attributes:
        name: as in the header of the CSV, or the member of the NDJSON.
        low, high: bounds, both allowed; a value outside is refused, never clipped.
        step: what values are multiples of; a finer one is refused, never rounded.
        edges: of the cells of a histogram, from `low` to `high`; each cell has its lower edge, the last both.
    """

    name: str
    low: Decimal
    high: Decimal
    step: Decimal
    edges: tuple[Decimal, ...] = ()

    def check(self) -> None:
        """Refuse bounds, steps and edges that do not go together.

        Raises:
            Incorrect: they do not; the text says which.
        """
        where = f"Column {self.name}"
        if not self.name or self.name != self.name.strip():
            raise Incorrect("A column needs a name, without spaces at its ends.")
        numbers = (self.low, self.high, self.step, *self.edges)
        if not all(map(_is_plain, numbers)):
            raise Incorrect(
                f"{where}: numbers must be finite, at most {_LARGEST:.0e}, with at most {_MOST_PLACES} decimal places."
            )
        if not (self.step > 0 and self.low < self.high):
            raise Incorrect(f"{where}: step must be more than 0, and low less than high.")
        if any((Fraction(number) / Fraction(self.step)).denominator != 1 for number in (self.low, self.high)):
            raise Incorrect(f"{where}: low and high must be multiples of step.")
        if self.steps > MOST_STEPS:
            raise Incorrect(f"{where}: from low to high are more than {MOST_STEPS:,} steps; declare a coarser step.")
        if self.edges:
            self._check_edges(where)

    @property
    def steps(self) -> int:
        """From low to high: the largest magnitude of a count."""
        return int((Fraction(self.high) - Fraction(self.low)) / Fraction(self.step))

    @property
    def middle(self) -> Fraction:
        """Of the bounds."""
        return (Fraction(self.low) + Fraction(self.high)) / 2

    @property
    def half_step(self) -> Fraction:
        """What a count is in the unit of the column."""
        return Fraction(self.step) / 2

    def count(self, value: Decimal) -> int:
        """Count a value in half steps from the middle.

        Raises:
            Incorrect: it lies outside the bounds, or between two steps; the text has no value in it.
        """
        if not self.low <= value <= self.high:
            raise Incorrect(f"a value of {self.name} lies outside {self.low} to {self.high}, which the study declares")
        counted = (Fraction(value) - self.middle) / self.half_step
        if counted.denominator != 1 or (counted.numerator - self.steps) % 2:
            raise Incorrect(f"a value of {self.name} is finer than the step of {self.step}, which the study declares")
        return counted.numerator

    def value(self, count: Fraction) -> Fraction:
        """What a count, or a mean of counts, is in the unit of the column."""
        return self.middle + self.half_step * count

    @property
    def edge_counts(self) -> tuple[int, ...]:
        """The edges, counted."""
        return tuple(self.count(edge) for edge in self.edges)

    def _check_edges(self, where: str) -> None:
        if self.edges[0] != self.low or self.edges[-1] != self.high or len(self.edges) < 2:
            raise Incorrect(f"{where}: edges must go from low to high, so that every value has its cell.")
        if any(left >= right for left, right in zip(self.edges, self.edges[1:], strict=False)):
            raise Incorrect(f"{where}: edges must rise.")
        try:
            _ = self.edge_counts
        except Incorrect:
            raise Incorrect(f"{where}: edges must be multiples of step.") from None


def _is_plain(number: Decimal) -> bool:
    """Whether a number is of a size that arithmetic in whole numbers takes: `1e-999999999` is written in no time."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and -_MOST_PLACES <= exponent <= 15 and abs(number) <= _LARGEST
