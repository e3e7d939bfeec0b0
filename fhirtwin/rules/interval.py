"""Ranges of a measured number, with ends that belong to them or not, as a label or a guideline words them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of numbers.

    Attributes:
        low: lower end; None when there is none.
        high: upper end; None when there is none.
        with_low: whether the lower end belongs to the range.
        with_high: whether the upper end does.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    with_low: bool = False
    with_high: bool = False

    def __contains__(self, value: Decimal) -> bool:
        above = self.low is None or value > self.low or (self.with_low and value == self.low)
        return above and (self.high is None or value < self.high or (self.with_high and value == self.high))

    def __str__(self) -> str:
        """As a clinician reads it: `below 30`, `15 to 30 (both included)`, `30 to below 50`."""
        if self.low is None:
            return f"{self.high} or below" if self.with_high else f"below {self.high}"
        if self.high is None:
            return f"{self.low} or above" if self.with_low else f"above {self.low}"
        if self.with_low and self.with_high:
            return f"{self.low} to {self.high} (both included)"
        start = f"{self.low}" if self.with_low else f"above {self.low}"
        return f"{start} to {self.high}" if self.with_high else f"{start} to below {self.high}"


def below(high: int) -> Interval:
    """Everything smaller."""
    return Interval(high=Decimal(high))


def at_most(high: int) -> Interval:
    """Everything smaller, and the number itself."""
    return Interval(high=Decimal(high), with_high=True)


def above(low: int) -> Interval:
    """Everything greater."""
    return Interval(low=Decimal(low))


def closed(low: int, high: int) -> Interval:
    """From the one to the other, both included."""
    return Interval(Decimal(low), Decimal(high), with_low=True, with_high=True)


def from_to_below(low: int, high: int) -> Interval:
    """From the one, included, to the other, not included."""
    return Interval(Decimal(low), Decimal(high), with_low=True)


def above_to(low: int, high: int) -> Interval:
    """From the one, not included, to the other, included."""
    return Interval(Decimal(low), Decimal(high), with_high=True)


def between(low: int, high: int) -> Interval:
    """Between the two, neither included."""
    return Interval(Decimal(low), Decimal(high))
