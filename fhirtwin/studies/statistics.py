"""Which sums a study takes of each site, in which bounds, and how much one row can change them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from math import ceil
from typing import Final

from fhirtwin.studies import slopes
from fhirtwin.studies.plan import Plan

REAL_BITS: Final = 30
"""Real numbers (of a logistic regression) are sealed in whole multiples of 2 to the minus this."""

LARGEST_PREDICTOR: Final = 1000
"""Of a logistic regression: no sum of magnitudes of coefficients, over columns scaled to -1 .. 1, may be larger."""

_NOISE_WIDTHS: Final = 200
"""A site's noise beyond so many scales has a probability below e to the minus this, and is a fault, never clipped."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One whole number of each site.

    Attributes:
        name: for people; unique in its study.
        low, high: bounds of one site's.
        group: statistics that share one part of the budget of privacy; empty where no person is counted.
        sensitivity: how much one row can change all statistics of the group together, added up by magnitude.
        scale: of the noise of a round that may spend all of epsilon: `sensitivity / (epsilon / groups)`, or as
            `fhirtwin.studies.slopes` says; 0 without noise.
    """

    name: str
    low: int
    high: int
    group: str = ""
    sensitivity: int = 0
    scale: float = 0.0


def of(plan: Plan) -> tuple[Statistic, ...]:
    """Everything that a site seals, in its order; first that it is one site.

    Raises:
        Incorrect: noise would hide whatever there is.
    """
    found = (Statistic("sites", 1, 1), *_shared(plan), *_own(plan))
    if plan.noise is None:
        return found
    if plan.is_noisy_logistic:
        return _noisy_slopes(plan, plan.noise.epsilon, found)
    return _noisy(plan.noise.epsilon, found)


def _shared(plan: Plan) -> Iterator[Statistic]:
    if plan.counts_rows:
        yield Statistic("rows", 0, plan.most_rows, "rows", 1)
    if plan.counts_left_out:
        yield Statistic("left out", 0, plan.most_rows, "left out", 1)


def _own(plan: Plan) -> Iterator[Statistic]:
    if plan.kind == "mean":
        yield from _sums(plan)
        yield from _products(plan, [(i, i) for i in range(len(plan.columns))])
    elif plan.kind == "histogram":
        for column in plan.columns:
            for cell in range(len(column.edges) - 1):
                yield Statistic(f"{column.name} cell {cell + 1}", 0, plan.most_rows, column.name, 1)
    elif plan.kind == "ridge":
        yield from _sums(plan)
        yield from _products(plan, pairs(len(plan.variables)))
    elif plan.kind == "logistic":
        yield from _logistic(plan)


def pairs(count: int) -> list[tuple[int, int]]:
    """Places of a symmetric matrix on and above its diagonal, in their order."""
    return list(combinations_with_replacement(range(count), 2))


def _sums(plan: Plan) -> Iterator[Statistic]:
    for column in plan.variables:
        most = plan.most_rows * column.steps
        yield Statistic(f"sum of {column.name}", -most, most, f"sum of {column.name}", column.steps)


def _products(plan: Plan, places: list[tuple[int, int]]) -> Iterator[Statistic]:
    for i, j in places:
        one, other = plan.variables[i], plan.variables[j]
        name, largest = f"sum of {one.name} times {other.name}", one.steps * other.steps
        yield Statistic(name, 0 if i == j else -plan.most_rows * largest, plan.most_rows * largest, name, largest)


def _logistic(plan: Plan) -> Iterator[Statistic]:
    one = plan.most_rows << REAL_BITS
    names = ("constant", *(column.name for column in plan.columns))
    places = pairs(len(names))
    largest = (len(names) << REAL_BITS, len(places) << (REAL_BITS - 2))
    if not plan.noise:
        yield Statistic("loss", 0, one * (LARGEST_PREDICTOR + 1))
    for name in names:
        yield Statistic(f"gradient of {name}", -one, one, "gradient", largest[0])
    for i, j in places:
        yield Statistic(f"curvature of {names[i]} and {names[j]}", -one // 4, one // 4, "curvature", largest[1])


def _noisy(epsilon: float, found: tuple[Statistic, ...]) -> tuple[Statistic, ...]:
    """Part the budget evenly among groups, and make room for the noise of one site."""
    part = epsilon / len({one.group for one in found if one.group})
    return tuple(_with_noise(one, one.sensitivity / part, 1.0) if one.group else one for one in found)


def _noisy_slopes(plan: Plan, epsilon: float, found: tuple[Statistic, ...]) -> tuple[Statistic, ...]:
    """Gradient and curvature, which one row cannot change most at once."""
    slopes.check(plan)
    scales = {group: scale * 2**REAL_BITS for group, scale in slopes.scales(plan, epsilon)._asdict().items()}
    least = float(min(plan.part(1), plan.part(plan.rounds)))
    return tuple(_with_noise(one, scales[one.group], least) if one.group else one for one in found)


def _with_noise(one: Statistic, scale: float, least_part: float) -> Statistic:
    """Make room for the noise of one site, in the round that has least of epsilon."""
    room = ceil(_NOISE_WIDTHS * (scale / least_part + 1))
    return replace(one, low=one.low - room, high=one.high + room, scale=scale)
