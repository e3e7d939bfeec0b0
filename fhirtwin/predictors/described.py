"""The public half of the predictors as JSON: what somebody who seals elsewhere needs to lay out, judge and read.

Names, bounds and weights of the panel, and of each predictor what goes in, when it applies, and where each output lies.
How inputs become features, and the link, are code; who reads this has it for the predictors that they ask for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.predictors.model import Input, Output, Predictor
from fhirtwin.settings import Settings

SEXES: Final = ("female", "male")
SENDS: Final = ("vector",)
"""All that who holds the key is asked to send, besides a digest and a random number. A key is not, in any mode."""

OF_THE_LIVING: Final = frozenset({"deceased"})
"""Rules that nobody is asked about who answers for themselves."""

_UNITS: Final = {
    "a": "years",
    "mm[Hg]": "mmHg",
    "kg/m2": "kg/m²",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
}
"""UCUM codes as people write them."""


def described(
    predictors: Iterable[Predictor], panel: Panel, ids: Collection[str], settings: Settings
) -> dict[str, Any]:
    """Describe the panel whole, and those of its predictors that are named.

    Args:
        predictors: of the panel.
        panel: what the engine holds.
        ids: of the predictors whose code the reader has.
        settings: what links depend on.
    """
    return {
        "digest": panel.digest,
        "profile": MASKED.name,
        "sends": list(SENDS),
        "settings": {"kfre-region": settings.kfre_region},
        "panel": {
            "features": list(panel.features),
            "low": panel.low.tolist(),
            "high": panel.high.tolist(),
            "rows": list(panel.rows),
            "weights": panel.weights.tolist(),
        },
        "predictors": [_predictor(one) for one in predictors if one.id in ids],
    }


def unit_of(given: Input) -> str:
    """The unit of an input, as people write it."""
    return _UNITS.get(given.unit, given.unit)


def range_of(given: Input) -> str:
    """The published range of an input in words; empty where there is none."""
    below = "below " if given.high_excluded else ""
    return "" if given.low is None else f"{given.low} to {below}{given.high} {unit_of(given)}"


def _predictor(one: Predictor) -> dict[str, Any]:
    rules = [rule for rule in one.rules if rule.fact not in OF_THE_LIVING]
    return {
        "id": one.id,
        "version": one.version,
        "title": one.title,
        "inputs": [_input(each) for each in one.inputs],
        "rules": [
            {"fact": each.fact, "must_be": each.must_be, "reason": each.reason, "label": each.label or each.reason}
            for each in rules
        ],
        "outputs": [_output(one, each) for each in one.outputs],
    }


def _input(given: Input) -> dict[str, Any]:
    return {
        "fact": given.fact,
        "label": given.label,
        "low": None if given.low is None else float(given.low),
        "high": None if given.high is None else float(given.high),
        "high_excluded": given.high_excluded,
        "range": range_of(given),
    }


def _output(one: Predictor, output: Output) -> dict[str, Any]:
    return {
        "id": output.id,
        "title": output.outcome.display,
        "years": output.horizon_years,
        "low": output.low_age_years,
        "high": output.high_age_years,
        "needs": [each.fact for each in one.inputs if output.needs(each.fact)],
        "by_sex": {sex: {"row": output.row({"sex": sex}), "constant": output.constant({"sex": sex})} for sex in SEXES},
    }
