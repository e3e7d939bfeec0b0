"""Prepared people for tests, and those among them whose results are the same whatever the noise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count

from benchmarks.cohort_people import line, person
from fhirtwin.features import case_json
from fhirtwin.features.case import Case
from fhirtwin.fhir import codec
from fhirtwin.predictors import registry, score

DAY = date(2026, 6, 1)
STEP, NOISE = 0.001, 2e-5

__all__ = ["DAY", "case", "line", "person", "settled"]


def case(number: int) -> Case:
    """Person `number`, read."""
    return case_json.decode(codec.decode(line(number, DAY)), registry.all_predictors())


def settled(start: int = 0) -> Iterator[int]:
    """Numbers of people none of whose sums lies so near the middle between two steps that noise could move it."""
    for number in count(start):
        found = case(number)
        sums = [s for vector in found.vectors for s in score.plain_sums(vector).values()]
        if all(abs(abs(s / STEP) % 1 - 0.5) * STEP > NOISE for s in sums):
            yield number
