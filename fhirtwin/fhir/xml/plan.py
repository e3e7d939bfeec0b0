"""Which elements stand where in the XML of each type, in which order: the table of R4, turned for XML.

*Source*: http://hl7.org/fhir/R4/xml.html#xml: elements in the order of the definition, values in an attribute, ids of
elements and urls of extensions as attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from fhirtwin.fhir import json_faults
from fhirtwin.fhir.json_faults import number_is_right
from fhirtwin.fhir.tables import PRIMITIVES, RESOURCE_TYPES, TYPES, Member, lineage, members
from fhirtwin.fhir.xml.document import FHIR

_WHOLE: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,9})")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][+-]?[0-9]++)?")


@dataclass(slots=True)
class Plan:
    """What the XML of one type may hold.

    Attributes:
        attributes: names of the members that are attributes.
        slots: by the name of the element in the JSON form.
        tags: the same by the name that the parser tells.
    """

    attributes: frozenset[str] = frozenset()
    slots: dict[str, Slot] = field(default_factory=dict)
    tags: dict[str, Slot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """One element of a type.

    Attributes:
        name: of the element, and of the member in JSON: `valueQuantity`.
        label: in an expression: `value`.
        place: where it stands among the others; elements of one choice stand in the same place.
        read: makes the JSON value of the text of a primitive; None for anything else.
        plan: of what stands inside; that of `RESOURCES` when it is a resource of any type.
        resource: the resource type that this element begins, in the slots of `RESOURCES` alone.
        is_xhtml: whether it is the narrative's `div`.
    """

    name: str
    label: str
    place: int
    many: bool
    read: Callable[[str], Any] | None
    plan: Plan
    resource: str = ""
    is_xhtml: bool = False


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("Expected true or false.")
    return text == "true"


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("Expected a whole number.")
    return int(text)


def _decimal(text: str) -> int | Decimal:
    """As `codec.decode` has it: whole numbers are int, those with a fraction or an exponent keep every digit."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError("Expected a decimal number.")
    if (len(text) > json_faults.MAX_DIGITS or found[2]) and not number_is_right(text):
        raise ValueError(json_faults.BAD_NUMBER)
    return Decimal(text) if found[1] or found[2] else int(text)


_READS: Final[dict[str, Callable[[str], Any]]] = {
    "string": str,
    "boolean": _boolean,
    "integer": _whole,
    "decimal": _decimal,
}

RESOURCES: Final = Plan()
"""Inside an element that holds a resource: one element, named by its type."""


def _compile() -> dict[str, Plan]:
    """Make the plan of every type. Plans come first, empty, because types contain each other in circles."""
    plans = {name: Plan(_attributes(name)) for name in TYPES} | {"Resource": RESOURCES}
    for name, plan in plans.items():
        if name != "Resource":
            _fill(plan, members(name), plans)
    for name in sorted(RESOURCE_TYPES):
        _add(RESOURCES, Slot(name, name, 0, many=False, read=None, plan=plans[name], resource=name))
    return plans


def _attributes(name: str) -> frozenset[str]:
    if lineage(name)[0] == "Resource":
        return frozenset()
    return frozenset({"id", "url"} if name == "Extension" else {"id"})


def _fill(plan: Plan, has: dict[str, Member], plans: dict[str, Plan]) -> None:
    places: dict[str, int] = {}
    for name, member in has.items():
        place = places.setdefault(member.element, len(places) + 1)
        if name in plan.attributes:
            continue
        primitive = PRIMITIVES.get(member.kind)
        _add(
            plan,
            Slot(
                name,
                member.element,
                place,
                many=member.many,
                read=_READS[primitive.json] if primitive else None,
                plan=plans["Element" if primitive else member.kind],
                is_xhtml=member.kind == "xhtml",
            ),
        )


def _add(plan: Plan, slot: Slot) -> None:
    plan.slots[slot.name] = slot
    if not slot.is_xhtml:  # its tag is of another namespace
        plan.tags[f"{FHIR} {slot.name}"] = slot


PLANS: Final = _compile()
"""The plan of each type."""
