"""Puts id, version and resolved references into a resource's own XML, and leaves every other byte alone.

As `fhirtwin.fhir.splice` does for JSON. What is absent is put where R4's order of elements has it.

Everything here expects bytes that `fhirtwin.fhir.xml.reading` accepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

from fhirtwin.fhir.xml.document import FHIR, end_of_element, end_of_name, end_of_tag, is_empty, parser

_ATTRIBUTE: Final = re.compile(rb"""[ \t\r\n]([^ \t\r\n=/>"']+)[ \t\r\n]*=[ \t\r\n]*("[^"]*"|'[^']*')""")
_QUOTES: Final = {'"': "&quot;"}


@dataclass(slots=True)
class _Places:
    """Where things stand; -1 where they do not.

    Attributes:
        tags: the first byte of the root, of its `id` and `meta`, and of the last `extension`, the `versionId` and the
            `lastUpdated` of that.
        ends: the byte behind each of them.
        references: the first bytes of the tags of references that change, and what they become.
    """

    tags: dict[str, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    references: list[tuple[int, str]] = field(default_factory=list)


class _Finder:
    """What the parser reports of one resource."""

    def __init__(self, data: bytes, references: Mapping[str, str]) -> None:
        self.data = data
        self.references = references
        self.found = _Places()
        self.path: list[str] = []
        self.parser = parser()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.Parse(data, True)
        del self.parser  # it holds this finder

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        name = name if space == FHIR else ""
        self.path.append(name)
        if len(self.path) <= 3 and (known := self.known()):
            self.found.tags[known] = self.parser.CurrentByteIndex
        if name == "reference":
            resolved = self.references.get(attributes.get("value", ""))
            if resolved is not None:
                self.found.references.append((self.parser.CurrentByteIndex, resolved))

    def end(self, _: str) -> None:
        if len(self.path) <= 3 and (known := self.known()):
            start = self.found.tags[known]
            self.found.ends[known] = end_of_element(self.data, start, self.parser.CurrentByteIndex)
        self.path.pop()

    def known(self) -> str:
        match self.path:
            case [_]:
                return "root"
            case [_, "id" | "meta" as name] | [_, "meta", "extension" | "versionId" | "lastUpdated" as name]:
                return name
        return ""


def splice(
    data: bytes,
    *,
    id: str,  # noqa: A002 (FHIR's word)
    version: int,
    last_updated: str,
    references: Mapping[str, str] | None = None,
) -> bytes:
    """Write identity and resolved references into a resource, byte for byte the same elsewhere.

    Args:
        data: one resource, as `read` accepted it.
        id: its logical id.
        version: becomes `meta.versionId`.
        last_updated: a FHIR instant, becomes `meta.lastUpdated`.
        references: text that an element `reference` may have, and what it becomes.
    """
    found = _Finder(data, references or {}).found
    tags, ends = found.tags, found.ends
    prefix = _prefix(data, tags["root"])
    stamps = {"versionId": str(version), "lastUpdated": last_updated}
    edits = [_valued(data, at, text) for at, text in found.references]
    after_root = _inside(data, tags["root"], edits)
    absent = ""
    if "id" in tags:
        edits.append(_valued(data, tags["id"], id))
    else:
        absent += _element(prefix, "id", id)
    if "meta" in tags:
        if absent:
            edits.append((after_root, after_root, absent.encode()))
        edits += _stamped(data, found, prefix, stamps)
    else:
        inner = "".join(_element(prefix, name, text) for name, text in stamps.items())
        place = ends.get("id", after_root)
        edits.append((place, place, f"{absent}<{prefix}meta>{inner}</{prefix}meta>".encode()))
    return _apply(data, edits)


_Edit = tuple[int, int, bytes]
"""The bytes from the first number up to the second become the text."""


def _stamped(data: bytes, found: _Places, prefix: str, stamps: Mapping[str, str]) -> list[_Edit]:
    """Write the stamps into the `meta` that is there."""
    edits: list[_Edit] = []
    after = _inside(data, found.tags["meta"], edits)
    after = found.ends.get("extension", after)
    for name, text in stamps.items():
        if name in found.tags:
            edits.append(_valued(data, found.tags[name], text))
            after = found.ends[name]
        else:
            edits.append((after, after, _element(prefix, name, text).encode()))
    return edits


def _prefix(data: bytes, at: int) -> str:
    """The prefix of the name in a tag, with its colon."""
    before, colon, _ = data[at + 1 : end_of_name(data, at)].decode().rpartition(":")
    return before + colon


def _element(prefix: str, name: str, text: str) -> str:
    return f'<{prefix}{name} value="{escape(text, _QUOTES)}"/>'


def _inside(data: bytes, at: int, edits: list[_Edit]) -> int:
    """The byte where the content of an element begins; an empty tag is opened and closed around it."""
    end = end_of_tag(data, at)
    if not is_empty(data, end):
        return end
    name = data[at + 1 : end_of_name(data, at)]
    edits += [(end - 2, end - 2, b">"), (end - 2, end, b"</" + name + b">")]
    return end - 2


def _valued(data: bytes, at: int, text: str) -> _Edit:
    """Give the element whose tag begins at `at` another value."""
    written = f'"{escape(text, _QUOTES)}"'.encode()
    for found in _ATTRIBUTE.finditer(data, at, end_of_tag(data, at)):
        if found[1] == b"value":
            return (*found.span(2), written)
    place = end_of_name(data, at)
    return (place, place, b" value=" + written)


def _apply(data: bytes, edits: list[_Edit]) -> bytes:
    """Carry out edits; those that put something in at the same place, in the order given."""
    parts: list[bytes] = []
    position = 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        parts += [data[position:start], text]
        position = end
    return b"".join((*parts, data[position:]))
