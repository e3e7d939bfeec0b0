"""Reads XML in one pass; what is wrong is told with its line and its path.

expat parses. Its handlers refuse document types, so there are no entities but XML's own five, and nothing to expand or
to fetch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.parsers import expat

from fhirtwin.errors import Incorrect
from fhirtwin.fhir.xml.document import (
    FHIR,
    SCHEMA_LOCATION,
    XHTML,
    end_of_element,
    is_well_formed,
    parser,
)
from fhirtwin.fhir.xml.pieces import Piece, Spaces
from fhirtwin.fhir.xml.plan import RESOURCES, Plan, Slot

MAX_ATTRIBUTES: Final = 64
"""Most attributes of one element; FHIR has two, a narrative a dozen."""

_SPACE: Final = " \t\r\n"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_DIV: Final = f"{XHTML} div"


@dataclass(frozen=True, slots=True)
class Document:
    """What was read.

    Attributes:
        resource: as `fhirtwin.fhir.codec.decode` gives it.
        entries: where the resource of each entry of a Bundle stands, by the entry's position.
    """

    resource: dict[str, Any]
    entries: dict[int, Piece] = field(default_factory=dict)


def decode(data: bytes, *, max_depth: int = 64) -> dict[str, Any]:
    """Read one resource; as `read`, and the resource alone."""
    return read(data, max_depth=max_depth).resource


def read(data: bytes, *, max_depth: int = 64) -> Document:
    """Read one resource.

    Args:
        data: UTF-8, a byte order mark allowed.
        max_depth: deepest nesting of elements that is read, those of narratives included; the root counts as 1.

    Raises:
        Incorrect: not UTF-8, not well-formed XML, a document type, a processing instruction, nested too deeply, or
            elements, attributes or text where R4 has none or in another order. The text names the line.
    """
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise Incorrect(f"The body is not UTF-8 (byte {error.start}).") from None
    if not data.strip():
        raise Incorrect("The body is empty; send one resource.")
    return _Reader(data, max_depth).read()


class _Frame:
    """An element that is open.

    Attributes:
        value: the JSON object that it fills; of a primitive, what stands in `_name`.
        place: that of its last child.
        number: its own position in an array, else -1.
        start: its first byte, where it may be the resource of an entry; else 0.
        ragged: names of its arrays of primitives of which some have no value, or more than a value.
    """

    __slots__ = ("number", "place", "plan", "ragged", "slot", "start", "value")

    def __init__(self, slot: Slot | None, plan: Plan, value: dict[str, Any], number: int) -> None:
        self.slot = slot
        self.plan = plan
        self.value = value
        self.number = number
        self.place = self.start = 0
        self.ragged: list[str] | None = None


class _Reader:
    def __init__(self, data: bytes, max_depth: int) -> None:
        self.data = data
        self.max_depth = max_depth
        self.holder: dict[str, Any] = {}
        self.stack = [_Frame(None, RESOURCES, self.holder, -1)]
        self.leaf: Slot | None = None
        """The primitive that is open and has no frame, since most have no more than a value."""
        self.leaf_number = 0
        self.leaf_has_value = False
        self.spaces = Spaces()
        self.entries: dict[int, Piece] = {}
        self.div_start = self.div_depth = 0
        self.div_spaces: Mapping[str, str] = {}
        self.parser = parser()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.ProcessingInstructionHandler = self.instruction
        self.parser.XmlDeclHandler = self.declaration
        self.parser.StartNamespaceDeclHandler = self.open_space
        self.parser.EndNamespaceDeclHandler = self.close_space

    def read(self) -> Document:
        try:
            self.parser.Parse(self.data, True)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "syntax error")
            # expat's own words: they name no content.
            raise Incorrect(f"The body is not XML: {reason} (line {error.lineno}).") from None
        finally:
            del self.parser  # it holds this reader, which holds all that was read
        (resource,) = self.holder.values()
        return Document(resource, self.entries)

    # ---- elements ---------------------------------------------------------------------------------------------------

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.leaf is not None:
            self.open_leaf(self.leaf)
        stack = self.stack
        above = stack[-1]
        slot = above.plan.tags.get(tag)
        if slot is None:
            if tag == _DIV and "div" in above.plan.slots and "div" not in above.value:
                self.open_div(above, attributes)
                return
            self.unexpected(tag)
        if slot.place < above.place:
            self.fail(
                "This element stands too late; R4 has an order of elements, and what stands above comes later.", slot
            )
        if len(stack) > self.max_depth:
            self.fail(f"The XML is nested too deeply: deeper than {self.max_depth} levels.", slot)
        above.place = slot.place
        if slot.read is not None:
            self.primitive(above, slot, attributes)
        else:
            stack.append(self.element(above, slot, attributes))

    def primitive(self, above: _Frame, slot: Slot, attributes: dict[str, str]) -> None:
        into, name = above.value, slot.name
        value: Any = attributes.get("value")
        if value is not None and slot.read is not str:
            value = self.converted(slot, value)
        if slot.many:
            values = into.get(name)
            if values is None:
                into[name] = [value]
                self.leaf_number = 0
            else:
                self.leaf_number = len(values)
                values.append(value)
        elif name in into or f"_{name}" in into:
            self.fail("This element may stand once.", slot)
        elif value is not None:
            into[name] = value
        self.leaf, self.leaf_has_value = slot, value is not None
        if len(attributes) > self.leaf_has_value:
            self.identify_leaf(slot, attributes)

    def identify_leaf(self, slot: Slot, attributes: dict[str, str]) -> None:
        """Note the id of a primitive, its only attribute besides its value."""
        if attributes.keys() - {"value", "id"}:
            self.leaf = None
            self.fail("A primitive element has no attributes but value and id.", slot, self.leaf_number)
        self.open_leaf(slot)
        self.stack[-1].value["id"] = attributes["id"]

    def open_leaf(self, slot: Slot) -> None:
        """Make a frame of a primitive that is more than its value."""
        frame = _Frame(slot, slot.plan, {}, self.leaf_number if slot.many else -1)
        self.stack.append(frame)
        self.leaf = None

    def converted(self, slot: Slot, text: str) -> Any:
        try:
            return slot.read(text) if slot.read else text
        except ValueError as error:
            self.fail(str(error), slot)

    def element(self, above: _Frame, slot: Slot, attributes: dict[str, str]) -> _Frame:
        into, name, number = above.value, slot.name, -1
        value: dict[str, Any] = {"resourceType": slot.resource} if slot.resource else {}
        if attributes:
            self.attributes(slot, attributes, value)
        if slot.many:
            values = into.get(name)
            if values is None:
                into[name] = [value]
                number = 0
            else:
                number = len(values)
                values.append(value)
        elif name in into:
            self.fail("This element may stand once.", slot)
        else:
            into[name] = value
        frame = _Frame(slot, slot.plan, value, number)
        if slot.resource and len(self.stack) == 4:
            frame.start = self.parser.CurrentByteIndex
        return frame

    def attributes(self, slot: Slot, attributes: dict[str, str], value: dict[str, Any]) -> None:
        for name, text in attributes.items():
            if name in slot.plan.attributes:
                value[name] = text
            elif name != SCHEMA_LOCATION or len(self.stack) > 1:
                self.fail("FHIR R4 has no such attribute here.", slot)

    def end(self, tag: str) -> None:
        leaf = self.leaf
        if leaf is not None:
            self.leaf = None
            if not self.leaf_has_value:
                self.fail("This element needs a value or an extension.", leaf, self.leaf_number)
            return
        frame = self.stack.pop()
        slot, above = frame.slot, self.stack[-1]
        if slot is None:
            return
        if slot.read is not None:
            self.end_primitive(above, frame, slot)
            return
        if frame.ragged:
            _level(frame.value, frame.ragged)
        if slot.plan is RESOURCES:
            if len(frame.value) != 1:
                self.fail("Expected one resource here.", slot, frame.number)
            (resource,) = frame.value.values()
            if slot.many:
                above.value[slot.name][frame.number] = resource
            else:
                above.value[slot.name] = resource
        elif frame.start:
            self.note_entry(frame.start)

    def end_primitive(self, above: _Frame, frame: _Frame, slot: Slot) -> None:
        beside = f"_{slot.name}"
        if not slot.many:
            above.value[beside] = frame.value
            return
        elements = above.value.get(beside)
        if elements is None:
            elements = above.value[beside] = []
            above.ragged = [*(above.ragged or ()), slot.name]
        elements += [None] * (frame.number - len(elements))
        elements.append(frame.value)

    def note_entry(self, start: int) -> None:
        """Keep where a resource that began at `start` stands, if it is that of an entry."""
        outer = self.stack[1:]
        if [frame.slot.name for frame in outer if frame.slot] == ["Bundle", "entry", "resource"]:
            self.entries[outer[1].number] = Piece(start, self.end_of(start), self.spaces.in_force())

    # ---- narratives -------------------------------------------------------------------------------------------------

    def open_div(self, above: _Frame, attributes: dict[str, str]) -> None:
        slot = above.plan.slots["div"]
        above.place = slot.place
        above.value["div"] = ""
        self.div_start = self.parser.CurrentByteIndex
        self.div_spaces = self.spaces.in_force()
        self.div_depth = 0
        self.parser.StartElementHandler = self.start_xhtml
        self.parser.EndElementHandler = self.end_xhtml
        self.parser.CharacterDataHandler = None
        self.start_xhtml(_DIV, attributes)

    def start_xhtml(self, tag: str, attributes: dict[str, str]) -> None:
        self.div_depth += 1
        if len(self.stack) + self.div_depth > self.max_depth + 1:
            self.fail(f"The XML is nested too deeply: deeper than {self.max_depth} levels.")
        if len(attributes) > MAX_ATTRIBUTES:
            self.fail(f"An element here has more than {MAX_ATTRIBUTES} attributes.")

    def end_xhtml(self, tag: str) -> None:
        self.div_depth -= 1
        if self.div_depth:
            return
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        piece = Piece(self.div_start, self.end_of(self.div_start), self.div_spaces)
        div = self.data[piece.start : piece.end]
        if not is_well_formed(div):  # a prefix of it is declared outside
            div = piece.cut(self.data)
        self.stack[-1].value["div"] = div.decode()

    def end_of(self, start: int) -> int:
        """The byte behind the element that began at `start` and ends now."""
        return end_of_element(self.data, start, self.parser.CurrentByteIndex)

    # ---- what else the parser tells ---------------------------------------------------------------------------------

    def text(self, text: str) -> None:
        if text.strip(_SPACE):
            if self.leaf is not None:
                self.open_leaf(self.leaf)
            self.fail("FHIR has no text here; values stand in the attribute `value`.")

    def open_space(self, prefix: str | None, space: str | None) -> None:
        try:
            self.spaces.open(prefix or "", space or "")
        except ValueError as error:
            self.fail(str(error))

    def close_space(self, prefix: str | None) -> None:
        self.spaces.close(prefix or "")

    def doctype(self, *_: object) -> NoReturn:
        self.fail("FHIR has no document types and no entities.")

    def instruction(self, *_: object) -> NoReturn:
        self.fail("Processing instructions are not read here.")

    def declaration(self, version: str, encoding: str | None, _: int) -> None:
        if version != "1.0":
            self.fail("Send XML 1.0.")
        if (encoding or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
            self.fail("FHIR is sent in UTF-8; the XML declaration names another encoding.")

    # ---- what is wrong ----------------------------------------------------------------------------------------------

    def unexpected(self, tag: str) -> NoReturn:
        space, _, name = tag.rpartition(" ")
        above = self.stack[-1]
        if len(self.stack) == 1:
            self.fail(f"Expected an element named by a resource type of FHIR R4, in the namespace {FHIR}.")
        if space != FHIR and not (space == XHTML and above.slot and "div" in above.plan.slots):
            self.fail(f"Elements of FHIR are in the namespace {FHIR}.")
        if space == XHTML:
            self.fail("A narrative has one div.")
        if above.plan is RESOURCES:
            self.fail("Expected an element named by a resource type of FHIR R4.")
        inside = name if _NAME.fullmatch(name) else ""
        if name in above.plan.slots:
            self.fail(f"The {name} of a narrative is in the namespace {XHTML}.", inside=inside)
        self.fail("FHIR R4 has no such element here.", inside=inside)

    def fail(self, text: str, slot: Slot | None = None, number: int | None = None, inside: str = "") -> NoReturn:
        """Raise, with line and path.

        Args:
            text: what is wrong.
            slot: the element that it is about, which is not on the stack; None for the one that is open.
            number: its position among its like.
            inside: the name of the element, where there is no slot of it.
        """
        parts = [
            frame.slot.label + (f"[{frame.number}]" if frame.number >= 0 else "")
            for before, frame in zip(self.stack, self.stack[1:], strict=False)
            # A resource inside an element is known by the element.
            if frame.slot and not (frame.slot.resource and before.slot)
        ]
        if slot is not None and not (slot.resource and self.stack[-1].slot):
            parts.append(slot.label + (f"[{self.number_of(slot, number)}]" if slot.many else ""))
        elif inside:
            parts.append(inside)
        path = ".".join(parts)
        line = self.parser.CurrentLineNumber
        at = f"It stands in line {line}" + (f" at {path}." if path else ".")
        raise Incorrect(f"{text} {at}", expression=path or None)

    def number_of(self, slot: Slot, number: int | None) -> int:
        """The position of an element that may stand several times: that of the last one, or of one to come."""
        if number is not None:
            return number
        return len(self.stack[-1].value.get(slot.name, ()))


def _level(value: dict[str, Any], names: list[str]) -> None:
    """Make arrays of primitives and of what stands beside them equally long; drop one of nulls alone."""
    for name in names:
        elements = value[f"_{name}"]
        elements += [None] * (len(value[name]) - len(elements))
        if not any(item is not None for item in value[name]):
            del value[name]
