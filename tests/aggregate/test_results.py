"""What comes out is what all rows together would give, whatever library reckons it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from fhirtwin.aggregate import logistic, results, tallying
from fhirtwin.errors import Unprocessable
from fhirtwin.studies import round as rounds
from fhirtwin.studies.column import Column
from fhirtwin.studies.plan import Noise, Plan
from fhirtwin.studies.round import Round
from tests.aggregate import pooled
from tests.studies.builders import AGE, BMI, ILL, SBP, Parties, plan

ALL = np.concatenate(pooled.rows())


@dataclass
class Sealed:
    """Four sites with their files, each number sealed, added and opened."""

    plan: Plan
    files: list[Path]

    def run(self) -> dict[str, Any]:
        parties = Parties(self.plan)
        if self.plan.kind != "logistic":
            return results.of(parties.study, self._total(parties, parties.first))
        current, standing = parties.first, None
        while True:
            step = logistic.advance(parties.study, current, self._total(parties, current), standing)
            if step.result is not None:
                return step.result
            current, standing = Round(parties.study.digest, current.number + 1, step.coefficients), step.standing
            rounds.check(current, parties.study)

    def _total(self, parties: Parties, current: Round) -> tuple[int, ...]:
        sealed = [
            parties.seal(place, *tallying.statistics(file, parties.study, current)[1:], current=current)
            for place, file in enumerate(self.files)
        ]
        parties.first = current
        return parties.open(parties.add(*sealed), current)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return pooled.write(tmp_path, pooled.rows())


def test_a_count_is_that_of_all(files: list[Path]) -> None:
    found = Sealed(plan("count"), files).run()
    assert (found["rows"], found["contributors"], found["noise"]) == (len(ALL), 4, None)


def test_means_are_those_of_all(files: list[Path]) -> None:
    found = Sealed(plan("mean", columns=(AGE, BMI)), files).run()["columns"]
    for place, name in enumerate(("age", "bmi")):
        assert found[name]["mean"] == pytest.approx(ALL[:, place].mean(), rel=1e-14)
        assert found[name]["standard_deviation"] == pytest.approx(ALL[:, place].std(ddof=1), rel=1e-13)


def test_cells_are_those_of_all(files: list[Path]) -> None:
    edges = (18, 40, 60, 80, 110)
    aged = Column("age", AGE.low, AGE.high, AGE.step, tuple(map(Decimal, edges)))
    found = Sealed(plan("histogram", columns=(aged,)), files).run()["columns"]["age"]
    assert found["counts"] == np.histogram(ALL[:, 0], bins=edges)[0].tolist()


@pytest.mark.parametrize("penalty", [0.0, 2.5, 1e4])
def test_ridge_is_that_of_all(files: list[Path], penalty: float) -> None:
    found = Sealed(plan("ridge", columns=(AGE, BMI), outcome=SBP, penalty=penalty), files).run()
    model = Ridge(penalty).fit(ALL[:, :2], ALL[:, 2])
    assert list(found["coefficients"].values()) == pytest.approx(model.coef_.tolist(), rel=1e-11)
    assert found["intercept"] == pytest.approx(model.intercept_, rel=1e-11)
    assert found["explained_variance"] == pytest.approx(model.score(ALL[:, :2], ALL[:, 2]), rel=1e-10)


@pytest.mark.parametrize("penalty", [1e-3, 2.5, 500.0])
def test_logistic_regression_is_that_of_all(files: list[Path], penalty: float) -> None:
    found = Sealed(plan("logistic", columns=(AGE, BMI), outcome=ILL, penalty=penalty), files).run()
    model = LogisticRegression(C=1 / penalty, tol=1e-14, solver="newton-cholesky", max_iter=1000)
    model.fit(ALL[:, :2], ALL[:, 3])
    assert list(found["coefficients"].values()) == pytest.approx(model.coef_[0].tolist(), rel=1e-8)
    assert found["intercept"] == pytest.approx(model.intercept_[0], rel=1e-8)
    assert found["error_of_scaled_coefficients"] < 1e-7


def test_logistic_regression_stays_within_its_stated_error(files: list[Path]) -> None:
    found = Sealed(plan("logistic", columns=(AGE, BMI), outcome=ILL), files).run()
    solved = [found["coefficients"]["age"], found["coefficients"]["bmi"]]
    exact = np.array([found["intercept"], *solved])
    design = np.column_stack([np.ones(len(ALL)), ALL[:, :2]])
    for _ in range(5):  # Newton from here, in doubles, to where it does not move
        risk = 1 / (1 + np.exp(-design @ exact))
        exact -= np.linalg.solve((design * (risk * (1 - risk))[:, None]).T @ design, design.T @ (risk - ALL[:, 3]))
    halves = np.array([46.0, 35.0])
    assert np.abs((exact[1:] - solved) * halves).max() <= found["error_of_scaled_coefficients"] + 1e-12


def test_rows_that_miss_a_value_are_left_out_and_counted_where_the_study_says_so(tmp_path: Path) -> None:
    sites = pooled.rows()
    paths = pooled.write(tmp_path, sites)
    lines = paths[0].read_text().splitlines()
    lines[5] = ",27.5,120,0"
    paths[0].write_text("\n".join(lines) + "\n")
    found = Sealed(plan("mean", columns=(AGE,), missing="leave out"), paths).run()
    assert (found["rows"], found["left_out"]) == (len(ALL) - 1, 1)
    kept = np.delete(ALL[:, 0], 4)
    assert found["columns"]["age"]["mean"] == pytest.approx(kept.mean(), rel=1e-14)


def test_columns_that_depend_on_one_another_are_told(tmp_path: Path) -> None:
    sites = pooled.rows()
    for site in sites:
        site[:, 1] = np.round(site[:, 0] / 2 + 10, 1)
    half = Column("bmi", Decimal(10), Decimal(80), Decimal("0.1"))
    with pytest.raises(Unprocessable, match="depend on one another"):
        Sealed(plan("ridge", columns=(AGE, half), outcome=SBP), pooled.write(tmp_path, sites)).run()


def test_a_column_that_tells_the_outcome_is_told(tmp_path: Path) -> None:
    sites = pooled.rows()
    for site in sites:
        site[:, 3] = site[:, 0] > 60
    with pytest.raises(Exception, match=r"perfectly"):
        Sealed(plan("logistic", columns=(AGE,), outcome=ILL, most_rounds=100), pooled.write(tmp_path, sites)).run()


def test_a_step_that_goes_too_far_is_halved() -> None:
    parties = Parties(plan("logistic", columns=(AGE,), outcome=ILL))
    before = logistic.Standing((0.0, 0.0), 10.0, (4.0, 8.0))
    names = [one.name for one in parties.study.statistics]
    numbers = tuple({"sites": 3, "rows": 40, "loss": 11 << 30}.get(name, 1 << 30) for name in names)
    found = logistic.advance(parties.study, Round(parties.study.digest, 2, (4.0, 8.0)), numbers, before)
    assert found.coefficients == (2.0, 4.0)
    assert found.standing == logistic.Standing((0.0, 0.0), 10.0, (2.0, 4.0))


def test_results_with_noise_say_so(files: list[Path]) -> None:
    found = Sealed(plan("mean", columns=(AGE,), noise=Noise(3.0)), files).run()
    assert found["noise"]["epsilon"] == 3.0
    assert found["noise"]["honest_contributors_needed"] == 2
    assert found["noise"]["scales"]["sum of age"] == 92
    assert found["columns"]["age"]["mean"] == pytest.approx(ALL[:, 0].mean(), abs=2)
    assert found["rows"] != len(ALL) or found["columns"]["age"]["mean"] != ALL[:, 0].mean()
