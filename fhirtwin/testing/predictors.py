"""What every predictor must keep, as a check that its author can run: `check_predictor(PREDICTOR)`.

It needs no data of ours and no network. A predictor that passes names every input with unit and source, keeps its
features and sums within the bounds it declares, computes what exact arithmetic computes, weighs no input it says it
does without, refuses, by name, what it must refuse, and gives a valid RiskAssessment.
"""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Final

from fhirtwin.errors import Fault
from fhirtwin.features.vector import assemble
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.predictors.model import FeatureVector, Input, Output, Predictor, Refusal, Result, Value, Values
from fhirtwin.predictors.registry import admit
from fhirtwin.predictors.score import plain_sums, probability, scores
from fhirtwin.report.identity import identity
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.risk_assessment import risk_assessment
from fhirtwin.settings import Settings
from fhirtwin.terms.facts import CODES, FLAGS, UNITS
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState, in_order

DAY: Final = date(2026, 1, 15)
"""The day that drawn patients are assessed on."""

TOLERANCE: Final = 1e-4
"""Error of a linear predictor that the sealed road may add: what a sealed `evaluate` is held to."""

PLAIN_TOLERANCE: Final = 1e-12
"""Error of a sum in doubles against exact arithmetic."""

Evaluate = Callable[[FeatureVector], Mapping[str, float]]
"""A road from features to the sums of the predictor's rows: the plain one, or a sealed one."""


class CheckFailed(AssertionError):
    """A predictor does not keep what every predictor must keep; the text says which and what."""


def check_predictor(
    predictor: Predictor,
    *,
    settings: Settings | None = None,
    evaluate: Evaluate = plain_sums,
    tolerance: float = PLAIN_TOLERANCE,
    reference: Callable[[Values, Output, Settings], float] | None = None,
    draws: int = 200,
    seed: int = 2023,
) -> None:
    """Check one predictor, and raise at the first thing that is not right.

    Args:
        predictor: the predictor as its module exports it.
        settings: what its links and categories depend on; the defaults when None.
        evaluate: the road that computes the sums; give a sealed one with `tolerance=TOLERANCE` to check that road.
        tolerance: largest error of a sum, on the scale of the linear predictor.
        reference: the published equation, written independently; its probability must agree within 1e-9.
        draws: how many random patients, half of their values at an end of the range.
        seed: of the random patients.

    Raises:
        CheckFailed: what is not right.
    """
    settings = settings or Settings()
    _check_gate(predictor)
    _check_words(predictor)
    _check_outputs(predictor, settings)
    random = Random(seed)  # noqa: S311  (patients, not keys)
    for _ in range(draws):
        vector = vector_of(predictor, random_values(predictor, random))
        _check_features(vector)
        _check_sums(vector, evaluate(vector), tolerance)
        _check_unweighed(vector, settings, random)
        if reference is not None:
            _check_reference(vector, reference, settings)
    _check_refusals(predictor, settings)


def check_golden(predictor: Predictor, path: Path) -> int:
    """Check published worked examples; each must come out within half of its last printed digit.

    Args:
        predictor: what computes them.
        path: CSV with one column a fact, and `settings` (`name=value`), `output`, `percent`, `source`.

    Returns:
        How many examples there were.

    Raises:
        CheckFailed: an example comes out otherwise, names no source, or there is none.
    """
    with path.open(encoding="utf-8", newline="") as file:
        examples = list(csv.DictReader(file))
    _must(bool(examples), predictor, f"{path.name} has no example")
    for number, example in enumerate(examples, start=1):
        _must(bool(example["source"]), predictor, f"example {number} of {path.name} names no source")
        printed = Decimal(example["percent"])
        settings = Settings(**dict(pair.split("=") for pair in example["settings"].split()))  # type: ignore[arg-type]
        values = {i.fact: _parse(i, example[i.fact]) for i in predictor.inputs if example[i.fact]}
        vector = vector_of(predictor, values)
        output = next(o for o in predictor.outputs if o.id == example["output"])
        percent = 100 * probability(vector, output, plain_sums(vector)[output.row(values)], settings)
        half_digit = Decimal(1).scaleb(int(printed.as_tuple().exponent)) / 2
        error = abs(Decimal(percent) - printed)
        _must(error <= half_digit, predictor, f"example {number} of {path.name} is {percent:.4f} %, not {printed} %")
    return len(examples)


def random_values(predictor: Predictor, random: Random) -> dict[str, Value]:
    """Draw values for all inputs: half of the quantities at an end of the published range, the others anywhere in it.

    Needs inputs whose ranges have two ends, which the gate of the sealed road needs as well.
    """
    return {i.fact: _draw(i, random) for i in predictor.inputs}


def vector_of(predictor: Predictor, values: Values, day: date = DAY) -> FeatureVector:
    """Make the vector of given values, with all outputs, whatever the age: for tests of the arithmetic."""
    age = values.get("age", Decimal(0))
    return FeatureVector(
        predictor=predictor,
        as_of=day,
        age_years=int(Decimal(age)),
        values=values,
        inputs=(),
        features=predictor.prepare(values),
        outputs=predictor.outputs,
    )


