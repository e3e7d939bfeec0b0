"""A model of facts of a twin is asked, as if its inputs were of a patient of today of whom nothing else is known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from fhirtwin.asking.answer import Answer, Taken, Told
from fhirtwin.asking.question import Given, opened
from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.features import vector
from fhirtwin.packages.kind import Predictive
from fhirtwin.predictors import score
from fhirtwin.predictors.model import FeatureVector, Score
from fhirtwin.settings import Settings
from fhirtwin.terms.facts import CODES, FLAGS, UNITS
from fhirtwin.twin.state import LOCAL, Fact, PatientKey, Source, TwinState, in_order
from fhirtwin.vault import Golden, Send

_MADE_UP: Final = (Source(LOCAL, "Patient", "asked"),)
_KINDS: Final = ((str, "a word"), (bool, "true or false"), (float, "a number"))


def ask(model: Predictive, values: Given, send: Send, settings: Settings, golden: Golden) -> Answer:
    """The probabilities that a model gives of facts.

    Raises:
        Incorrect: a fact is of no input, of another kind, or missing.
        Unprocessable: the model is not for somebody with such facts; the text says why.
    """
    features = _features(model, values, settings)
    given = model.given(features.features)
    if refused := model.refuses(given):
        raise Unprocessable(f"Not calculated: {refused}.")
    profile, sums = opened(model, given, send, golden)
    rounded = f"the sum to {profile.step} before its link, the percentage for display"
    told = tuple(_risk(one, rounded) for one in score.scores(features, sums, settings))
    notes = [*filter(None, (model.told_of(features.values),))]
    notes += [
        f"{one.output.id if one.output else model.predictor.id} was not calculated: {'; '.join(one.reasons)}."
        for one in features.refusals
    ]
    taken = tuple(Taken.of(name, value, UNITS.get(name, "")) for name, value in values.items())
    return Answer(profile.name, told, tuple(notes), taken)


def _risk(one: Score, rounded: str) -> Told:
    label = f"{one.output.outcome.display or one.output.id}, {one.output.horizon_years} years"
    return Told(one.output.id, label, (one.percent,), "%", rounded, one.category.text if one.category else "")


def _features(model: Predictive, values: Given, settings: Settings) -> FeatureVector:
    """What a predictor makes of values, as if they were of a patient of today and nothing else were known."""
    today = datetime.now(UTC).date()
    ruled = {one.fact for one in model.predictor.rules}
    asked = {one.fact for one in model.predictor.inputs} | ruled
    if unsaid := sorted(ruled - values.keys()):
        raise Incorrect(f"Say true or false of {', '.join(unsaid)}: this model is not for everybody.")
    if strangers := sorted(values.keys() - asked):
        raise Incorrect(f"{strangers[0][:80]} is no input of this model; it takes {', '.join(sorted(asked))}.")
    facts = in_order(_fact(name, value, today) for name, value in values.items())
    state = TwinState(PatientKey(LOCAL, "asked"), 0, facts)
    built = vector.assemble(state, model.predictor, today, settings)
    if not isinstance(built, FeatureVector):
        raise Unprocessable(f"Not calculated: {'; '.join(built.reasons)}.")
    return built


def _fact(name: str, value: bool | float | str, today: date) -> Fact:
    kind, words = _KINDS[0] if name in CODES else _KINDS[1] if name in FLAGS else _KINDS[2]
    if not isinstance(value, kind):
        raise Incorrect(f"{name} takes {words}.")
    if (words_of := CODES.get(name)) and value not in words_of:
        raise Incorrect(f"{name} takes one of the words {', '.join(words_of)}.")
    if name == "age" and not float(value).is_integer():
        raise Incorrect("age takes completed years, a whole number: of a patient, no model is asked anything else.")
    known = value if isinstance(value, (bool, str)) else Decimal(repr(value))
    return Fact(name, known, _MADE_UP, unit=UNITS.get(name, ""), time=today.isoformat())
