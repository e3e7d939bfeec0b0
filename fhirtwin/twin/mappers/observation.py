"""Observation: laboratory results, vital signs, smoking status, and genes (`fhirtwin.twin.genomics`).

Only `final`, `amended` and `corrected` results count. A panel is read through its components; results it points at with
`hasMember` are resources of their own and are read where they are. Nothing is read out of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from fhirtwin.errors import Unprocessable
from fhirtwin.terms import concepts, units
from fhirtwin.terms.facts import UNITS
from fhirtwin.terms.systems import LOINC, SNOMED, UCUM
from fhirtwin.twin.genomics import observation as genomics
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.reading import FINAL, codings, forbidden, items, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source, Unused

UNKNOWN: Final = frozenset(
    (
        concepts.Code(SNOMED, "266927001"),  # Tobacco smoking consumption unknown
        concepts.Code(LOINC, "LA18979-7"),  # Smoker, current status unknown
        concepts.Code(LOINC, "LA18980-5"),  # Unknown if ever smoked
    )
)
"""Answers about smoking that are none, whatever other code stands beside them."""


CAN_BE_ZERO: Final = frozenset(
    ("neutrophils", "lithium-level", "digoxin-level", "valproate-level", "carbamazepine-level")
)
"""Results of which zero is an answer: a marrow that failed, a medicine that is not in the blood."""


class _NotUsed(Exception):
    """Why a result is not used; caught where the result is read."""


def read(resource: Resource, source: Source) -> Mapped:
    """Read one Observation: itself, or the components of a panel."""
    reason = forbidden(resource)
    if reason:
        return unused(source, reason)
    time, known = effective(resource), tuple(codings(resource.get("code")))
    about_genes = genomics.reader(resource, known)
    if about_genes:
        return genomics.read(about_genes, resource, source, time)
    reason = _unfit(resource, time)
    if reason:
        return unused(source, reason)
    parts = _components(resource) if concepts.is_panel(known) else [(resource, known)]
    facts: list[Fact] = []
    left: list[Unused] = []
    for part, codes in parts:
        try:
            facts.append(_result(part, codes, source, time))
        except _NotUsed as finding:
            left.append(Unused(source, str(finding)))
    return Mapped(tuple(facts), tuple(left))


def _components(panel: Resource) -> Iterator[tuple[Resource, tuple[concepts.Code, ...]]]:
    return ((part, tuple(codings(part.get("code")))) for part in items(panel, "component"))


def _unfit(resource: Resource, time: str) -> str | None:
    if text(resource, "status") not in FINAL:
        return "its status is not final, amended or corrected"
    if resource.get("focus"):
        return "it is about something other than the patient (focus)"
    if not time:
        return "it does not say when it was measured"
    return None


def effective(resource: Resource) -> str:
    """Give the time a result stands for, as FHIR text; empty when it tells none."""
    period = resource.get("effectivePeriod")
    return (
        text(resource, "effectiveDateTime")
        or text(resource, "effectiveInstant")
        or text(period, "end")
        or text(period, "start")
    )


def _result(part: Resource, known: Sequence[concepts.Code], source: Source, time: str) -> Fact:
    concept = _concept(known)
    if part.get("dataAbsentReason"):
        raise _NotUsed(f"{concept.fact}: the result says that its value is absent")
    value, note = _value(part, concept.fact)
    return Fact(
        concept.fact,
        value,
        (source,),
        unit=UNITS.get(concept.fact, ""),
        time=time,
        system=concept.code.system,
        code=concept.code.code,
        display=concept.display,
        note=note,
    )


def _value(part: Resource, fact: str) -> tuple[Decimal | bool | str, str]:
    if fact == "smoking-status":
        return _answer(part), ""
    if fact == "pregnancy":
        return _pregnant(part), ""
    return _quantity(part, fact)


def _concept(known: Sequence[concepts.Code]) -> concepts.Meaning:
    if not known:
        raise _NotUsed("it has no code")
    meanings = [m for m in map(concepts.observation, known) if m]
    if not meanings:
        raise _NotUsed(next((r for r in map(concepts.not_counted, known) if r), "code not known"))
    if len({m.fact for m in meanings}) > 1 or any(map(concepts.not_counted, known)):
        raise _NotUsed("its codes mean different things")
    return meanings[0]


def _quantity(part: Resource, fact: str) -> tuple[Decimal, str]:
    quantity = part.get("valueQuantity")
    if not isinstance(quantity, dict):
        raise _NotUsed(f"{fact}: it has no quantity")
    if quantity.get("comparator"):
        raise _NotUsed(f"{fact}: its value is a bound (<, >), not a value")
    value, unit = _number(quantity.get("value"), fact), _unit(quantity, fact)
    try:
        converted = units.to_canonical(value, unit, analyte=fact)
    except Unprocessable as refused:
        raise _NotUsed(f"{fact}: {refused}") from None
    same = units.canonical_spelling(unit) == UNITS[fact]
    return converted, "" if same else f"converted from {units.canonical_spelling(unit)}"


def _number(value: Any, fact: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _NotUsed(f"{fact}: it has no value")
    number = Decimal(value)
    if number.is_zero() and fact in CAN_BE_ZERO:
        return number
    if not number.is_finite() or number <= 0:
        raise _NotUsed(f"{fact}: its value is not above zero, which cannot be")
    return number


def _unit(quantity: dict[str, Any], fact: str) -> str:
    code, unit = text(quantity, "code"), text(quantity, "unit")
    if code:
        if text(quantity, "system") != UCUM:
            raise _NotUsed(f"{fact}: its unit is not coded in UCUM")
        return code
    if not unit:
        raise _NotUsed(f"{fact}: it has no unit")
    return unit


def _answer(part: Resource) -> str:
    answer = part.get("valueCodeableConcept")
    meanings = {concepts.smoking(c) for c in codings(answer)} - {None}
    if len(meanings) != 1 or _says_unknown(answer):
        raise _NotUsed("smoking-status: its answer is unknown, or not one that is known here")
    return str(meanings.pop())


def _says_unknown(concept: Any) -> bool:
    """Whether the code or its words say "unknown": US Core shows 77176002 as "Smoker, current status unknown"."""
    if not UNKNOWN.isdisjoint(codings(concept)):
        return True
    words = [text(concept, "text"), *(text(c, "display") for c in items(concept, "coding"))]
    return any("unknown" in w.lower() for w in words)


def _pregnant(part: Resource) -> bool:
    meanings = {concepts.pregnancy(c) for c in codings(part.get("valueCodeableConcept"))} - {None}
    if len(meanings) != 1:
        raise _NotUsed("pregnancy: its answer is unknown, or not one that is known here")
    return bool(meanings.pop())


def _names() -> Iterator[str]:
    yield from (name for name in UNITS if name != "age")
    yield from ("smoking-status", "pregnancy")
    yield from genomics.FACTS


MAPPER = Mapper("Observation", frozenset(_names()), read)
