"""Steps on noisy sums: what they come to, how far from all rows in one place, and when they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from fhirtwin.aggregate import logistic, noisy_logistic, tallying
from fhirtwin.errors import Unprocessable
from fhirtwin.studies.plan import Noise, Plan
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study
from tests.aggregate import pooled
from tests.aggregate.noisy import solve
from tests.studies.builders import AGE, BMI, ILL, Parties, plan

Float = NDArray[np.float64]


def noisy(epsilon: float, **changes: Any) -> Plan:
    said = {"columns": (AGE, BMI), "outcome": ILL, "most_rounds": 6, "noise": Noise(1.0)}
    made = plan("logistic", **(said | changes))
    return msgspec.structs.replace(made, noise=Noise(epsilon))  # any, also one that a plan may not have


def counted(rows: Float) -> NDArray[np.int64]:
    columns = (AGE, BMI, ILL)
    places = zip((0, 1, 3), columns, strict=True)
    return np.column_stack(
        [
            np.rint((rows[:, place] - float(column.middle)) / float(column.half_step)).astype(np.int64)
            for place, column in places
        ]
    )


def exact(rows: Float, penalty: float = 0.0) -> tuple[Float, NDArray[np.floating[Any]]]:
    """Coefficients of scaled columns over all rows, and the inverse of their curvature."""
    design = np.column_stack([np.ones(len(rows)), (rows[:, 0] - 64) / 46, (rows[:, 1] - 45) / 35])
    ridge = np.array([0, penalty / 46**2, penalty / 35**2])
    found = np.zeros(3)
    for _ in range(30):
        risk = 1 / (1 + np.exp(-design @ found))
        inverse = np.linalg.inv((design * (risk * (1 - risk))[:, None]).T @ design + np.diag(ridge))
        found -= inverse @ (design.T @ (risk - rows[:, 3]) + ridge * found)
    return found, inverse


@pytest.mark.parametrize("penalty", [0.0, 300.0])
def test_with_hardly_any_noise_it_is_that_of_all_rows_within_the_bound_of_the_page(
    tmp_path: Path, penalty: float
) -> None:
    """Read, sealed, added and opened: 2^-27 + 2^-30 a row, times the largest sum of a row of the inverse curvature."""
    said = noisy(1e12, penalty=penalty)
    parties, files = Parties(said), pooled.write(tmp_path, pooled.rows())
    current = parties.first
    while True:
        sealed = [
            parties.seal(place, *tallying.statistics(file, parties.study, current)[1:], current=current)
            for place, file in enumerate(files)
        ]
        parties.first = current
        step = noisy_logistic.advance(parties.study, current, parties.open(parties.add(*sealed), current))
        if step.result:
            break
        current = Round(parties.study.digest, current.number + 1, step.coefficients)
    rows = np.concatenate(pooled.rows())
    solved, inverse = exact(rows, penalty)
    bound = len(rows) * (2.0**-27 + 2.0**-30) * np.abs(inverse).sum(axis=1).max()
    assert bound < 1e-5
    right = logistic.in_units(said, solved)
    for name, half in (("age", 46), ("bmi", 35)):
        assert abs(step.result["coefficients"][name] - right["coefficients"][name]) * half < bound
    assert current.number == 6


def test_stated_noise_is_what_coefficients_are_off_by() -> None:
    rows = np.concatenate(pooled.rows(sizes=(3000, 3000, 3000, 3000)))
    counts, said = counted(rows), noisy(20.0)
    right = logistic.in_units(said, exact(rows)[0])
    off = []
    for _ in range(40):
        found = solve(counts, said)
        off += [
            (found["coefficients"][name] - right["coefficients"][name]) / found["noise_of_coefficients"][name]
            for name in ("age", "bmi")
        ]
        off.append((found["intercept"] - right["intercept"]) / found["noise_of_intercept"])
    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 2  # of 120 numbers about 1


def test_results_say_what_was_spent_and_have_no_number_of_rows() -> None:
    found = solve(counted(np.concatenate(pooled.rows(sizes=(3000,) * 4))), noisy(20.0))
    assert found["noise"]["epsilon_of_rounds"] == [2.0] * 5 + [10.0]
    assert found["noise"]["scales"]["gradient"] == pytest.approx(3 * 9 / 80 * 2**30)
    assert (found["contributors"], found["rounds"], found["kind"]) == (4, 6, "logistic")
    assert "rows" not in found and "left_out" not in found


def test_noise_that_is_larger_than_what_varies_is_refused() -> None:
    with pytest.raises(Unprocessable, match=r"larger than what some column varies|not settled"):
        solve(counted(np.concatenate(pooled.rows(sizes=(50,) * 4))), noisy(0.5))
    nothing = msgspec.structs.replace(noisy(0.5), most_rows=10**6)
    study = Study(nothing, b"", b"", (b"",) * 4)
    with pytest.raises(Unprocessable, match="larger than what some column varies"):
        noisy_logistic.advance(study, Round(study.digest, 6, (0.0,) * 3), (4, *[0] * 9))


def test_what_has_not_settled_in_its_rounds_is_refused() -> None:
    rows = np.concatenate(pooled.rows(sizes=(3000,) * 4))
    rows[:, 3] = (np.arange(len(rows)) % 400 == 0).astype(float)  # so rare that three steps do not reach it
    with pytest.raises(Unprocessable, match=r"not settled in 3 rounds.*rare"):
        solve(counted(rows), noisy(1e9, most_rounds=3))
    assert solve(counted(rows), noisy(1e9, most_rounds=10))["last_scaled_step"] < 1e-3


def test_a_long_step_is_shortened_and_no_curvature_is_below_its_noise() -> None:
    study = Study(noisy(1.0), b"", b"", (b"",) * 4)
    one = 2**30
    names = [statistic.name for statistic in study.statistics]
    numbers = tuple({"sites": 4, "gradient of age": 10**6 * one}.get(name, 0) for name in names)
    step = noisy_logistic.advance(study, Round(study.digest, 1, (0.0,) * 3), numbers)
    assert np.abs(step.coefficients).sum() == pytest.approx(noisy_logistic.LONGEST)
    assert step.coefficients[1] < 0 and step.result is None
