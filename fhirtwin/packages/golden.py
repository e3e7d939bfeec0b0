"""Golden cases: values of nobody, with the sums and percentages that a right engine and a right gateway give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.packages.predictor import values_of
from fhirtwin.packages.schema import CaseForm, GoldenForm, PublicForm
from fhirtwin.predictors.model import Output, Predictor, Values
from fhirtwin.settings import Settings

TOLERANCE: Final = 1e-9
"""How far a sum, or a probability in percent, may be from what is reckoned here."""

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A case as it is sealed, and its answer.

    Attributes:
        features: in the order of the model.
        sums: of the rows, in their order, without constants.
    """

    name: str
    values: Values
    features: Float
    sums: Float


def cases_of(golden: GoldenForm, public: PublicForm, predictor: Predictor, weights: Float | None) -> tuple[Case, ...]:
    """Check all cases.

    Raises:
        Incorrect: a case is not of this model, or comes out otherwise; the text names it.
    """
    if len({case.name for case in golden.cases}) != len(golden.cases):
        raise Incorrect("golden.json: two cases have one name.")
    return tuple(_case(form, public, predictor, weights) for form in golden.cases)


def features_of(form: CaseForm, predictor: Predictor) -> tuple[Values, Float]:
    """Values of a case, and its features in the order of the model.

    Raises:
        Incorrect: a value is missing, of another kind or out of range.
    """
    values = values_of(form.values, predictor.inputs, form.name)
    missing = [one.fact for one in predictor.inputs if one.fact not in values]
    if missing:
        raise Incorrect(f"golden.json: {form.name} has no {missing[0]}; a golden case has every input.")
    prepared = predictor.prepare(values)
    return values, np.array([prepared[feature.name] for feature in predictor.features])


def percent_of(output: Output, values: Values, sums: Mapping[str, float]) -> float:
    """What a gateway makes of sums, not rounded."""
    return 100 * output.link(sums[output.row(values)] + output.constant(values), Settings())


def _case(form: CaseForm, public: PublicForm, predictor: Predictor, weights: Float | None) -> Case:
    values, features = features_of(form, predictor)
    names = [row.name for row in public.rows]
    if form.sums is None or form.percent is None or form.sums.keys() != set(names):
        raise Incorrect(f"golden.json: {form.name} must give the sum of every row, and percentages.")
    sums = np.array([form.sums[name] for name in names])
    if weights is not None and not np.abs(weights @ features - sums).max() <= TOLERANCE:
        raise Incorrect(f"golden.json: the weights give other sums for {form.name} than it says.")
    for output in predictor.outputs:
        told = form.percent.get(output.id)
        if told is None or not math.isclose(
            percent_of(output, values, form.sums), told, rel_tol=TOLERANCE, abs_tol=TOLERANCE
        ):
            raise Incorrect(f"golden.json: {form.name} does not come out at the percentage it gives for {output.id}.")
    if form.percent.keys() != {output.id for output in predictor.outputs}:
        raise Incorrect(f"golden.json: {form.name} gives a percentage of an output that is not there.")
    return Case(form.name, values, features, sums)
