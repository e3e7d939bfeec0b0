"""How much noise hides one row in the gradient and the curvature of a logistic regression.

Let x be a row with the constant: d numbers from -1 to 1. Let r be how far its predicted risk is from its outcome. Then
the row adds r * x, but for the sign, to the gradient, and r * (1 - r) * x * x' to the curvature, of which d (d + 1) / 2
numbers, m, are sealed. So, added up by magnitude, it changes the gradient by d * r at most, and the curvature by
m * r * (1 - r): both cannot be large in one row. With noise of scales d / (a * epsilon) and m / (b * epsilon) a round
spends

    epsilon * (a * r + b * r * (1 - r))

at most; that is largest at r = (a + b) / (2 * b), and there epsilon * (a + b)^2 / (4 * b). With b = 2 * a and a = 8/9
it is epsilon itself. Two budgets, one of the gradient (r = 1) and one of the curvature (r = 1/2), would come to 4/3 of
it. Nothing here depends on the coefficients, so rounds add up however the next ones are chosen.
`fhirtwin.aggregate.row_slopes` keeps to d * r and m * r * (1 - r) in whole numbers.
"""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

from fhirtwin.errors import Incorrect
from fhirtwin.studies.plan import Plan

GRADIENT: Final = 8 / 9
"""The a of above."""

CURVATURE: Final = 2 * GRADIENT
"""The b of above. Measured: twice a is better than a, since columns that vary little have little curvature."""


class Scales(NamedTuple):
    """Of the discrete Laplace noise of each number, in the unit of columns scaled to -1 .. 1."""

    gradient: float
    curvature: float


def scales(plan: Plan, epsilon: float) -> Scales:
    """What a round that may spend so much needs."""
    size = len(plan.columns) + 1
    return Scales(size / (GRADIENT * epsilon), size * (size + 1) / 2 / (CURVATURE * epsilon))


def doubt(plan: Plan, contributors: int) -> float:
    """Below this an eigenvalue of the curvature of the last round is as good as noise.

    A symmetric matrix of d independent rows, each number with this standard deviation, moves eigenvalues by about the
    root of d standard deviations.
    """
    deviation = spread(scales(plan, plan.epsilon_of(plan.rounds)).curvature, plan, contributors)
    return deviation * sqrt(len(plan.columns) + 1)


def spread(scale: float, plan: Plan, contributors: int) -> float:
    """Standard deviation of the noise of a total: that of the whole, more often than once when more take part."""
    return scale * sqrt(2 * max(1.0, contributors / plan.honest))


def check(plan: Plan) -> None:
    """Refuse noise in which all rows that could be would be lost.

    Raises:
        Incorrect: the curvature of the constant, a quarter of the rows at most, could never be seen.
    """
    most = len(plan.sites) * plan.most_rows / 4
    if doubt(plan, plan.minimum_contributors) > most:
        raise Incorrect(
            "The noise of this epsilon, with so many columns, is larger than what all rows together could come to; "
            "allow a larger epsilon, or have fewer columns or more rows."
        )
