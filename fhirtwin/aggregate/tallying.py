"""From the rows of one site to its statistics: whole numbers, in the order that the study declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fhirtwin.aggregate import noise, row_slopes, rows
from fhirtwin.aggregate.rows import Counts, Tally
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.round import Round
from fhirtwin.studies.statistics import REAL_BITS, pairs
from fhirtwin.studies.study import Study

Float = NDArray[np.float64]


def statistics(path: Path, study: Study, current: Round) -> list[int]:
    """Add up the rows of a file, with noise where the study says so.

    Raises:
        Incorrect: the file is not such as the study declares.
    """
    plan, tally = study.plan, Tally()
    add_up = _noisy_logistic if plan.is_noisy_logistic else _OF_KIND[plan.kind]
    found = add_up(rows.blocks(path, plan, tally), plan, current)
    counted = [tally.used] if plan.counts_rows else []
    counted += [tally.left_out] if plan.counts_left_out else []
    return noise.added([1, *counted, *found], study, current)


def _count(blocks: Iterator[Counts], _plan: Plan, _current: Round) -> list[int]:
    for _ in blocks:
        pass
    return []


def _mean(blocks: Iterator[Counts], plan: Plan, _current: Round) -> list[int]:
    sums = [0] * len(plan.columns)
    squares = [0] * len(plan.columns)
    for block in blocks:
        sums = _plus(sums, block.sum(axis=0))
        squares = _plus(squares, (block * block).sum(axis=0))
    return sums + squares


def _histogram(blocks: Iterator[Counts], plan: Plan, _current: Round) -> list[int]:
    edges = [np.array(column.edge_counts) for column in plan.columns]
    cells = [np.zeros(len(known) - 1, dtype=np.int64) for known in edges]
    for block in blocks:
        for place, known in enumerate(edges):
            cells[place] += np.histogram(block[:, place], bins=known)[0]
    return [int(number) for column in cells for number in column]


def _ridge(blocks: Iterator[Counts], plan: Plan, _current: Round) -> list[int]:
    places = pairs(len(plan.variables))
    above = tuple(np.array(places).T)
    sums, products = [0] * len(plan.variables), [0] * len(places)
    for block in blocks:
        sums = _plus(sums, block.sum(axis=0))
        products = _plus(products, (block.T @ block)[above])
    return sums + products


def _logistic(blocks: Iterator[Counts], plan: Plan, current: Round) -> list[int]:
    """Loss, gradient and curvature at the coefficients of the round, each rounded to a multiple of 2^-30."""
    size = len(plan.columns) + 1
    coefficients = np.array(current.coefficients)
    loss, gradient, curvature = 0.0, np.zeros(size), np.zeros((size, size))
    for block in blocks:
        design, outcome = _scaled(block, plan)
        predictor = design @ coefficients
        risk = _sigmoid(predictor)
        loss += float((np.logaddexp(0.0, predictor) - outcome * predictor).sum())
        gradient += design.T @ (risk - outcome)
        curvature += (design * (risk * (1.0 - risk))[:, None]).T @ design
    reals = [loss, *gradient, *curvature[tuple(np.array(pairs(size)).T)]]
    return [round(float(real) * 2**REAL_BITS) for real in reals]


def _noisy_logistic(blocks: Iterator[Counts], plan: Plan, current: Round) -> list[int]:
    """Gradient and curvature at the coefficients of the round, each row in whole multiples of 2^-30."""
    above = pairs(len(plan.columns) + 1)
    places = (np.array([i for i, _ in above]), np.array([j for _, j in above]))
    coefficients = np.array(current.coefficients)
    gradient, curvature = [0] * len(coefficients), [0] * len(above)
    for block in blocks:
        design, outcome = _scaled(block, plan)
        distance = row_slopes.distances(design @ coefficients, outcome)
        gradient = _plus(gradient, row_slopes.gradients(design, distance, outcome).sum(axis=0))
        curvature = _plus(curvature, row_slopes.curvatures(design, distance, places).sum(axis=0))
    return gradient + curvature


def _scaled(block: Counts, plan: Plan) -> tuple[Float, Float]:
    """The constant and the columns from -1 to 1, and the outcome, 0 or 1."""
    design = np.ones((len(block), len(plan.columns) + 1))
    design[:, 1:] = block[:, :-1] / np.array([column.steps for column in plan.columns], dtype=np.float64)
    return design, (block[:, -1] > 0).astype(np.float64)


def _sigmoid(predictor: Float) -> Float:
    return np.asarray(np.exp(-np.logaddexp(0.0, -predictor)))


def _plus(known: list[int], more: Counts) -> list[int]:
    return [one + other for one, other in zip(known, more.tolist(), strict=True)]


_OF_KIND = {"count": _count, "mean": _mean, "histogram": _histogram, "ridge": _ridge, "logistic": _logistic}
