"""Features as data: what a factor makes of a fact, and between which ends a feature lies while its inputs are in range.

An end is found by reckoning with intervals, so what is declared holds for every patient that is let through.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.packages.forms.predictive import FactorForm, FeatureForm
from fhirtwin.predictors.model import Input, Values
from fhirtwin.terms.facts import CODES

Interval = tuple[float, float]

POWERS: Final = (-1.0, -0.5, 0.5, 1.0, 2.0, 3.0)
_ANYWHERE: Final = (1.0, 2.0, 3.0)
_SQUARE: Final = 2.0


def value_of(feature: FeatureForm, values: Values, absent: float = 0.0) -> float:
    """The number of a feature, for values of its facts in range; `absent` where one of them is."""
    if not facts_of(feature) <= values.keys():
        return absent
    return math.prod(math.pow(_unraised(factor, _number(factor, values)), factor.power) for factor in feature.product)


def facts_of(feature: FeatureForm) -> frozenset[str]:
    """The facts that a feature is made of."""
    return frozenset(fact for factor in feature.product for fact in (factor.fact, factor.less) if fact)


def bounds_of(feature: FeatureForm, inputs: Mapping[str, Input]) -> Interval:
    """The ends of a feature, 0 between them, for it stands for "not asked".

    Raises:
        Incorrect: a factor is of no input, or cannot be reckoned over the whole range of its input.
    """
    low, high = 1.0, 1.0
    for factor in feature.product:
        try:
            one = _factor_bounds(factor, inputs)
        except KeyError as error:
            raise Incorrect(f"Feature {feature.name} is made of {error.args[0]}, which is no input.") from None
        except (ValueError, ZeroDivisionError, OverflowError):
            raise Incorrect(
                f"Feature {feature.name} cannot be reckoned over the whole range of {factor.fact}."
            ) from None
        corners = [one_end * end for one_end in one for end in (low, high)]
        low, high = min(corners), max(corners)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Incorrect(f"Feature {feature.name} has no bounds.")
    return min(low, 0.0), max(high, 0.0)


def _number(factor: FactorForm, values: Values) -> float:
    value = values[factor.fact]
    if factor.equals is not None:
        return float(value == factor.equals)
    return float(value) - (float(values[factor.less]) if factor.less else 0.0)


def _unraised(factor: FactorForm, number: float) -> float:
    if factor.at_least is not None:
        number = max(number, factor.at_least)
    if factor.at_most is not None:
        number = min(number, factor.at_most)
    if factor.log:
        number = math.log(number)
    return (number - factor.minus) / factor.over


def _factor_bounds(factor: FactorForm, inputs: Mapping[str, Input]) -> Interval:
    """All steps but the power keep or turn the order of numbers, so ends of the range give ends of the result."""
    low, high = _range(factor, inputs[factor.fact])
    if factor.less:
        taken = inputs[factor.less]
        if taken.unit != inputs[factor.fact].unit or factor.equals is not None:
            raise ValueError
        least, most = _range(factor, taken)
        low, high = low - most, high - least
    ends = sorted(_unraised(factor, end) for end in (low, high))
    if factor.power not in POWERS or (factor.power not in _ANYWHERE and ends[0] <= 0):
        raise ValueError
    raised = [math.pow(end, factor.power) for end in ends]
    if factor.power == _SQUARE and ends[0] < 0 < ends[1]:
        raised.append(0.0)
    return min(raised), max(raised)


def _range(factor: FactorForm, needed: Input) -> Interval:
    if (needed.fact in CODES) != (factor.equals is not None):
        raise ValueError
    if factor.equals is not None and factor.equals not in CODES[needed.fact]:
        raise ValueError
    return (0.0, 1.0) if needed.low is None or needed.high is None else (float(needed.low), float(needed.high))
