"""Asks one model that came as a package, whatever its kind, for numbers that somebody has: sealed, evaluated, opened.

No twin and no store stand behind it: who asks gives all inputs and answers for whose they are. What is out of the range
of the model, missing or ruled out is refused in words; nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import EngineAnswerWrong, Incorrect, Unprocessable
from fhirtwin.features import vector
from fhirtwin.packages import strict_json
from fhirtwin.packages.kind import Model, Predictive
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.packages.kinds.trajectory import TrajectoryModel
from fhirtwin.packages.package import Package
from fhirtwin.pgx.vcf_rows import Reading
from fhirtwin.polygenic import copies, filling
from fhirtwin.polygenic.copies import ABSENT, Copies
from fhirtwin.polygenic.filling import Filled
from fhirtwin.predictors import score
from fhirtwin.predictors.model import FeatureVector, Score
from fhirtwin.settings import Settings
from fhirtwin.terms.facts import CODES, FLAGS, UNITS
from fhirtwin.twin.state import LOCAL, Fact, PatientKey, Source, TwinState, in_order
from fhirtwin.vault import Asking, Golden, Keyring, Send, Shelf, asking
from fhirtwin.vault import golden as golden_cases

LONGEST_VALUES: Final = 64_000_000
"""Bytes of a file of values: dosages of all variants of a score fit."""

WRONG: Final = "The engine's answer is wrong and was thrown away; nothing was calculated."
_COPIES: Final = "Dosages were taken as copies of the allele that the model counts, 0 to 2."
_MADE_UP: Final = (Source(LOCAL, "Patient", "asked"),)

_KINDS: Final = ((str, "a word"), (bool, "true or false"), (float, "a number"))

Float = NDArray[np.float64]
Given = Mapping[str, bool | float | str]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a model says.

    Attributes:
        label: what it is.
        values: one, or one for each step.
        unit: of the values.
        rounded_to: what was rounded, and to what, in words.
        more: a category, or anything else that belongs to it.
    """

    name: str
    label: str
    values: tuple[Decimal, ...]
    unit: str
    rounded_to: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """An input as it was taken.

    Attributes:
        unit: that the number was taken in; empty for what has none.
    """

    name: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking.

    Attributes:
        profile: parameters that it was sealed under.
        notes: what who reads the numbers must know.
        taken: the inputs; none of a polygenic score, which has too many.
    """

    profile: str
    told: tuple[Told, ...]
    notes: tuple[str, ...]
    taken: tuple[Taken, ...] = ()


def read_values(data: bytes, name: str) -> Given:
    """Read a JSON object of inputs, by their names.

    Raises:
        Incorrect: it is none; the text names file and place.
    """
    found = strict_json.read(data, dict[str, Any], name)
    for given, value in found.items():
        if not isinstance(value, (bool, int, float, str)):
            raise Incorrect(
                f"{name}: {given[:80]} is neither a number nor a word nor true or false; what is missing is left out."
            )
    return {given: float(value) if type(value) is int else value for given, value in found.items()}


def of_values(package: Package, values: Given, send: Send, settings: Settings, golden_share: float = 0.0) -> Answer:
    """Ask a model of any kind for values.

    Args:
        package: whole, or its public half.
        values: of all its inputs: facts for a predictor, states and inputs for a trajectory, dosages by the names of
            variants for a polygenic score.
        send: the way to the engine.
        settings: what links depend on.
        golden_share: how many of the calls are golden cases, where answers have no probe.

    Raises:
        Incorrect: a value is of no input, of another kind, or missing.
        Unprocessable: the model is not for such values; the text says why.
        EngineUnavailable, EngineAnswerRefused: as for a courier, or the answer is wrong.
    """
    model = package.model
    if isinstance(model, Predictive):
        return _predicted(model, values, send, settings, Golden(golden_share))
    if isinstance(model, TrajectoryModel):
        return _traced(model, _numbers(values), send)
    if isinstance(model, PolygenicModel):
        answer = _summed(model, _dosages(model, _numbers(values)), send, Golden(golden_share))
        return replace(answer, notes=(_COPIES, *answer.notes))
    raise Incorrect(f"Models of kind {package.kind} are not asked like this.")


def of_vcf(package: Package, stream: BinaryIO, reading: Reading, send: Send, golden_share: float = 0.0) -> Answer:
    """Ask a polygenic score for a person's VCF, which is read as a stream; golden cases beside as in `of_values`.

    Raises:
        Incorrect: the model is of another kind, or the file is damaged; the text names the line.
        TooLarge, Unprocessable: more than is read; another genome build, or too many variants are missing.
        EngineUnavailable, EngineAnswerRefused: as for a courier, or the answer is wrong.
    """
    model = package.model
    if not isinstance(model, PolygenicModel):
        raise Incorrect(f"Model {package.id} is no polygenic score; give its inputs with --values.")
    return _summed(model, copies.read(stream, model.variants, reading), send, Golden(golden_share))


def _predicted(model: Predictive, values: Given, send: Send, settings: Settings, golden: Golden) -> Answer:
    features = _features(model, values, settings)
    given = model.given(features.features)
    if refused := model.refuses(given):
        raise Unprocessable(f"Not calculated: {refused}.")
    asks = asking(model, Keyring(Shelf()))
    sums = _opened(model, asks, given, send, golden)
    rounded = f"the sum to {asks.profile.step} before its link, the percentage for display"
    told = tuple(_risk(one, rounded) for one in score.scores(features, sums, settings))
    notes = [*filter(None, (model.told_of(features.values),))]
    notes += [
        f"{one.output.id if one.output else model.predictor.id} was not calculated: {'; '.join(one.reasons)}."
        for one in features.refusals
    ]
    taken = tuple(Taken(name, _text(value), UNITS.get(name, "")) for name, value in values.items())
    return Answer(asks.profile.name, told, tuple(notes), taken)


def _text(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


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


def _numbers(values: Given) -> dict[str, float]:
    for name, value in values.items():
        if isinstance(value, (bool, str)):
            raise Incorrect(f"{name[:80]} takes a number.")
    return {name: float(value) for name, value in values.items()}


def _traced(model: TrajectoryModel, values: Mapping[str, float], send: Send) -> Answer:
    quantities = model.public.quantities
    if values.keys() != (names := {one.name for one in quantities}):
        raise Incorrect(f"This model takes exactly {', '.join(sorted(names))}; nothing is assumed.")
    for one in quantities:
        if not one.low <= values[one.name] <= one.high:
            raise Unprocessable(
                f"{one.label} is outside {one.low:g} to {one.high:g} {one.unit}, the range of this model; nothing was "
                "calculated."
            )
    asks = asking(model, Keyring(Shelf()))
    opened = _opened(model, asks, np.clip(model.given(values), -1.0, 1.0), send)
    told = []
    for output, scale in zip(model.public.outputs, model.scales.tolist(), strict=False):
        step = asks.profile.step * Decimal(scale)
        steps = (opened[f"{number}:{output.name}"] for number in range(1, model.public.steps + 1))
        shown = tuple(_shown(value, step) for value in steps)
        told.append(Told(output.name, output.label, shown, output.unit, f"to {step:f}"))
    public = model.public
    notes = (
        f"{public.steps} steps of {public.step}; the first is one step after the start, and inputs are held.",
        f"Made of: {public.population}.",
    )
    taken = tuple(Taken(one.name, _text(values[one.name]), one.unit) for one in quantities)
    return Answer(asks.profile.name, tuple(told), notes, taken)


def _shown(value: Decimal, step: Decimal) -> Decimal:
    """A value with as many digits as its rounding leaves it."""
    place = Decimal(1).scaleb(min(step.log10().to_integral_value(ROUND_FLOOR), Decimal(0)))
    return value.quantize(place)


def _dosages(model: PolygenicModel, values: Mapping[str, float]) -> Copies:
    if strangers := sorted(values.keys() - set(model.variants.names)):
        raise Incorrect(f"{strangers[0][:80]} is no variant of this model.")
    for name, value in values.items():
        if not 0.0 <= value <= 2.0:
            raise Incorrect(f"The dosage of {name} is not from 0 to 2.")
    counted = np.array([values.get(name, np.nan) for name in model.variants.names])
    missing = int(np.isnan(counted).sum())
    return Copies(counted, {ABSENT: missing} if missing else {})


def _summed(model: PolygenicModel, shown: Copies, send: Send, golden: Golden) -> Answer:
    filled = filling.filled(shown, model.variants, model.public.most_missing)
    asks = asking(model, Keyring(Shelf()))
    opened = _opened(model, asks, filled.dosages, send, golden)
    told = tuple(
        Told(one.name, one.label, (opened[one.name],), one.unit, f"to {asks.profile.step}")
        for one in model.public.scores
    )
    return Answer(asks.profile.name, told, _notes(model, filled))


def _notes(model: PolygenicModel, filled: Filled) -> tuple[str, ...]:
    public, count = model.public, sum(filled.missing.values())
    notes = [f"All {public.variants:,} variants are of the person."] if not count else [
        f"{count:,} of the {public.variants:,} variants are missing and stand at the mean of a population: "
        f"{filling.why(filled.missing)}."
    ]  # fmt: skip
    if public.left_out:
        notes.append(f"The author left out variants of the scoring file: {filling.why(public.left_out)}.")
    if public.on_forward_strand:
        notes.append("The author states that all alleles are those of the forward strand; nothing here can check that.")
    notes.append(f"Made of: {public.population}. Terms: {public.terms}.")
    return tuple(notes)


def _opened(
    model: Model, asks: Asking, given: Float, send: Send, golden: Golden = golden_cases.NONE
) -> Mapping[str, Decimal]:
    beside = golden_cases.NONE if asks.is_probed else golden
    try:
        return beside.beside(lambda: asks.ask(given, send), lambda: golden_cases.judge(asks, model, send))
    except EngineAnswerWrong:
        raise EngineAnswerWrong(WRONG) from None
