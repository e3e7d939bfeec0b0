"""Golden cases: values of nobody, with the sums and percentages that a right engine and a right gateway give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.packages.forms.predictive import CaseForm, GoldenForm, PublicForm
from fhirtwin.packages.kind import Case
from fhirtwin.predictors.model import Input, Output, Predictor, Values
from fhirtwin.settings import Settings
from fhirtwin.terms.facts import CODES, UNITS

TOLERANCE: Final = 1e-9
"""How far a sum, or a probability in percent, may be from what is reckoned here."""

Float = NDArray[np.float64]


def cases_of(
    golden: GoldenForm, public: PublicForm, predictor: Predictor, sums_of: Callable[[Float], Float] | None
) -> tuple[Case, ...]:
    """Check all cases of a predictor.

    Args:
        golden: as they were read.
        public: names the rows.
        predictor: of the public half.
        sums_of: what the weights, where they are here, make of features in their order: a sum for each row.

    Raises:
        Incorrect: a case is not of this model, or comes out otherwise; the text names it.
    """
    refuse_twice([case.name for case in golden.cases])
    return tuple(_case(form, public, predictor, sums_of) for form in golden.cases)


def refuse_twice(names: list[str]) -> None:
    """Refuse golden cases of which two have one name.

    Raises:
        Incorrect: two have.
    """
    if len(set(names)) != len(names):
        raise Incorrect("golden.json: two cases have one name.")


def features_of(form: CaseForm, predictor: Predictor) -> tuple[Values, Float]:
    """Values of a case, and its features in the order of the model.

    Raises:
        Incorrect: a value is missing, of another kind or out of range.
    """
    values = _values_of(form.values, predictor.inputs, form.name)
    missing = [one.fact for one in predictor.inputs if one.fact not in values]
    if missing:
        raise Incorrect(f"golden.json: {form.name} has no {missing[0]}; a golden case has every input.")
    prepared = predictor.prepare(values)
    return values, np.array([prepared[feature.name] for feature in predictor.features])


def percent_of(output: Output, values: Values, sums: Mapping[str, float]) -> float:
    """What a gateway makes of sums, not rounded."""
    return 100 * output.link(sums[output.row(values)] + output.constant(values), Settings())


def _case(form: CaseForm, public: PublicForm, predictor: Predictor, sums_of: Callable[[Float], Float] | None) -> Case:
    values, features = features_of(form, predictor)
    names = [row.name for row in public.rows]
    if form.sums is None or form.percent is None or form.sums.keys() != set(names):
        raise Incorrect(f"golden.json: {form.name} must give the sum of every row, and percentages.")
    sums = np.array([form.sums[name] for name in names])
    if sums_of is not None and not np.abs(sums_of(features) - sums).max() <= TOLERANCE:
        raise Incorrect(f"golden.json: the weights give other sums for {form.name} than it says.")
    for output in predictor.outputs:
        told = form.percent.get(output.id)
        if told is None or not math.isclose(
            percent_of(output, values, form.sums), told, rel_tol=TOLERANCE, abs_tol=TOLERANCE
        ):
            raise Incorrect(f"golden.json: {form.name} does not come out at the percentage it gives for {output.id}.")
    if form.percent.keys() != {output.id for output in predictor.outputs}:
        raise Incorrect(f"golden.json: {form.name} gives a percentage of an output that is not there.")
    return Case(form.name, features, form.sums)


def _values_of(given: Mapping[str, bool | float | str], inputs: tuple[Input, ...], where: str) -> Values:
    """Values of a golden case as inputs are.

    Raises:
        Incorrect: one is of no input, of another kind, or out of range.
    """
    by_fact = {one.fact: one for one in inputs}
    values: dict[str, Decimal | bool | str] = {}
    for fact, value in given.items():
        needed = by_fact.get(fact)
        if needed is None:
            raise Incorrect(f"golden.json: {where} gives {fact}, which is no input.")
        right = _kind(needed)
        if isinstance(value, bool) != (right is bool) or isinstance(value, str) != (right is str):
            raise Incorrect(f"golden.json: {where} gives {fact} as another kind of value.")
        if isinstance(value, str) and value not in CODES[fact]:
            raise Incorrect(f"golden.json: {where} gives {fact} a word that it does not take.")
        known = value if isinstance(value, (bool, str)) else Decimal(repr(value))
        if isinstance(known, Decimal) and not needed.holds(known):
            raise Incorrect(f"golden.json: {where} gives {fact} a value out of its range.")
        values[fact] = known
    return values


def _kind(needed: Input) -> type:
    if needed.fact in UNITS:
        return float
    return str if needed.fact in CODES else bool
