"""Published figures as numbers on the logit, each with a standard error.

*Source*: standardised mean differences to log odds ratios by π/√3: Cochrane Handbook 5.1, 12.6.3,
https://handbook-5-1.cochrane.org/chapter_12/12_6_3_re_expressing_smds_by_transformation_to_odds_ratio.htm
(Chinn, Stat Med 2000;19:3127), an approximation that supposes a logistic distribution with equal spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 1.959963984540054
"""Standard errors from the middle of a 95 % interval to its end."""
PER_SMD: Final = math.pi / math.sqrt(3)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number on the logit and its standard error."""

    value: float
    error: float

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.value - WIDTH * self.error

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.value + WIDTH * self.error

    def wider(self, spread: float) -> Figure:
        """Add an independent error."""
        return Figure(self.value, math.hypot(self.error, spread))


def logit(share: float) -> float:
    """Give the logarithm of the odds."""
    return math.log(share / (1 - share))


def share(number: float) -> float:
    """Give the probability of a number on the logit."""
    if number < 0:
        return math.exp(number) / (1 + math.exp(number))
    return 1 / (1 + math.exp(-number))


def total(figures: tuple[Figure, ...]) -> Figure:
    """Add up figures whose errors are taken as independent."""
    return Figure(math.fsum(one.value for one in figures), math.sqrt(math.fsum(one.error**2 for one in figures)))


def of_rate(rate: float, low: float, high: float) -> Figure:
    """Read a share and its 95 % interval."""
    return Figure(logit(rate), (logit(high) - logit(low)) / (2 * WIDTH))


def of_count(rate: float, people: int) -> Figure:
    """Read a share that was found among so many people."""
    return Figure(logit(rate), 1 / math.sqrt(people * rate * (1 - rate)))


def of_ratio(ratio: float, low: float, high: float) -> Figure:
    """Read a ratio (of odds, of exposures) and its 95 % interval."""
    return Figure(math.log(ratio), error_of_range(low, high))


def of_difference(difference: float, low: float, high: float) -> Figure:
    """Read a standardised mean difference in favour of the drug and its 95 % interval."""
    return Figure(difference * PER_SMD, (high - low) * PER_SMD / (2 * WIDTH))


def of_range(low: float, high: float) -> Figure:
    """Read two extremes of ratios as the 95 % interval of a drug of which no more is known."""
    return Figure((math.log(low) + math.log(high)) / 2, error_of_range(low, high))


def error_of_range(low: float, high: float) -> float:
    """Read the standard error of a ratio's logarithm off the ends of its interval."""
    return (math.log(high) - math.log(low)) / (2 * WIDTH)


def apart(one: Figure, other: Figure) -> bool:
    """Tell whether the difference of two figures has a 95 % interval without zero."""
    return abs(one.value - other.value) > WIDTH * math.hypot(one.error, other.error)
