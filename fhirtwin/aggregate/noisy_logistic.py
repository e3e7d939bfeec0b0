"""Logistic regression from gradients and curvatures with noise: a fixed number of Newton steps, held in bounds.

Newton's steps with noise in both, and least eigenvalues of the curvature that are lifted: after Ganesh, Haghifam,
Steinke, Thakurta 2023, https://arxiv.org/abs/2305.13209. The mechanism is another, and so is the reckoning
(`fhirtwin.studies.slopes`). Everything here is reckoned of what was opened, and costs no privacy.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.aggregate import logistic, results
from fhirtwin.aggregate.logistic import Next
from fhirtwin.errors import Unprocessable
from fhirtwin.studies import slopes
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study

LONGEST: Final = 4.0
"""Of a step, added up over coefficients of scaled columns: no predictor moves by more. Longer ones are shortened."""

SETTLED: Final = 1.0
"""The last step may be so long: curvatures along it change by a factor of e at most."""

Float = NDArray[np.float64]


def advance(study: Study, current: Round, numbers: tuple[int, ...]) -> Next:
    """Take one step; the last gives the result.

    Raises:
        Unprocessable: noise hides what varies, or the steps did not settle; the text says what to change.
    """
    plan, here = study.plan, np.array(current.coefficients)
    totals = results.totals_of(study, numbers)
    penalty = logistic.penalties(plan)
    gradient, curvature = logistic.slopes(plan, totals)
    gradient, curvature = gradient + penalty * here, curvature + np.diag(penalty)
    doubt = slopes.doubt(plan, totals["sites"])
    last = current.number == plan.rounds
    if last and not np.linalg.eigvalsh(curvature)[0] > doubt:
        raise Unprocessable(
            "The noise is larger than what some column varies; in a new study allow a larger epsilon, have more rows "
            "or fewer columns, declare narrower bounds, or set a penalty."
        )
    inverse = _inverse(curvature, doubt)
    step = -inverse @ gradient
    length = float(np.abs(step).sum())
    if not last:
        return Next(tuple((here + step * min(1.0, LONGEST / max(length, LONGEST))).tolist()))
    if not length <= SETTLED:
        raise Unprocessable(
            f"It has not settled in {plan.rounds} rounds; in a new study have more rounds where the outcome is rare, a "
            "larger epsilon, more rows, fewer columns, narrower bounds, or a penalty."
        )
    covariance = inverse @ _noise_of(step, plan, totals["sites"]) @ inverse
    return Next(result=_result(study, totals, here + step, covariance, length))


def _inverse(curvature: Float, least: float) -> Float:
    """With eigenvalues of at least so much, so that noise makes no step of its own."""
    values, vectors = np.linalg.eigh(curvature)
    return np.asarray(vectors / np.maximum(values, least) @ vectors.T)


def _noise_of(step: Float, plan: Plan, contributors: int) -> Float:
    """Covariance of the noise of the last gradient and of the last curvature times the step."""
    scales = slopes.scales(plan, plan.epsilon_of(plan.rounds))
    gradient = slopes.spread(scales.gradient, plan, contributors) ** 2
    curvature = slopes.spread(scales.curvature, plan, contributors) ** 2
    # Each number off the diagonal moves two of the products.
    crossed = np.diag(step @ step - step * step) + np.outer(step, step)
    return np.asarray(gradient * np.eye(len(step)) + curvature * crossed)


def _result(study: Study, totals: dict[str, int], solved: Float, covariance: Float, length: float) -> dict[str, Any]:
    plan = study.plan
    units = logistic.units(plan)
    deviations = np.sqrt(np.diag(units @ covariance @ units.T)).tolist()
    noise = {
        "noise_of_intercept": deviations[0],
        "noise_of_coefficients": dict(zip((one.name for one in plan.columns), deviations[1:], strict=True)),
    }
    found = logistic.in_units(plan, solved) | noise | {"rounds": plan.rounds, "last_scaled_step": length}
    return results.told(study, totals, found)
