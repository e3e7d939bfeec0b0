"""What differential privacy does to the coefficients of a logistic regression, against those of all rows without noise.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.noisy_logistic [--studies 100]

Made up rows: age evenly from 18 to 110, body mass index about 27 with a deviation of 5, further columns about 0 with a
third of their bounds. Four sites, of which three must take part, so that two have noise enough. The product's own rows,
shares, steps and result, without files and without ciphertext, which change no number. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from fhirtwin.aggregate import logistic, tallying
from fhirtwin.errors import Unprocessable
from fhirtwin.studies.column import Column
from fhirtwin.studies.plan import Noise, Plan
from tests.aggregate.noisy import solve

SITES = ("north", "south", "east", "west")
AGE = Column("age", Decimal(18), Decimal(110), Decimal(1))
WIDE = Column("bmi", Decimal(10), Decimal(80), Decimal("0.1"))
NARROW = Column("bmi", Decimal(15), Decimal(50), Decimal("0.1"))
MORE = tuple(Column(f"c{number}", Decimal(-3), Decimal(3), Decimal("0.1")) for number in range(4))
ILL = Column("ill", Decimal(0), Decimal(1), Decimal(1))

Counts = NDArray[np.int64]
Float = NDArray[np.float64]


def rows(count: int, columns: tuple[Column, ...], constant: float) -> Counts:
    """Counted in half steps, as the reader of rows counts."""
    draw = np.random.default_rng(count)
    bmi = columns[1]
    values = [draw.integers(18, 111, count), np.clip(draw.normal(27, 5, count), float(bmi.low), float(bmi.high))]
    values += [np.clip(draw.normal(0, 1, count), -3, 3) for _ in columns[2:]]
    risk = 1 / (1 + np.exp(constant - 0.06 * values[0] - 0.05 * values[1]))
    counted = [
        2 * np.rint((one - float(column.low)) / float(column.step)).astype(np.int64) - column.steps
        for one, column in zip(values, columns, strict=True)
    ]
    return np.column_stack([*counted, 2 * (draw.random(count) < risk) - 1])


def exact(counts: Counts, plan: Plan) -> Float:
    """Coefficients of scaled columns, without noise."""
    design, outcome = tallying._scaled(counts, plan)
    found = np.zeros(design.shape[1])
    for _ in range(30):
        risk = 1 / (1 + np.exp(-design @ found))
        curvature = (design * (risk * (1 - risk))[:, None]).T @ design
        found -= np.linalg.solve(curvature, design.T @ (risk - outcome))
    return found


def study_of(counts: Counts, plan: Plan) -> tuple[Float, Float] | None:
    """Coefficients in the units of the columns and their stated noise, the constant first; none where refused."""
    try:
        found = solve(counts, plan)
    except Unprocessable:
        return None
    return (
        np.array([found["intercept"], *found["coefficients"].values()]),
        np.array([found["noise_of_intercept"], *found["noise_of_coefficients"].values()]),
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=100)
    chosen = parser.parse_args()
    cases = [
        ((AGE, WIDE), 4, 6.0, 10_000, 1.0),
        ((AGE, NARROW), 4, 6.0, 10_000, 1.0),
        ((AGE, NARROW), 4, 6.0, 10_000, 3.0),
        ((AGE, NARROW), 6, 9.0, 10_000, 3.0),
        ((AGE, NARROW), 4, 6.0, 30_000, 1.0),
        ((AGE, WIDE), 4, 6.0, 100_000, 1.0),
        ((AGE, NARROW), 4, 6.0, 100_000, 1.0),
        ((AGE, NARROW), 6, 9.0, 100_000, 1.0),
        ((AGE, NARROW, *MORE), 4, 6.0, 100_000, 1.0),
    ]
    good = True
    print(
        "columns  bounds  rounds  outcome     rows  epsilon  refused  "
        "bmi exact   median error  19 of 20 below  within 2 stated"
    )
    for columns, most_rounds, constant, count, epsilon in cases:
        plan = Plan("bench", "logistic", SITES, columns, ILL, most_rounds=most_rounds, noise=Noise(epsilon))
        plan.check()
        counts = rows(count, columns, constant)
        scaled = exact(counts, plan)
        right = logistic.in_units(plan, scaled)["coefficients"]["bmi"]
        runs = [study_of(counts, plan) for _ in range(chosen.studies)]
        kept = [one for one in runs if one]
        errors = np.array([abs(found[2] - right) for found, _ in kept])
        within = np.mean([abs(found[2] - right) < 2 * stated[2] for found, stated in kept]) if kept else float("nan")
        median, high = np.quantile(errors, [0.5, 0.95]) if kept else (float("nan"),) * 2
        print(
            f"{len(columns):7}  {'wide' if columns[1] is WIDE else 'narrow':6}  {most_rounds:6}  "
            f"{(counts[:, -1] > 0).mean():7.1%}  {count:7}  {epsilon:7g}  {chosen.studies - len(kept):7}  "
            f"{right:9.4f}  {median:13.4f}  {high:14.4f}  {within:14.0%}"
        )
        if count == 100_000 and columns == (AGE, NARROW):
            good &= len(kept) > 0.95 * chosen.studies and within > 0.8 and median < 0.1 * right
    print(
        "ok" if good else "MISS",
        "two columns, narrow, 100,000 rows: few refused, noise is what is stated, error below a tenth",
    )
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
