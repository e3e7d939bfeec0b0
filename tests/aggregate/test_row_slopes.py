"""No row changes what a round opens by more than the noise was reckoned for, whatever the row and the coefficients."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.aggregate import noise, row_slopes, tallying
from fhirtwin.studies.plan import Noise
from fhirtwin.studies.round import Round
from fhirtwin.studies.statistics import LARGEST_PREDICTOR
from tests.studies.builders import AGE, BMI, ILL, Parties, plan

STUDY = Parties(plan("logistic", columns=(AGE, BMI), outcome=ILL, most_rounds=6, noise=Noise(0.7))).study
COUNTS = [(-column.steps, 2 - column.steps, 0, column.steps) for column in (AGE, BMI)]
ROWS = [list(row) for row in itertools.product(*COUNTS, (-1, 1))]
SMALL = math.log(3)  # a risk of three quarters, where a row spends most


def tally(rows: list[list[int]], coefficients: tuple[float, ...]) -> list[int]:
    blocks = [np.array(rows[at : at + 256], dtype=np.int64) for at in range(0, len(rows), 256)]
    return tallying._noisy_logistic(iter(blocks), STUDY.plan, Round(STUDY.digest, 2, coefficients))


def spent(row: list[int], others: list[list[int]], coefficients: tuple[float, ...]) -> Fraction:
    """What the row costs of a round that may spend all of epsilon: exactly, over two neighbouring data sets."""
    pairs = zip(tally([*others, row], coefficients), tally(others, coefficients), STUDY.statistics[1:], strict=True)
    return sum((Fraction(abs(more - less)) / Fraction(one.scale) for more, less, one in pairs), Fraction())


def test_no_row_at_the_corners_of_its_bounds_spends_more_than_epsilon() -> None:
    others = [ROWS[number % len(ROWS)] for number in range(300)]
    sizes = (0.0, 1e-300, 1e-9, SMALL / 3, SMALL, -SMALL, 20.0, LARGEST_PREDICTOR / 3, -LARGEST_PREDICTOR / 3)
    found = [
        spent(row, others[: number % 300], coefficients)
        for number, (row, coefficients) in enumerate(itertools.product(ROWS, itertools.product(sizes, repeat=3)))
        if number % 7 == 0 or 0.0 in coefficients
    ]
    top = [92, 700, -1]
    found += [spent(top, others[:9], (SMALL / 3 + near * 1e-8, SMALL / 3, SMALL / 3)) for near in range(-50, 51)]
    assert max(found) <= Fraction(0.7) * (1 + Fraction(1, 2**50))  # scales are doubles
    assert max(found) > 0.7 * (1 - 1e-6)  # and no less noise would do


@given(
    st.integers(-92, 92),
    st.integers(-700, 700),
    st.sampled_from((-1, 1)),
    st.tuples(*[st.floats(-LARGEST_PREDICTOR / 3, LARGEST_PREDICTOR / 3)] * 3),
    st.integers(0, len(ROWS)),
)
def test_no_row_spends_more_than_epsilon(
    age: int, bmi: int, ill: int, coefficients: tuple[float, ...], others: int
) -> None:
    assert spent([age, bmi, ill], ROWS[:others], coefficients) <= Fraction(0.7) * (1 + Fraction(1, 2**50))


@given(st.floats(-1000, 1000), st.sampled_from((0.0, 1.0)))
def test_the_weight_of_a_row_is_exact(predictor: float, outcome: float) -> None:
    (distance,) = row_slopes.distances(np.array([predictor]), np.array([outcome]))
    exact = Fraction(float(distance))
    assert 0 <= exact <= 1
    assert Fraction(float(distance * (1 - distance))) == exact * (1 - exact)
    risk = 1 / (1 + math.exp(-predictor)) if predictor > -700 else 0.0
    assert abs(float(distance) - abs(risk - outcome)) <= 2.0**-27 + 1e-15


def test_one_row_more_in_a_file_changes_what_is_sealed_within_the_reckoning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise, "share", lambda *_: 0)
    head = "age,bmi,ill\n" + "40,25.1,0\n71,31.7,1\n" * 300
    sealed = []
    for name, more in (("less", ""), ("more", "110,80,1\n")):
        (tmp_path / f"{name}.csv").write_text(head + more)
        current = Round(STUDY.digest, 3, (0.1 - SMALL, 0.4, -0.5))
        sealed.append(tallying.statistics(tmp_path / f"{name}.csv", STUDY, current))
    pairs = zip(*sealed, STUDY.statistics, strict=True)
    cost = sum(abs(less - more) / one.scale for less, more, one in pairs if one.scale)
    assert 0.9 * 0.7 < cost <= 0.7 * (1 + 1e-12)
    assert sealed[0][0] == sealed[1][0] == 1