def state_of(predictor: Predictor, values: Values, day: date = DAY) -> TwinState:
    """Make the state of a patient with these values on a day whom no rule excludes; all lists are obtained."""
    flags: dict[str, Value] = {r.fact: r.must_be for r in predictor.rules if r.must_be or not FLAGS.get(r.fact)}
    source = Source("", "Observation", "check", "1")
    facts = (
        Fact(name, value, (source,), UNITS.get(name, ""), day.isoformat())
        for name, value in {**flags, **values}.items()
        if value is not False or not FLAGS.get(name)
    )
    lists = frozenset(kind for groups in FLAGS.values() for group in groups for kind in group)
    return TwinState(PatientKey("", "check"), 1, in_order(facts), lists)


def _must(holds: bool, predictor: Predictor, text: str) -> None:
    if not holds:
        raise CheckFailed(f"{predictor.id}: {text}.")


def _parse(needed: Input, text: str) -> Value:
    if needed.fact in UNITS:
        return Decimal(text)
    return text if needed.fact in CODES else {"yes": True, "no": False}[text]


def _draw(needed: Input, random: Random) -> Value:
    if needed.fact in CODES:
        return random.choice(CODES[needed.fact])
    if needed.low is None or needed.high is None:
        return random.random() < 0.5
    step = Decimal(1) if needed.fact == "age" else Decimal("0.1")
    high = needed.high - step if needed.high_excluded else needed.high
    if random.random() < 0.5:
        return random.choice((needed.low, high))
    return needed.low + step * random.randint(0, int((high - needed.low) / step))


def _check_gate(predictor: Predictor) -> None:
    try:
        admit([predictor])
    except Fault as error:
        raise CheckFailed(str(error)) from error


