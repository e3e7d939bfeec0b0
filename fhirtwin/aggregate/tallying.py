"""From the rows of one site to its statistics: whole numbers, in the order that the study declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fhirtwin.aggregate import noise, rows
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
    found = _OF_KIND[plan.kind](rows.blocks(path, plan, tally), plan, current)
    counted = [] if plan.kind == "histogram" else [tally.used]
    counted += [tally.left_out] if plan.missing == "leave out" and plan.columns else []
    return noise.added([1, *counted, *found], study)


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
    steps = np.array([column.steps for column in plan.columns], dtype=np.float64)
    coefficients = np.array(current.coefficients)
    loss, gradient, curvature = 0.0, np.zeros(size), np.zeros((size, size))
    for block in blocks:
        design = np.ones((len(block), size))
        design[:, 1:] = block[:, :-1] / steps
        outcome = (block[:, -1] > 0).astype(np.float64)
        predictor = design @ coefficients
        risk = _sigmoid(predictor)
        loss += float((np.logaddexp(0.0, predictor) - outcome * predictor).sum())
        gradient += design.T @ (risk - outcome)
        curvature += (design * (risk * (1.0 - risk))[:, None]).T @ design
    reals = [loss, *gradient, *curvature[tuple(np.array(pairs(size)).T)]]
    return [round(float(real) * 2**REAL_BITS) for real in reals]


def _sigmoid(predictor: Float) -> Float:
    return np.asarray(np.exp(-np.logaddexp(0.0, -predictor)))


def _plus(known: list[int], more: Counts) -> list[int]:
    return [one + other for one, other in zip(known, more.tolist(), strict=True)]


_OF_KIND = {"count": _count, "mean": _mean, "histogram": _histogram, "ridge": _ridge, "logistic": _logistic}
