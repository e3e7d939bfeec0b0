"""Features as data: what a factor makes of a fact, and between which ends a feature lies while its inputs are in range.

An end is found by reckoning with intervals, so what is declared holds for every patient that is let through.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from fhirtwin.errors import Incorrect
from fhirtwin.packages.schema import FactorForm, FeatureForm
from fhirtwin.predictors.model import Input, Value, Values
from fhirtwin.terms.facts import CODES

Interval = tuple[float, float]


def value_of(feature: FeatureForm, values: Values) -> float:
    """The number of a feature, for values of its facts in range; 0 where one of them is absent."""
    if any(factor.fact not in values for factor in feature.product):
        return 0.0
    return math.prod(_factor(factor, _number(factor, values[factor.fact])) for factor in feature.product)


def bounds_of(feature: FeatureForm, inputs: Mapping[str, Input]) -> Interval:
    """The ends of a feature, 0 between them, for it stands for "not asked".

    Raises:
        Incorrect: a factor is of no input, or cannot be reckoned over the whole range of its input.
    """
    low, high = 1.0, 1.0
    for factor in feature.product:
        try:
            one = _factor_bounds(factor, inputs[factor.fact])
        except KeyError:
            raise Incorrect(f"Feature {feature.name} is made of {factor.fact}, which is no input.") from None
        except (ValueError, ZeroDivisionError, OverflowError):
            raise Incorrect(
                f"Feature {feature.name} cannot be reckoned over the whole range of {factor.fact}."
            ) from None
        corners = [one_end * end for one_end in one for end in (low, high)]
        low, high = min(corners), max(corners)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Incorrect(f"Feature {feature.name} has no bounds.")
    return min(low, 0.0), max(high, 0.0)


def _number(factor: FactorForm, value: Value) -> float:
    return float(value == factor.equals) if factor.equals is not None else float(value)


def _factor(factor: FactorForm, number: float) -> float:
    return _unraised(factor, number) ** factor.power


def _unraised(factor: FactorForm, number: float) -> float:
    if factor.at_least is not None:
        number = max(number, factor.at_least)
    if factor.at_most is not None:
        number = min(number, factor.at_most)
    if factor.log:
        number = math.log(number)
    return (number - factor.minus) / factor.over


def _factor_bounds(factor: FactorForm, needed: Input) -> Interval:
    """All steps but the power keep or turn the order of numbers, so ends of the range give ends of the result."""
    if (needed.fact in CODES) != (factor.equals is not None):
        raise ValueError
    if factor.equals is not None and factor.equals not in CODES[needed.fact]:
        raise ValueError
    low, high = (0.0, 1.0) if needed.low is None or needed.high is None else (float(needed.low), float(needed.high))
    ends = sorted(_unraised(factor, end) for end in (low, high))
    raised = [end**factor.power for end in ends]
    if factor.power == 2 and ends[0] < 0 < ends[1]:
        raised.append(0.0)
    return min(raised), max(raised)
