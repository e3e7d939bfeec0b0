"""From opened sums to probabilities: constant, link, rounding, category. Pure, and the same for sealed and plain sums.

A percentage is shown with one decimal. Where that would carry it over a threshold of its guideline, it is shown with
two, so that a figure and the category beside it never contradict each other: 4.97 % is `borderline (3 to below 5 %)`
and stays 4.97, not 5.0. No probability is shown as 0 or 100 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from fhirtwin.errors import Fault
from fhirtwin.predictors.model import FeatureVector, Output, Score
from fhirtwin.settings import Settings

TENTH: Final = Decimal("0.1")
HUNDREDTH: Final = Decimal("0.01")
LEAST: Final = Decimal("0.01")
"""Smaller probabilities are shown as this many percent."""
MOST: Final = Decimal("99.9")
"""Larger probabilities are shown as this many percent."""


def plain_sums(vector: FeatureVector) -> dict[str, float]:
    """The sums of the predictor's rows computed in the clear: what the sealed road is measured against."""
    return {
        row.name: math.fsum(weight * vector.features[name] for name, weight in row.weights.items())
        for row in vector.predictor.rows
    }


def probability(vector: FeatureVector, output: Output, linear: float, settings: Settings) -> float:
    """The probability, 0 to 1 and not rounded, of one output.

    Args:
        vector: whose values choose the constant.
        output: one of the vector's outputs.
        linear: sum of the output's row, without its constant.
        settings: what the link depends on.

    Raises:
        Fault: the link gave no probability.
    """
    found = output.link(linear + output.constant(vector.values), settings)
    if not 0 <= found <= 1:  # also refuses NaN
        raise Fault(f"The link of {vector.predictor.id} {output.id} gave no probability.")
    return found


def scores(
    vector: FeatureVector, sums: Mapping[str, Decimal] | Mapping[str, float], settings: Settings
) -> tuple[Score, ...]:
    """Turn sums into what is shown: a rounded percentage and its category, for each output of the vector.

    Args:
        vector: the patient's features; only its outputs are scored.
        sums: row name, without the predictor's id, to sum, without its constant.
        settings: what links and categories depend on.

    Raises:
        Fault: a row is missing from the sums, or a link gave no probability.
    """
    return tuple(_score(vector, output, sums, settings) for output in vector.outputs)


def _score(
    vector: FeatureVector, output: Output, sums: Mapping[str, Decimal] | Mapping[str, float], settings: Settings
) -> Score:
    row = output.row(vector.values)
    if row not in sums:
        raise Fault(f"No sum came back for row {row} of {vector.predictor.id}.")
    # repr() gives the shortest decimal that is this double, so that 0.03 is 3 % and not a hair below.
    percent = Decimal(repr(probability(vector, output, float(sums[row]), settings))) * 100
    shown = _shown(percent, output, settings)
    return Score(output, shown, output.category(shown, settings))


def _shown(percent: Decimal, output: Output, settings: Settings) -> Decimal:
    """Round, keeping to the side of every threshold on which the exact value lies."""
    category = output.category(percent, settings)
    candidates = list(_rounded(percent))
    return next((c for c in candidates if output.category(c, settings) == category), candidates[-1])


def _rounded(percent: Decimal) -> Iterator[Decimal]:
    for step, rounding in ((TENTH, ROUND_HALF_UP), (HUNDREDTH, ROUND_FLOOR), (HUNDREDTH, ROUND_CEILING)):
        rounded = percent.quantize(step, rounding=rounding)
        if rounded < TENTH:
            rounded = max(percent.quantize(HUNDREDTH, rounding=ROUND_HALF_UP), LEAST)
        yield min(rounded, MOST)
