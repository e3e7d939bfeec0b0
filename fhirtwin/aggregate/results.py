"""From opened totals to what was asked for: counts, means, cells of a histogram, a ridge regression."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Unprocessable
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.statistics import pairs
from fhirtwin.studies.study import Study

Float = NDArray[np.float64]

MOST_CONDITION: Final = 1e12
"""Beyond this ratio of the greatest to the least eigenvalue, columns count as depending on one another."""


def of(study: Study, numbers: tuple[int, ...]) -> dict[str, Any]:
    """What a total of one round comes to, ready for JSON.

    Raises:
        Unprocessable: nothing can be computed of it; the text says why.
    """
    totals = totals_of(study, numbers)
    return told(study, totals, _OF_KIND[study.plan.kind](study.plan, totals))


def totals_of(study: Study, numbers: tuple[int, ...]) -> dict[str, int]:
    """Opened totals by the names of their statistics."""
    return dict(zip((one.name for one in study.statistics), numbers, strict=True))


def told(study: Study, totals: dict[str, int], found: dict[str, Any]) -> dict[str, Any]:
    """What was found, with whose rows it is of and which noise is in it, ready for JSON."""
    head = {"study": study.plan.name, "kind": study.plan.kind, "contributors": totals["sites"]}
    head |= {"rows": totals["rows"]} if "rows" in totals else {}
    head |= {"left_out": totals["left out"]} if "left out" in totals else {}
    return head | found | _told_noise(study)


def _told_noise(study: Study) -> dict[str, Any]:
    """Which noise is in the numbers, or that none is."""
    noise = study.plan.noise
    if noise is None:
        return {"noise": None}
    spent = [study.plan.epsilon_of(number) for number in range(1, study.plan.rounds + 1)]
    last = float(study.plan.part(study.plan.rounds))
    scales = {one.group: one.scale / last for one in study.statistics if one.group}
    rounds = {"epsilon_of_rounds": spent} if len(spent) > 1 else {}
    return {
        "noise": {
            "mechanism": "discrete Laplace, shared out among the contributors",
            "epsilon": noise.epsilon,
            "honest_contributors_needed": study.plan.honest,
            "scales": scales,
            **rounds,
        }
    }


def _count(_plan: Plan, _totals: dict[str, int]) -> dict[str, Any]:
    return {}


def _mean(plan: Plan, totals: dict[str, int]) -> dict[str, Any]:
    count = _enough_rows(totals, 1)
    found = {}
    for column in plan.columns:
        total, squares = totals[f"sum of {column.name}"], totals[f"sum of {column.name} times {column.name}"]
        spread = Fraction(count * squares - total * total, count * max(1, count - 1))
        deviation = math.sqrt(spread) * float(column.half_step) if spread >= 0 and count > 1 else None
        found[column.name] = {"mean": float(column.value(Fraction(total, count))), "standard_deviation": deviation}
    return {"columns": found}


def _histogram(plan: Plan, totals: dict[str, int]) -> dict[str, Any]:
    found = {}
    for column in plan.columns:
        cells = [totals[f"{column.name} cell {cell}"] for cell in range(1, len(column.edges))]
        found[column.name] = {"edges": [float(edge) for edge in column.edges], "counts": cells}
    return {"columns": found}


def _ridge(plan: Plan, totals: dict[str, int]) -> dict[str, Any]:
    """As scikit-learn's Ridge: squares of residuals and `penalty` times the squares of the coefficients, least."""
    count = _enough_rows(totals, 2)
    moments = _centred(plan, totals, count)
    size = len(plan.columns)
    inner = moments[:size, :size] + plan.penalty * np.eye(size)
    solved = _solved(inner, moments[:size, size])
    means = [float(one.value(Fraction(totals[f"sum of {one.name}"], count))) for one in plan.variables]
    residual = moments[size, size] - 2 * solved @ moments[:size, size] + solved @ moments[:size, :size] @ solved
    names = [column.name for column in plan.columns]
    explained = 1 - float(residual / moments[size, size]) if moments[size, size] > 0 else None
    return {
        "intercept": means[size] - math.fsum(float(one) * mean for one, mean in zip(solved, means, strict=False)),
        "coefficients": dict(zip(names, solved.tolist(), strict=True)),
        "explained_variance": explained,
    }


def _centred(plan: Plan, totals: dict[str, int], count: int) -> Float:
    """Sums of products of deviations from the means. What cancels does so in whole numbers."""
    columns = plan.variables
    found = np.zeros((len(columns), len(columns)))
    for i, j in pairs(len(columns)):
        one, other = columns[i], columns[j]
        product = totals[f"sum of {one.name} times {other.name}"] * count
        crossed = totals[f"sum of {one.name}"] * totals[f"sum of {other.name}"]
        found[i, j] = found[j, i] = float(Fraction(product - crossed, count) * one.half_step * other.half_step)
    return found


def _solved(inner: Float, right: Float) -> Float:
    """Solve after scaling to a diagonal of ones."""
    diagonal = np.diag(inner)
    if not (diagonal > 0).all():
        raise Unprocessable(
            "A column is the same in every row, or the noise is larger than what varies; leave the column out, set a "
            "penalty, or allow a larger epsilon."
        )
    scale = 1 / np.sqrt(diagonal)
    scaled = inner * scale[:, None] * scale
    lowest, highest = np.linalg.eigvalsh(scaled)[[0, -1]]
    if not lowest * MOST_CONDITION > highest:
        raise Unprocessable(
            "The columns depend on one another, or the noise is larger than what varies; leave one out, set a penalty, "
            "or allow a larger epsilon."
        )
    return np.asarray(np.linalg.solve(scaled, right * scale) * scale)


def _enough_rows(totals: dict[str, int], least: int) -> int:
    if totals["rows"] < least:
        raise Unprocessable("By the number of rows with its noise there is nobody; allow a larger epsilon.")
    return totals["rows"]


_OF_KIND: Final[dict[str, Callable[[Plan, dict[str, int]], dict[str, Any]]]] = {
    "count": _count,
    "mean": _mean,
    "histogram": _histogram,
    "ridge": _ridge,
}
