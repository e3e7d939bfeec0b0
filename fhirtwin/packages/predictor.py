"""The public half of a package as a `Predictor`: it asks, refuses and links like any other, and has no weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from typing import Final

from fhirtwin.errors import Fault, Incorrect
from fhirtwin.packages import transforms
from fhirtwin.packages.forms.manifest import Manifest
from fhirtwin.packages.forms.predictive import (
    BySex,
    CategoryForm,
    CodingForm,
    InputForm,
    LinkForm,
    OutputForm,
    PublicForm,
)
from fhirtwin.packages.kind import refuse_unsaid
from fhirtwin.predictors import registry
from fhirtwin.predictors.model import Category, Feature, Input, Output, Predictor, Rule, Values
from fhirtwin.settings import Settings
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.facts import CODES, FLAGS, UNITS

_SLACK: Final = 1e-9
"""How far a declared bound may lie inside what is reckoned here, relative: for other libraries of mathematics."""

AGES: Final = tuple(
    f.name.removeprefix("max_age_").removesuffix("_days") for f in fields(Settings) if f.name.startswith("max_age_")
)
"""Names that an input may give of how old it may be: each is a setting `max_age_<name>_days`."""

ANY_AGE: Final = "any"
"""What an input says that may be of any age, on purpose."""


def predictor(public: PublicForm, manifest: Manifest, model_hash: str, *, absent: float = 0.0) -> Predictor:
    """Make the predictor of a public half.

    Args:
        public: as it was read.
        manifest: names the model.
        model_hash: SHA-256, in hex, of the manifest.
        absent: what a feature is of which a fact is absent, because the outputs do without it.

    Raises:
        Incorrect: it does not say what a predictor must; the text names the place and the remedy.
    """
    inputs = tuple(input_of(one) for one in public.inputs)
    made = Predictor(
        id=manifest.id,
        version=manifest.version,
        title=public.title,
        source=public.source,
        inputs=inputs,
        rules=tuple(_rule(one.fact, one.must_be, one.reason, one.label) for one in public.rules),
        features=_features(public, inputs),
        rows=(),
        outputs=tuple(_output(one, public) for one in public.outputs),
        prepare=lambda values: {one.name: transforms.value_of(one, values, absent) for one in public.features},
        model_hash=model_hash,
    )
    try:
        registry.admit([made])
    except Fault as error:
        raise Incorrect(str(error)) from None
    _check_words(made)
    return made


def rows_of(output: OutputForm) -> tuple[str, ...]:
    """Names of the rows that an output may take."""
    return (str(output.row.female), str(output.row.male)) if isinstance(output.row, BySex) else (output.row,)


def _check_words(made: Predictor) -> None:
    refuse_unsaid(made.source)
    if "deceased" not in {rule.fact for rule in made.rules if not rule.must_be}:
        raise Incorrect('rules: add {"fact": "deceased", "must_be": false, "reason": "deceased"}: nobody else would.')
    if "age" not in {one.fact for one in made.inputs}:
        raise Incorrect("inputs: age must be among them, for every output says for which ages it is.")


def input_of(form: InputForm) -> Input:
    """An input as the twin knows it.

    Raises:
        Incorrect: the twin does not, or not in that unit; the text says what to write.
    """
    place = f"inputs: {form.fact}"
    if form.fact not in {*UNITS, *CODES, *FLAGS} or form.fact == "birth-date":
        raise Incorrect(f"{place} is no fact of the twin; docs/twin.md lists them.")
    if form.unit != UNITS.get(form.fact, ""):
        raise Incorrect(f"{place} is kept in {UNITS.get(form.fact) or 'no unit'!s}, so that must be its unit.")
    if form.fact in UNITS and (form.low is None or form.high is None or not form.low < form.high):
        raise Incorrect(f"{place} needs the range, low and high, that the model was made for.")
    if form.fact not in UNITS and (form.low is not None or form.high is not None):
        raise Incorrect(f"{place} is no quantity and has no range.")
    if form.fact in UNITS and form.fact != "age" and form.code is None:
        raise Incorrect(f"{place} needs a code to ask for it by when it is missing.")
    if form.none_recorded_is_no and not FLAGS.get(form.fact):
        raise Incorrect(f"{place} is kept on no list, so no record of it is not a no.")
    if form.keep and form.keep not in {*AGES, ANY_AGE}:
        raise Incorrect(f"{place}: keep names no setting max_age_{form.keep}_days; docs/settings.md lists them.")
    return Input(
        fact=form.fact,
        label=form.label,
        unit=form.unit,
        low=_decimal(form.low),
        high=_decimal(form.high),
        keep="" if form.keep == ANY_AGE else form.keep,
        none_recorded_is_no=form.none_recorded_is_no,
        code=_coding(form.code),
        high_excluded=form.high_excluded,
    )


def _rule(fact: str, must_be: bool, reason: str, label: str) -> Rule:
    if fact not in FLAGS:
        raise Incorrect(f"rules: {fact} is no flag of the twin; docs/twin.md lists them.")
    return Rule(fact, must_be, reason, label)


def _features(public: PublicForm, inputs: tuple[Input, ...]) -> tuple[Feature, ...]:
    by_fact = {one.fact: one for one in inputs}
    made = []
    for form in public.features:
        low, high = transforms.bounds_of(form, by_fact)
        if form.low is None or form.high is None:
            raise Incorrect(f"features: {form.name} has no bounds; `fhirtwin model pack` works them out.")
        room = _SLACK * max(abs(low), abs(high), 1.0)
        if low < form.low - room or high > form.high + room:
            raise Incorrect(f"features: {form.name} can leave the bounds that it declares.")
        made.append(Feature(form.name, form.low, form.high))
    return tuple(made)


def _output(form: OutputForm, public: PublicForm) -> Output:
    place = f"outputs: {form.id}"
    facts = {one.fact for one in public.inputs}
    if form.low_age_years > form.high_age_years:
        raise Incorrect(f"{place} is for no age.")
    if form.inputs is not None and not set(form.inputs) <= facts:
        raise Incorrect(f"{place} names an input that is not among them.")
    for row in rows_of(form):
        if row not in {one.name for one in public.rows}:
            raise Incorrect(f"{place} takes row {row}, which is not among the rows.")
    by_sex = isinstance(form.row, BySex) or isinstance(form.constant, BySex)
    if by_sex and ("sex" not in facts or (form.inputs is not None and "sex" not in form.inputs)):
        raise Incorrect(f"{place} depends on sex, which is not among its inputs.")
    return Output(
        id=form.id,
        outcome=_coding_of(form.outcome),
        snomed=_coding(form.also),
        horizon_years=form.horizon_years,
        low_age_years=form.low_age_years,
        high_age_years=form.high_age_years,
        row=_row(form),
        constant=_constant(form, place),
        link=_link(form.link, place),
        category=_category(form.categories, place),
        inputs=None if form.inputs is None else frozenset(form.inputs),
    )


def _row(form: OutputForm) -> Callable[[Values], str]:
    row = form.row
    if isinstance(row, BySex):
        names = {"female": str(row.female), "male": str(row.male)}
        return lambda values: names[str(values["sex"])]
    return lambda _values: row


def _constant(form: OutputForm, place: str) -> Callable[[Values], float]:
    constant = form.constant
    if not isinstance(constant, BySex):
        return lambda _values: constant
    if isinstance(constant.female, str) or isinstance(constant.male, str):
        raise Incorrect(f"{place}: its constant must be numbers.")
    numbers = {"female": constant.female, "male": constant.male}
    return lambda values: numbers[str(values["sex"])]


def _link(form: LinkForm, place: str) -> Callable[[float, Settings], float]:
    if form.kind == "logistic":
        if form.baseline is not None:
            raise Incorrect(f"{place}: a logistic link has no baseline.")
        return lambda linear, _settings: _logistic(linear)
    if form.baseline is None:
        raise Incorrect(f"{place}: a survival link needs the baseline, the probability of no event at 0.")
    log_baseline = math.log(form.baseline)
    return lambda linear, _settings: -math.expm1(math.exp(min(linear, 700.0)) * log_baseline)


def _logistic(linear: float) -> float:
    if linear < 0:
        odds = math.exp(max(linear, -700.0))
        return odds / (1 + odds)
    return 1 / (1 + math.exp(-linear))


def _category(forms: tuple[CategoryForm, ...], place: str) -> Callable[[Decimal, Settings], Category | None]:
    steps = [
        (Decimal(repr(one.from_percent)), Category(one.code, one.text, one.indicator, one.guideline)) for one in forms
    ]
    starts = [start for start, _ in steps]
    if sorted(set(starts)) != starts:
        raise Incorrect(f"{place}: its categories must begin at rising percentages.")

    def category(percent: Decimal, _settings: Settings) -> Category | None:
        reached = [found for start, found in steps if percent >= start]
        return reached[-1] if reached else None

    return category


def _coding_of(form: CodingForm) -> Coding:
    return Coding(form.system, form.code, form.display)


def _coding(form: CodingForm | None) -> Coding | None:
    return None if form is None else _coding_of(form)


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(repr(number))
