"""Judges one answer of a QuestionnaireResponse by its question: type, options, units, limits.

*Source*: http://hl7.org/fhir/R4/codesystem-item-type.html, http://hl7.org/fhir/R4/codesystem-questionnaire-enable-operator.html,
http://hl7.org/fhir/R4/questionnaire-profiles.html#extensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final, TypeVar

from fhirtwin.errors import Issue
from fhirtwin.fhir import references
from fhirtwin.fhir.profiles.values import order
from fhirtwin.fhir.terminology import value_sets
from fhirtwin.fhir.terminology.value_sets import Find

EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/"
_MEMBERS: Final = {
    "boolean": "valueBoolean",
    "decimal": "valueDecimal",
    "integer": "valueInteger",
    "date": "valueDate",
    "dateTime": "valueDateTime",
    "time": "valueTime",
    "string": "valueString",
    "text": "valueString",
    "url": "valueUri",
    "choice": "valueCoding",
    "open-choice": "valueCoding",
    "attachment": "valueAttachment",
    "reference": "valueReference",
    "quantity": "valueQuantity",
}
"""What an answer is called in JSON for each type of item."""
_CHOICES: Final = frozenset({"choice", "open-choice"})

Json = Mapping[str, Any]
T = TypeVar("T")


def extension(element: Json, name: str, type_: type[T]) -> T | None:
    """The value of the first extension of R4 of that name; None where there is none of the JSON type."""
    return next(iter(extensions(element, name, type_)), None)


def extensions(element: Json, name: str, type_: type[T]) -> list[T]:
    """The values of all extensions of R4 of that name that are of a JSON type."""
    return [
        value
        for one in element.get("extension", ())
        if one["url"] == EXTENSION + name
        for member, value in one.items()
        if member.startswith("value") and isinstance(value, type_)
    ]


def judge(question: Json, answer: Json, place: str, find: Find) -> Iterator[Issue]:
    """Judge one answer.

    Args:
        question: the item of the Questionnaire.
        answer: an `answer` of the response.
        place: of the answer.
        find: gives loaded ValueSet and CodeSystem resources.
    """
    member = next((name for name in answer if name.startswith("value")), None)
    if member is None:
        return
    value, kind, here = answer[member], question["type"], f"{place}.value"
    options = question.get("answerOption", ())
    if member not in _allowed(question):
        expected = " or ".join(sorted(name.removeprefix("value") for name in _allowed(question)))
        yield Issue("value", f"Expected an answer of type {expected}.", (here,))
        return
    if kind == "open-choice" and member == "valueString":
        return
    if options and not any(_same(option.get(member), value) for option in options):
        yield Issue("code-invalid", "Expected one of the questionnaire's answer options.", (here,))
    if "answerValueSet" in question and member == "valueCoding":
        yield from _of_value_set(value, question["answerValueSet"], here, find)
    if member == "valueQuantity":
        yield from _unit(question, value, here, find)
    yield from _limits(question, value, here)
    if member == "valueReference":
        yield from _target(question, value, here)
    if kind == "string" and ("\n" in value or "\r" in value):
        text = "A string has one line; an item of type text may have more."
        yield Issue("value", text, (here,), severity="warning")


def exclusive(question: Json, given: Sequence[Json], place: str) -> Iterator[Issue]:
    """Judge whether an option that excludes all others stands beside another answer."""
    alone = [one for one in question.get("answerOption", ()) if extension(one, "questionnaire-optionExclusive", bool)]
    for number, answer in enumerate(given):
        for option in alone:
            if any(_same(option.get(member), value) for member, value in answer.items() if member.startswith("value")):
                text = "This option excludes all others; expected no other answer."
                yield Issue("invariant", text, (f"{place}.answer[{number}]",))


def enables(condition: Json, given: Sequence[Json]) -> bool:
    """Tell whether one `enableWhen` holds.

    Args:
        condition: the `enableWhen`.
        given: the answers to its question.
    """
    operator = condition["operator"]
    name = next(member for member in condition if member.startswith("answer"))
    wanted, member = condition[name], f"value{name.removeprefix('answer')}"
    if operator == "exists":
        return bool(given) is bool(wanted)
    values = [answer[member] for answer in given if member in answer]
    if operator == "=":
        return any(_same(value, wanted) for value in values)
    if operator == "!=":
        return not any(_same(value, wanted) for value in values)
    signs = {">": (1,), "<": (-1,), ">=": (0, 1), "<=": (-1, 0)}[operator]
    return any(order(value, wanted) in signs for value in values)


def _allowed(question: Json) -> set[str]:
    """The members that an answer may have: of a choice also those of its options."""
    kind = question["type"]
    allowed = {_MEMBERS[kind]} if kind in _MEMBERS else set()
    if kind in _CHOICES:
        named = {name for option in question.get("answerOption", ()) for name in option if name.startswith("value")}
        allowed = named or allowed
    return allowed | {"valueString"} if kind == "open-choice" else allowed


def _same(one: Any, other: Any) -> bool:
    """Whether two answers mean the same: a code by system and code, a quantity by value and unit."""
    if isinstance(one, dict) and isinstance(other, dict):
        for names in (("reference",), ("value", "system", "code"), ("system", "code")):
            if any(name in one or name in other for name in names):
                return all(one.get(name) == other.get(name) for name in names)
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _of_value_set(coding: Json, value_set: str, place: str, find: Find) -> Iterator[Issue]:
    answer = None
    if "code" in coding and "system" in coding:
        answer = value_sets.contains(value_set, coding["system"], coding["code"], find)
    if answer is None:
        text = "Whether the answer is in the questionnaire's value set cannot be told here."
        yield Issue("not-supported", text, (place,), severity="warning")
    elif not answer:
        yield Issue("code-invalid", "Expected a code of the questionnaire's answerValueSet.", (place,))


def _unit(question: Json, quantity: Json, place: str, find: Find) -> Iterator[Issue]:
    options = extensions(question, "questionnaire-unitOption", dict)
    if options and not any(_same_unit(quantity, option) for option in options):
        yield Issue("code-invalid", "Expected one of the questionnaire's units, by its code.", (place,))
    value_set = extension(question, "questionnaire-unitValueSet", str)
    if value_set:
        system, code = quantity.get("system", ""), quantity.get("code", "")
        if not code or value_sets.contains(value_set, system, code, find) is False:
            yield Issue("code-invalid", "Expected a unit of the questionnaire's value set of units.", (place,))


def _same_unit(quantity: Json, option: Json) -> bool:
    return all(quantity.get(name) == option.get(name) for name in ("system", "code"))


def _limits(question: Json, value: Any, place: str) -> Iterator[Issue]:
    low, high = extension(question, "minValue", object), extension(question, "maxValue", object)
    if low is not None and order(_number_of(value), low) == -1:
        yield Issue("value", "Expected no less than the questionnaire's minValue.", (place,))
    if high is not None and order(_number_of(value), high) == 1:
        yield Issue("value", "Expected no more than the questionnaire's maxValue.", (place,))
    if isinstance(value, str):
        longest, shortest = question.get("maxLength"), extension(question, "minLength", int)
        if longest is not None and len(value) > longest:
            yield Issue("value", f"Expected at most {longest} characters.", (place,))
        if shortest is not None and len(value) < shortest:
            yield Issue("value", f"Expected at least {shortest} characters.", (place,))
        if extension(question, "regex", str):
            text = "The questionnaire's regular expression is not evaluated here."
            yield Issue("not-supported", text, (place,), severity="information")
    places, number = extension(question, "maxDecimalPlaces", int), _number_of(value)
    if places is not None and isinstance(number, Decimal) and -_exponent(number) > places:
        yield Issue("value", f"Expected at most {places} decimal places.", (place,))
    if isinstance(value, dict):
        yield from _attachment(question, value, place)


def _number_of(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and isinstance(value.get("value"), int | Decimal) else value


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _attachment(question: Json, attachment: Json, place: str) -> Iterator[Issue]:
    kinds, most = extensions(question, "mimeType", str), extension(question, "maxSize", object)
    stated = attachment.get("contentType", "").partition(";")[0].strip()
    if kinds and not any(fnmatchcase(stated, kind) for kind in kinds):
        yield Issue("value", f"Expected an attachment of type {' or '.join(kinds)}.", (place,))
    size = attachment.get("size", len(attachment.get("data", "")) * 3 // 4)
    if isinstance(most, int | Decimal) and size > most * 1_000_000:
        yield Issue("value", f"Expected an attachment of at most {most} MB.", (place,))


def _target(question: Json, reference: Json, place: str) -> Iterator[Issue]:
    allowed = extensions(question, "questionnaire-referenceResource", str)
    kind = references.parse(reference.get("reference", "")).type or reference.get("type", "")
    if allowed and kind and kind not in allowed:
        yield Issue("value", f"Expected a reference to {' or '.join(allowed)}.", (place,))
