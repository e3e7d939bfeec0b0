"""Writes the XML of a resource: elements in R4's order, nothing between them but what is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from fhirtwin.errors import Fault, NotAcceptable
from fhirtwin.fhir.xml.document import FHIR, is_well_formed
from fhirtwin.fhir.xml.plan import PLANS, RESOURCES, Plan, Slot

_SPECIAL: Final = re.compile("[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What an attribute's value cannot hold as it is: markup, white space that parsers change, and what XML has not."""
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_DIV: Final = re.compile(r"[ \t\r\n]*+(<[^!?].*>)[ \t\r\n]*", re.DOTALL)
_PROLOG: Final = '<?xml version="1.0" encoding="UTF-8"?>'


def encode(resource: dict[str, Any], *, pretty: bool = False) -> bytes:
    """Write a resource as XML in UTF-8.

    Args:
        resource: a valid one, as `fhirtwin.fhir.codec.decode` gives it.
        pretty: indent for reading; narratives stay as they are.

    Raises:
        NotAcceptable: a text has a character that XML cannot hold, or a narrative that is no element; the text names
            the place.
    """
    writer = _Writer(pretty)
    writer.resource(resource, resource["resourceType"], f' xmlns="{FHIR}"')
    return "".join(writer.parts).encode()


class _Writer:
    def __init__(self, pretty: bool) -> None:
        self.parts = [_PROLOG]
        self.put = self.parts.append
        self.pretty = pretty
        self.depth = 0

    def resource(self, value: dict[str, Any], path: str, space: str = "") -> None:
        kind = value["resourceType"]
        plan = PLANS.get(kind)
        if plan is None:
            raise Fault("A resource of an unknown type was about to be written as XML.")
        self.object(kind, space, value, plan, path)

    def line(self) -> None:
        if self.pretty:
            self.put("\n" + "  " * self.depth)

    def object(self, name: str, attributes: str, value: dict[str, Any], plan: Plan, path: str) -> None:
        """Write an element with its children."""
        self.line()
        self.put(f"<{name}{attributes}>" if attributes else f"<{name}>")
        self.depth += 1
        for slot in _in_order(value, plan):
            self.member(slot, value, path)
        self.depth -= 1
        self.line()
        self.put(f"</{name}>")

    def member(self, slot: Slot, owner: dict[str, Any], path: str) -> None:
        name = slot.name
        place = f"{path}.{slot.label}"
        value = owner.get(name)
        if slot.read is None:
            if slot.many:
                for number, item in enumerate(value or ()):
                    self.element(slot, item, f"{place}[{number}]")
            else:
                self.element(slot, value, place)
        elif slot.is_xhtml:
            if f"_{name}" in owner:  # XHTML has no place for what FHIR says beside it
                raise _unwritable(place)
            self.line()
            self.put(_narrative(value, place))
        elif slot.many:
            self.primitives(slot, value or (), owner.get(f"_{name}") or (), place)
        else:
            self.primitive(slot, value, owner.get(f"_{name}"), place)

    def element(self, slot: Slot, value: Any, path: str) -> None:
        name, plan = slot.name, slot.plan
        if plan is RESOURCES:
            self.line()
            self.put(f"<{name}>")
            self.depth += 1
            self.resource(value, path)
            self.depth -= 1
            self.line()
            self.put(f"</{name}>")
            return
        attributes = ""
        for attribute in ("id", "url"):
            if attribute in plan.attributes and attribute in value:
                attributes += f' {attribute}="{_text(value[attribute], path)}"'
        self.object(name, attributes, value, plan, path)

    def primitives(self, slot: Slot, values: Any, elements: Any, path: str) -> None:
        for number in range(max(len(values), len(elements))):
            value = values[number] if number < len(values) else None
            beside = elements[number] if number < len(elements) else None
            self.primitive(slot, value, beside, f"{path}[{number}]")

    def primitive(self, slot: Slot, value: Any, beside: dict[str, Any] | None, path: str) -> None:
        text = "" if value is None else f' value="{_text(value, path)}"'
        if not beside:
            self.line()
            self.put(f"<{slot.name}{text}/>")
            return
        if "id" in beside:
            text = f' id="{_text(beside["id"], path)}"{text}'
        if "extension" in beside:
            self.object(slot.name, text, beside, slot.plan, path)
        else:
            self.line()
            self.put(f"<{slot.name}{text}/>")


def _in_order(value: dict[str, Any], plan: Plan) -> Iterator[Slot]:
    """The elements that are there, each once, in the order of R4."""
    slots: dict[str, Slot] = {}
    for name in value:
        bare = name.removeprefix("_")
        slot = plan.slots.get(bare)
        if slot is not None:
            slots[bare] = slot
        elif name not in plan.attributes and name != "resourceType":
            raise Fault("An element that R4 does not have was about to be written as XML.")
    return iter(sorted(slots.values(), key=_place))


def _place(slot: Slot) -> int:
    return slot.place


def _text(value: Any, path: str) -> str:
    kind = type(value)
    if kind is str:
        return _SPECIAL.sub(lambda found: _escaped(found[0], path), value) if _SPECIAL.search(value) else value
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is Decimal:
        return str(value)
    raise Fault("A value that is no primitive was about to be written as XML.")


def _escaped(character: str, path: str) -> str:
    escaped = _ESCAPES.get(character)
    if escaped is None:
        raise _unwritable(path)
    return escaped


def _narrative(text: Any, path: str) -> str:
    """The element of a narrative as it is, once it is known to be one and no more."""
    found = _DIV.fullmatch(text) if isinstance(text, str) else None
    if found is None or not is_well_formed(found[1].encode("utf-8", "surrogatepass")):
        raise _unwritable(path)
    return found[1]


def _unwritable(path: str) -> NotAcceptable:
    return NotAcceptable("XML cannot hold what stands here; ask for application/fhir+json.", expression=path)