def _check_words(predictor: Predictor) -> None:
    """Names, units and sources: what a reader of a result needs."""
    _must(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", predictor.id) is not None, predictor, "its id is not kebab-case")
    _must(bool(predictor.version and predictor.title), predictor, "it has no version or no title")
    _must("https://" in predictor.source, predictor, "its source has no https link")
    for needed in predictor.inputs:
        known = needed.fact in UNITS or needed.fact in CODES or needed.fact in FLAGS
        _must(known, predictor, f"{needed.fact} is no fact of the twin")
        _must(bool(needed.label), predictor, f"{needed.fact} has no label")
        _must(needed.unit == UNITS.get(needed.fact, ""), predictor, f"{needed.fact} is not in its canonical unit")
        if needed.fact in UNITS:
            _must(needed.low is not None and needed.high is not None, predictor, f"{needed.fact} has no range")
            _must(needed.fact == "age" or needed.code is not None, predictor, f"{needed.fact} has no code to ask for")
        may_be_assumed = bool(FLAGS.get(needed.fact)) or not needed.none_recorded_is_no
        _must(may_be_assumed, predictor, f"{needed.fact} is kept on no list, so no record of it is not a no")
        if needed.keep:
            _must(hasattr(Settings, f"max_age_{needed.keep}_days"), predictor, f"{needed.keep} is no age setting")
    for rule in predictor.rules:
        _must(rule.fact in FLAGS, predictor, f"rule on {rule.fact}, which is no flag of the twin")
        _must(bool(rule.reason), predictor, f"the rule on {rule.fact} has no reason")
    excluded = {rule.fact for rule in predictor.rules if not rule.must_be}
    _must("deceased" in excluded, predictor, "it does not exclude the deceased")


def _check_outputs(predictor: Predictor, settings: Settings) -> None:
    rows = {row.name for row in predictor.rows}
    facts = {needed.fact for needed in predictor.inputs}
    for output in predictor.outputs:
        _must(output.low_age_years <= output.high_age_years, predictor, f"{output.id} applies at no age")
        _must(output.horizon_years > 0, predictor, f"{output.id} has no horizon")
        _must((output.inputs or facts) <= facts, predictor, f"{output.id} weighs an input that is not declared")
        for sex in ("female", "male"):
            _must(output.row({"sex": sex}) in rows, predictor, f"{output.id} has no row for {sex}")
        chances = [output.link(linear / 4, settings) for linear in range(-64, 65)]
        _must(all(0 <= p <= 1 for p in chances), predictor, f"the link of {output.id} leaves 0 to 1")
        _must(chances == sorted(chances), predictor, f"the link of {output.id} does not rise")
        for tenth in range(1, 1000):
            category = output.category(Decimal(tenth) / 10, settings)
            if category is not None:
                named = bool(category.code and category.text and category.guideline)
                known = category.indicator in {"info", "warning", "critical"}
                _must(named and known, predictor, f"a category of {output.id} lacks its name, guideline or indicator")


def _check_features(vector: FeatureVector) -> None:
    declared = {f.name: f for f in vector.predictor.features}
    _must(vector.features.keys() == declared.keys(), vector.predictor, "prepare() gives other features than declared")
    for name, value in vector.features.items():
        inside = declared[name].low <= value <= declared[name].high
        _must(inside, vector.predictor, f"feature {name} leaves its declared range")


def _check_sums(vector: FeatureVector, sums: Mapping[str, float], tolerance: float) -> None:
    for row in vector.predictor.rows:
        exact = sum(Fraction(weight) * Fraction(vector.features[name]) for name, weight in row.weights.items())
        error = abs(Fraction(sums[row.name]) - exact)
        _must(error <= tolerance, vector.predictor, f"row {row.name} is off by {float(error):.2e}")


def _check_unweighed(vector: FeatureVector, settings: Settings, random: Random) -> None:
    """An output must not change with an input that it says it does without, nor need it."""
    for output in vector.outputs:
        others = random_values(vector.predictor, random)
        kept = {fact: value for fact, value in vector.values.items() if output.needs(fact)}
        before = _chance(vector, output, settings)
        for values in (kept, {**others, **kept}):
            after = _chance(vector_of(vector.predictor, values), output, settings)
            _must(after == before, vector.predictor, f"{output.id} weighs an input that it says it does without")


def _check_reference(
    vector: FeatureVector, reference: Callable[[Values, Output, Settings], float], settings: Settings
) -> None:
    for output in vector.outputs:
        error = abs(_chance(vector, output, settings) - reference(vector.values, output, settings))
        _must(error <= 1e-9, vector.predictor, f"{output.id} is off its reference by {error:.2e}")


def _chance(vector: FeatureVector, output: Output, settings: Settings) -> float:
    return probability(vector, output, plain_sums(vector)[output.row(vector.values)], settings)


def _check_refusals(predictor: Predictor, settings: Settings) -> None:
    low = max(o.low_age_years for o in predictor.outputs)
    high = min(o.high_age_years for o in predictor.outputs)
    values = {i.fact: _middle(i) for i in predictor.inputs} | {"age": Decimal((low + high) // 2)}
    state = state_of(predictor, values)
    whole = assemble(state, predictor, DAY, settings)
    complete = isinstance(whole, FeatureVector) and whole.outputs == predictor.outputs
    _must(complete, predictor, "a patient in the middle of every range is not scored")
    if isinstance(whole, FeatureVector):
        _check_report(whole, settings)
    for needed in predictor.inputs:
        _check_missing(predictor, needed, state, settings)
        for wrong in _outside(needed):
            reasons = _reasons(assemble(state_of(predictor, {**values, needed.fact: wrong}), predictor, DAY, settings))
            _must(any(needed.label in r for r in reasons), predictor, f"{needed.fact} out of range is not refused")
    for rule in predictor.rules:
        broken = assemble(state_of(predictor, {**values, rule.fact: not rule.must_be}), predictor, DAY, settings)
        refused = isinstance(broken, Refusal) and rule.reason in broken.reasons
        _must(refused, predictor, f"{rule.fact} does not rule it out with its reason")


def _check_report(vector: FeatureVector, settings: Settings) -> None:
    """Its result must make a valid RiskAssessment."""
    result = Result(vector, scores(vector, plain_sums(vector), settings), "In the clear, by the test kit.")
    occasion = Occasion(PatientKey("", "check"), "Patient/check", DAY, "0" * 64, settings)
    resource = risk_assessment(result, identity(vector, occasion), occasion)
    issues = validate(codec.decode(codec.encode(resource)), type="RiskAssessment")
    _must(not issues, vector.predictor, f"its RiskAssessment is not valid: {'; '.join(i.text for i in issues)}")


def _check_missing(predictor: Predictor, needed: Input, state: TwinState, settings: Settings) -> None:
    """Without an input, and without the lists it may be absent from, no output that weighs it may come out."""
    facts = tuple(f for f in state.facts if f.name != needed.fact)
    without = dataclasses.replace(state, facts=facts)
    if needed.none_recorded_is_no:
        lists = {kind for group in FLAGS[needed.fact] for kind in group}
        without = dataclasses.replace(without, lists=state.lists - lists)
    result = assemble(without, predictor, DAY, settings)
    left = result.outputs if isinstance(result, FeatureVector) else ()
    _must(not any(o.needs(needed.fact) for o in left), predictor, f"{needed.fact} missing is not refused")
    _must(any(needed.label in r for r in _reasons(result)), predictor, f"{needed.fact} missing is not named")


def _reasons(result: FeatureVector | Refusal) -> list[str]:
    refusals = result.refusals if isinstance(result, FeatureVector) else (result,)
    return [reason for refusal in refusals for reason in refusal.reasons]


def _middle(needed: Input) -> Value:
    if needed.fact in CODES:
        return CODES[needed.fact][0]
    if needed.low is None or needed.high is None:
        return False
    return ((needed.low + needed.high) / 2).quantize(Decimal("0.1"))


def _outside(needed: Input) -> list[Decimal]:
    low = [] if needed.low is None else [needed.low - 1]
    high = [] if needed.high is None else [needed.high if needed.high_excluded else needed.high + 1]
    return [*low, *high]
