"""What the steps and criteria of a path mean: functions that take elements, and give elements or what is said of them.

FHIRPath has true, false and, where nothing is there, neither: criteria give a list of one truth, or an empty one.

*Source*: http://hl7.org/fhirpath/N1/#boolean-logic, http://hl7.org/fhirpath/N1/#equality.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import dates
from fhirtwin.fhir.patch.elements import Element, named
from fhirtwin.fhir.patch.patching import DoesNotApply, Work
from fhirtwin.fhir.tables import TYPES, lineage

_ESCAPED: Final = re.compile(r"\\(.)|\"", re.DOTALL)

Items = list[Any]
"""Elements, or values that a criterion compares them with."""

Term = Callable[[Element, Work], Items]
Step = Callable[[list[Element], Work], list[Element]]


def follow(steps: tuple[Step, ...], found: list[Element], work: Work) -> list[Element]:
    """Go step by step from elements to those meant."""
    for step in steps:
        found = step(found, work)
        work.spend(len(found) + 1)
    return found


def children(name: str) -> Step:
    """The children of this name."""

    def step(found: list[Element], work: Work) -> list[Element]:
        if found and not any(name in named(one.kind) or _varies(one) for one in found):
            raise Incorrect("FHIR R4 has no such element here: a step of the path names none.")
        work.spend(len(found))
        return [child for one in found for child in one.all(name)]

    return step


def _varies(element: Element) -> bool:
    """Whether another element in its place might be of another type, and have other children."""
    definition = element.definition
    return definition is not None and (definition.choice or definition.kind == "Resource")


def at_index(index: int) -> Step:
    """The element at a position."""
    return lambda found, _: found[index : index + 1]


def part_of(name: str, count: int) -> Step:
    """All but the first `count` elements, for skip; or these alone, for take."""
    return lambda found, _: found[count:] if name == "skip" else found[:count]


def single(found: list[Element], _: Work) -> list[Element]:
    """The one element there is, if any."""
    if len(found) > 1:
        raise DoesNotApply("There are several where the path says single().")
    return found


def extensions(url: str) -> Step:
    """The extensions with this URL."""

    def step(found: list[Element], work: Work) -> list[Element]:
        work.spend(len(found))
        return [child for one in found for child in one.all("extension") if child.children.get("url") == url]

    return step


def of_type(name: str) -> Step:
    """The elements of this type, or of one that is derived from it."""

    def is_of(element: Element) -> bool:
        kind = element.kind
        return kind == name or (kind in TYPES and name in lineage(kind))

    return lambda found, _: [one for one in found if is_of(one)]


def unquoted(token: str) -> str:
    """What a text in single quotes says."""

    def as_json(found: re.Match[str]) -> str:
        return found[1] if found[1] in ("'", "`") else '\\"' if found[0] == '"' else found[0]

    try:
        return msgspec.json.decode(f'"{_ESCAPED.sub(as_json, token[1:-1])}"', type=str)
    except msgspec.DecodeError:
        raise Incorrect("A text of the path has an escape that is none.") from None


def literal(kind: str, token: str) -> Term:
    """A value as it is written."""
    value: Any
    match kind:
        case "text":
            value = unquoted(token)
        case "number":
            value = Decimal(token)
        case "date":
            value = dates.parse(token[1:])
        case _ if token in ("true", "false"):
            value = token == "true"  # noqa: S105 - a word of FHIRPath
        case _:
            raise Incorrect("Expected an element or a value in a criterion of the path.")
    return lambda _one, _work: [value]


def _truth(items: Items) -> bool | None:
    """What a criterion says: FHIRPath has true, false and, where nothing is there, neither."""
    if len(items) != 1:
        return True if items else None
    value = items[0].value if isinstance(items[0], Element) else items[0]
    return value if isinstance(value, bool) else True


def holds(items: Items) -> bool:
    """Whether a criterion is met."""
    return _truth(items) is True


def _said(truth: bool | None) -> Items:
    return [] if truth is None else [truth]


def either(left: Term, right: Term) -> Term:
    """`or`."""

    def term(one: Element, work: Work) -> Items:
        truths = {_truth(left(one, work)), _truth(right(one, work))}
        return _said(True if True in truths else None if None in truths else False)

    return term


def both(left: Term, right: Term) -> Term:
    """`and`."""

    def term(one: Element, work: Work) -> Items:
        truths = {_truth(left(one, work)), _truth(right(one, work))}
        return _said(False if False in truths else None if None in truths else True)

    return term


def those(term: Term, criterion: Term) -> Term:
    """The items of a term that meet a criterion."""

    def kept(one: Element, work: Work) -> Items:
        return [item for item in term(one, work) if isinstance(item, Element) and holds(criterion(item, work))]

    return kept


def tested(name: str, term: Term) -> Term:
    """`exists()`, `empty()` or `not()` of a term."""
    match name:
        case "exists":
            return lambda one, work: [bool(term(one, work))]
        case "empty":
            return lambda one, work: [not term(one, work)]
    return lambda one, work: [not truth for truth in _said(_truth(term(one, work)))]


def compared(left: Term, right: Term, wanted: bool) -> Term:
    """`=`, or `!=` where nothing alike is wanted."""

    def term(one: Element, work: Work) -> Items:
        these, those = left(one, work), right(one, work)
        work.spend(len(these) + len(those))
        if not these or not those:
            return []
        same = len(these) == len(those) and all(map(_same, these, those))
        return [same is wanted]

    return term


def _same(one: Any, other: Any) -> bool:
    one, other = (item.value if isinstance(item, Element) else item for item in (one, other))
    if isinstance(one, dates.Interval) or isinstance(other, dates.Interval):
        return bool(_interval(one) == _interval(other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one is not None and bool(one == other)


def _interval(value: Any) -> Any:
    """A date as the time it stands for, so that offsets make no difference."""
    if not isinstance(value, str):
        return value
    try:
        return dates.parse(value)
    except Incorrect:
        return None
