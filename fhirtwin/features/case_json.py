"""A case as a line of JSON and back: what `fhirtwin cohort --prepare` writes, and anybody else may write.

Nothing that it leaves out is assumed: a rule of the predictor that no check answers, or an input that an output needs
and that is not there, refuses the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.features.case import Case
from fhirtwin.fhir import dates
from fhirtwin.predictors.model import FeatureVector, Input, Output, Predictor, Refusal, UsedInput, Value
from fhirtwin.terms.facts import CODES, UNITS
from fhirtwin.twin.state import LOCAL, PatientKey
from fhirtwin.twin.times import first_day

NOT_THERE: Final = "the prepared vectors say nothing of this model"


class _Used(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    fact: str
    value: Any
    label: str = ""
    unit: str = ""
    time: str = ""
    sources: tuple[str, ...] = ()
    note: str = ""


class _Refused(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    reasons: tuple[str, ...]
    output: str = ""
    predictor: str = ""


class _Vector(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    predictor: str
    version: str
    age: int
    inputs: tuple[_Used, ...]
    outputs: tuple[str, ...]
    checks: tuple[_Used, ...] = ()
    refusals: tuple[_Refused, ...] = ()
    notes: tuple[str, ...] = ()


class _Case(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    patient: str
    date: date
    vectors: tuple[_Vector, ...]
    origin: str = ""
    refused: tuple[_Refused, ...] = ()


_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def encode(case: Case) -> bytes:
    """Give a case as one line, without its end."""
    return _ENCODER.encode(
        _Case(
            patient=case.patient.id,
            date=case.as_of,
            vectors=tuple(_vector(one, notes) for one, notes in zip(case.vectors, case.notes, strict=True)),
            origin=case.patient.origin,
            refused=tuple(_Refused(one.reasons, predictor=one.predictor.id) for one in case.refusals),
        )
    )


def decode(given: Mapping[str, Any], predictors: Sequence[Predictor], origin: str = LOCAL) -> Case:
    """Read a line; models that are not asked are passed over.

    Args:
        given: what `encode` wrote, as `fhirtwin.fhir.codec.decode` reads it.
        predictors: those that are asked.
        origin: FHIR base of the server that the patient comes from, where the line does not say it.

    Raises:
        Unprocessable: it is not of that form, or not what a predictor may be given; the text names the place.
    """
    try:
        read = msgspec.convert(given, _Case)
    except msgspec.ValidationError as error:
        text = f"not a line of prepared vectors: {_without_values(str(error))}"
        raise Unprocessable(text) from None
    if not read.patient:
        raise Unprocessable("`patient` is empty")
    asked = {predictor.id: predictor for predictor in predictors}
    named = [*(one.predictor for one in read.vectors), *(one.predictor for one in read.refused)]
    if len(set(named)) < len(named):
        raise Unprocessable("a model stands there twice")
    vectors = [one for one in read.vectors if one.predictor in asked]
    refusals = [Refusal(asked[one.predictor], one.reasons) for one in read.refused if one.predictor in asked]
    refusals += [Refusal(one, (NOT_THERE,)) for one in predictors if one.id not in named]
    patient = PatientKey(read.origin or origin, read.patient)
    return Case(
        patient,
        patient.reference,
        read.date,
        tuple(_read_vector(one, asked[one.predictor], read.date) for one in vectors),
        tuple(one.notes for one in vectors),
        tuple(refusals),
    )


def _vector(vector: FeatureVector, notes: tuple[str, ...]) -> _Vector:
    return _Vector(
        predictor=vector.predictor.id,
        version=vector.predictor.version,
        age=vector.age_years,
        inputs=tuple(map(_used, vector.inputs)),
        outputs=tuple(one.id for one in vector.outputs),
        checks=tuple(map(_used, vector.checks)),
        refusals=tuple(_Refused(one.reasons, one.output.id) for one in vector.refusals if one.output),
        notes=notes,
    )


def _used(given: UsedInput) -> _Used:
    return _Used(given.fact, given.value, given.label, given.unit, given.time, given.sources, given.note)


def _read_vector(read: _Vector, predictor: Predictor, as_of: date) -> FeatureVector:
    if read.version != predictor.version:
        raise Unprocessable(f"{predictor.id} is here in version {predictor.version}: prepare the vectors again")
    inputs = tuple(_read_inputs(read, predictor, as_of))
    values = {used.fact: used.value for used in inputs}
    if "age" in values and values["age"] != read.age:
        raise Unprocessable(f"{predictor.id}: `age` is not the age among the inputs")
    missing = [needed.fact for needed in predictor.inputs if needed.fact not in values]
    outputs = tuple(_read_output(name, read.age, predictor, missing) for name in read.outputs)
    if not outputs or len(set(read.outputs)) < len(outputs):
        raise Unprocessable(f"{predictor.id}: `outputs` names none, or one twice")
    return FeatureVector(
        predictor=predictor,
        as_of=as_of,
        age_years=read.age,
        values=values,
        inputs=inputs,
        features=_features(predictor, values),
        outputs=outputs,
        refusals=tuple(Refusal(predictor, one.reasons, _output(one.output, predictor)) for one in read.refusals),
        checks=tuple(_read_checks(read, predictor, as_of)),
    )


def _read_inputs(read: _Vector, predictor: Predictor, as_of: date) -> Iterator[UsedInput]:
    declared = {needed.fact: needed for needed in predictor.inputs}
    seen: set[str] = set()
    for one in read.inputs:
        needed = declared.get(one.fact)
        if needed is None or one.fact in seen:
            raise Unprocessable(f"{predictor.id}: an input stands there twice, or is none of its inputs")
        seen.add(one.fact)
        _refuse_later(one, predictor, as_of)
        yield _kept(one, _value(one, needed, predictor), needed.label)


def _value(one: _Used, needed: Input, predictor: Predictor) -> Value:
    """The value of an input, of its kind, in its unit and in its range."""
    value = _plain(one.value)
    if one.unit != needed.unit:
        raise Unprocessable(f"{predictor.id}: {one.fact} must be in {needed.unit or 'no unit'}")
    if one.fact in UNITS:
        fits = isinstance(value, Decimal) and needed.holds(value)
    elif one.fact in CODES:
        fits = isinstance(value, str) and value in CODES[one.fact]
    else:
        fits = isinstance(value, bool)
    if not fits:
        raise Unprocessable(f"{predictor.id}: {one.fact} is not of its kind, or outside the published range")
    return value


def _plain(value: Any) -> Value:
    """A JSON value; a number keeps its digits."""
    if isinstance(value, (bool, str, Decimal)):
        return value
    if isinstance(value, int):
        return Decimal(value)
    raise Unprocessable("a value is neither a number, nor true or false, nor a word")


def _read_output(name: str, age: int, predictor: Predictor, missing: Sequence[str]) -> Output:
    output = _output(name, predictor)
    if not output.applies_at(age):
        raise Unprocessable(f"{predictor.id}: {name} is not published for this age")
    if any(map(output.needs, missing)):
        raise Unprocessable(f"{predictor.id}: an input that {name} needs is missing")
    return output


def _output(name: str, predictor: Predictor) -> Output:
    for output in predictor.outputs:
        if output.id == name:
            return output
    raise Unprocessable(f"{predictor.id}: an output is named that it does not have")


def _features(predictor: Predictor, values: Mapping[str, Value]) -> Mapping[str, float]:
    try:
        features = predictor.prepare(values)
    except (KeyError, ArithmeticError):
        raise Unprocessable(f"{predictor.id}: an input that its features are made of is missing") from None
    for feature in predictor.features:
        if not feature.low <= features[feature.name] <= feature.high:
            raise Unprocessable(f"{predictor.id}: feature {feature.name} is outside its declared range")
    return features


def _read_checks(read: _Vector, predictor: Predictor, as_of: date) -> Iterator[UsedInput]:
    """What the rules looked at; every rule must have its answer, and it must be the one that the equation needs."""
    given = {one.fact: one for one in read.checks}
    for rule in predictor.rules:
        one = given.get(rule.fact)
        if one is None:
            raise Unprocessable(f"{predictor.id}: `checks` does not say whether {rule.fact} is so")
        value = _plain(one.value)
        if value is not rule.must_be:
            raise Unprocessable(
                f"{predictor.id}: its rule on {rule.fact} does not hold, so it must not be in `vectors`"
            )
        _refuse_later(one, predictor, as_of)
        yield _kept(one, value, rule.label or rule.reason)


def _refuse_later(one: _Used, predictor: Predictor, as_of: date) -> None:
    """What is not known on a day counts for nothing then, as in records: its first day must not be after it."""
    try:
        if one.time:
            dates.parse(one.time)
        first = first_day(one.time)
    except (Incorrect, ValueError):
        raise Unprocessable(f"{predictor.id}: the `time` of {one.fact} is no date or dateTime of FHIR") from None
    if first and first > as_of:
        raise Unprocessable(f"{predictor.id}: {one.fact} is of a day after {as_of}, which the risks are stated for")


def _kept(one: _Used, value: Value, label: str) -> UsedInput:
    return UsedInput(one.fact, label, value, one.unit, one.time, one.sources, one.note)


def _without_values(text: str) -> str:
    """What msgspec says of a place, without what stands there."""
    return text.split(", got", 1)[0].split("Invalid enum", 1)[0]


def of_object(given: Mapping[str, Any]) -> bool:
    """Whether a decoded line is one of these, and no FHIR resource."""
    return "vectors" in given and "resourceType" not in given
