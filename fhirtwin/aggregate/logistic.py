"""Logistic regression over rounds: Newton steps, halved when the loss grows.

Coefficients are of columns scaled to -1 .. 1 by their bounds; they are brought back to the units of the columns at the
end. The penalty is on coefficients in those units, as scikit-learn has it, and none is on the constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from fhirtwin.aggregate import results
from fhirtwin.errors import Unprocessable
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.round import Round
from fhirtwin.studies.statistics import REAL_BITS, pairs
from fhirtwin.studies.study import Study

CONVERGED: Final = 1e-7
"""The last step, in coefficients of scaled columns. Newton squares it: what is left after it is of its square."""

Float = NDArray[np.float64]


class Standing(msgspec.Struct, frozen=True):
    """The best coefficients so far, their penalised loss, and the step that was tried from them."""

    coefficients: tuple[float, ...]
    loss: float
    step: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Next:
    """Either the next coefficients to ask about, and where that stands, or the result."""

    coefficients: tuple[float, ...] = ()
    standing: Standing | None = None
    result: dict[str, Any] | None = None


def advance(study: Study, current: Round, numbers: tuple[int, ...], before: Standing | None) -> Next:
    """Take one step.

    Raises:
        Unprocessable: there is no step to take; the text says why.
    """
    plan, here = study.plan, np.array(current.coefficients)
    totals = results.totals_of(study, numbers)
    penalty = penalties(plan)
    loss = totals["loss"] / 2**REAL_BITS + float(penalty @ here**2) / 2
    allowance = numbers[0] * 2.0**-REAL_BITS + 1e-12 * abs(loss)  # of rounding, at sites and here
    if before and loss > before.loss + allowance:
        step = np.array(before.step) / 2
        return _tried(np.array(before.coefficients), before.loss, step)
    gradient, curvature = slopes(plan, totals)
    gradient, curvature = gradient + penalty * here, curvature + np.diag(penalty)
    inverse = _inverse(curvature)
    step = -inverse @ gradient
    if np.abs(step).max() > CONVERGED:
        return _tried(here, loss, step)
    rounding = float(np.abs(inverse).sum(axis=1).max()) * numbers[0] * 2.0 ** -(REAL_BITS + 1)
    return Next(result=_result(study, totals, here + step, rounding, current.number))


def _tried(origin: Float, loss: float, step: Float) -> Next:
    return Next(tuple((origin + step).tolist()), Standing(tuple(origin.tolist()), loss, tuple(step.tolist())))


def penalties(plan: Plan) -> Float:
    """Of each scaled coefficient: that of one column is the coefficient in its unit times half of its range."""
    halves = [float((column.high - column.low) / 2) for column in plan.columns]
    return np.array([0.0, *(plan.penalty / half**2 for half in halves)])


def slopes(plan: Plan, totals: dict[str, int]) -> tuple[Float, Float]:
    """Gradient and curvature of a round, as they were opened."""
    names = ["constant", *(column.name for column in plan.columns)]
    gradient = np.array([totals[f"gradient of {name}"] for name in names]) / 2**REAL_BITS
    curvature = np.zeros((len(names), len(names)))
    for i, j in pairs(len(names)):
        value = totals[f"curvature of {names[i]} and {names[j]}"] / 2**REAL_BITS
        curvature[i, j] = curvature[j, i] = value
    return gradient, curvature


def _inverse(curvature: Float) -> Float:
    lowest, highest = np.linalg.eigvalsh(curvature)[[0, -1]]
    if not lowest * results.MOST_CONDITION > highest:
        raise Unprocessable(
            "The columns depend on one another, or tell the outcome perfectly; leave one out or set a penalty, in a "
            "new study."
        )
    return np.asarray(np.linalg.inv(curvature))


def _result(study: Study, totals: dict[str, int], solved: Float, rounding: float, rounds: int) -> dict[str, Any]:
    found = in_units(study.plan, solved) | {"rounds": rounds, "error_of_scaled_coefficients": rounding}
    return results.told(study, totals, found)


def in_units(plan: Plan, solved: Float) -> dict[str, Any]:
    """Coefficients of scaled columns, brought back to the units of the columns."""
    coefficients = {
        column.name: float(one) / float((column.high - column.low) / 2)
        for column, one in zip(plan.columns, solved[1:], strict=True)
    }
    shift = math.fsum(coefficients[column.name] * float(column.middle) for column in plan.columns)
    return {"intercept": float(solved[0]) - shift, "coefficients": coefficients}


def units(plan: Plan) -> Float:
    """The same as a matrix, for covariances: intercept and coefficients of coefficients of scaled columns."""
    halves = np.array([1.0, *(float((column.high - column.low) / 2) for column in plan.columns)])
    found = np.diag(1 / halves)
    found[0, 1:] = [-float(column.middle) for column in plan.columns] / halves[1:]
    return found
