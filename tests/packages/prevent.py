"""PREVENT as an owner would describe it: splines, a difference, interactions, rows by sex, inputs left out."""

from __future__ import annotations

from typing import Any

from fhirtwin.predictors.cardiovascular import prevent
from fhirtwin.predictors.model import Input

MMOL = prevent.MMOL_PER_MG


def _input(given: Input) -> dict[str, Any]:
    made: dict[str, Any] = {"fact": given.fact, "label": given.label, "unit": given.unit, "keep": given.keep}
    made |= {"none_recorded_is_no": given.none_recorded_is_no, "high_excluded": given.high_excluded}
    if given.low is not None and given.high is not None:
        made |= {"low": float(given.low), "high": float(given.high)}
    if given.code:
        made["code"] = {"system": given.code.system, "code": given.code.code, "display": given.code.display}
    return made


def _f(fact: str, minus: float = 0.0, over: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"fact": fact, "minus": minus, "over": over, **more}


AGE = _f("age", 55, 10)
NON_HDL = _f("total-cholesterol", 3.5 / MMOL, 1 / MMOL, less="hdl-cholesterol")
TERMS: dict[str, list[dict[str, Any]]] = {
    "age": [AGE],
    "age-squared": [{**AGE, "power": 2}],
    "non-hdl": [NON_HDL],
    "hdl": [_f("hdl-cholesterol", 1.3 / MMOL, 0.3 / MMOL)],
    "sbp-below-110": [_f("systolic-bp", 110, 20, at_most=110)],
    "sbp-from-110": [_f("systolic-bp", 130, 20, at_least=110)],
    "diabetes": [_f("diabetes")],
    "smoking": [_f("current-smoker")],
    "bmi-below-30": [_f("bmi", 25, 5, at_most=30)],
    "bmi-from-30": [_f("bmi", 30, 5, at_least=30)],
    "egfr-below-60": [_f("egfr", 60, -15, at_most=60)],
    "egfr-from-60": [_f("egfr", 90, -15, at_least=60)],
    "antihypertensive": [_f("antihypertensive")],
    "statin": [_f("statin")],
}
TERMS["treated-sbp"] = [_f("antihypertensive"), *TERMS["sbp-from-110"]]
TERMS["treated-non-hdl"] = [_f("statin"), NON_HDL]
TERMS |= {name: [AGE, *TERMS[term]] for name, term in prevent.AGE_TIMES.items()}


def description() -> dict[str, Any]:
    predictor = prevent.PREDICTOR
    outputs = []
    for one in predictor.outputs:
        constants = {sex: prevent.CONSTANTS[f"{one.id}-{sex}"] for sex in ("female", "male")}
        outputs.append(
            {
                "id": one.id,
                "outcome": {"system": one.outcome.system, "code": one.outcome.code, "display": one.outcome.display},
                "horizon_years": one.horizon_years,
                "low_age_years": one.low_age_years,
                "high_age_years": one.high_age_years,
                "row": {"female": f"{one.id}-female", "male": f"{one.id}-male"},
                "constant": constants,
                "link": {"kind": "logistic"},
                "inputs": sorted(one.inputs or ()),
            }
        )
    return {
        "id": "prevent-packaged",
        "version": "1",
        "title": predictor.title,
        "source": predictor.source,
        "inputs": [_input(one) for one in predictor.inputs],
        "rules": [{"fact": one.fact, "must_be": one.must_be, "reason": one.reason} for one in predictor.rules],
        "features": [{"name": name, "product": product} for name, product in TERMS.items()],
        "rows": [{"name": row.name} for row in predictor.rows],
        "outputs": outputs,
    }


def table() -> str:
    rows = prevent.PREDICTOR.rows
    lines = [",".join(["feature", *(row.name for row in rows)])]
    lines += [",".join([term, *(repr(row.weights.get(term, 0.0)) for row in rows)]) for term in TERMS]
    return "\n".join(lines) + "\n"


def golden(count: int = 10) -> dict[str, Any]:
    from decimal import Decimal
    from random import Random

    from fhirtwin.testing.predictors import random_values

    random = Random(7)  # noqa: S311
    cases = []
    for number in range(count):
        drawn = random_values(prevent.PREDICTOR, random)
        values = {fact: float(value) if isinstance(value, Decimal) else value for fact, value in drawn.items()}
        values["age"] = float(int(values["age"]))
        cases.append({"name": f"case {number}", "values": values})
    return {"cases": cases}
