"""A logistic regression with noise over rows that are counted already: all rounds, without files or ciphertext."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirtwin.aggregate import noise, noisy_logistic, tallying
from fhirtwin.studies import round as rounds
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study


def solve(counts: NDArray[np.int64], plan: Plan) -> dict[str, Any]:
    """The result; each site of the plan adds its share of the noise.

    Raises:
        Unprocessable: noise hides what varies, or the steps did not settle.
    """
    study = Study(plan, b"", b"", (b"",) * len(plan.sites))
    current = rounds.first(study)
    while True:
        whole = tallying._noisy_logistic(iter(np.array_split(counts, 20)), plan, current)
        shares = [noise.added([1] + [0] * len(whole), study, current) for _ in plan.sites]
        totals = [sum(one) for one in zip([0, *whole], *shares, strict=True)]
        step = noisy_logistic.advance(study, current, tuple(totals))
        if step.result:
            return step.result
        current = Round(study.digest, current.number + 1, step.coefficients)
        rounds.check(current, study)
