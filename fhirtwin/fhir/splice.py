"""Puts id, version and resolved references into a resource's own bytes, and leaves every other byte alone.

What a client sends is kept as sent: white space, escapes, the order of members, the digits of numbers. Only these
change: the resource's own `id`, `versionId` and `lastUpdated` in its `meta`, and the text of references that the
caller names. Members that are absent are put right after `resourceType`, those of `meta` at its beginning.

Everything here expects bytes that `fhirtwin.fhir.codec.decode` accepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec

_STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_NAME: Final = re.compile(rb"[ \t\r\n,]*(" + _STRING + rb")[ \t\r\n]*:[ \t\r\n]*")
_TEXT: Final = re.compile(rb"(" + _STRING + rb")(?:[ \t\r\n]*:[ \t\r\n]*(" + _STRING + rb"))?")


_BETWEEN: Final = re.compile(rb"[ \t\r\n,]*")

Path = tuple[str | int, ...]
"""Members and indices that lead from a resource to a value in it."""


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    """The bytes from `start` up to `end` become `text`; where both are the same, `text` is put in."""

    start: int
    end: int
    text: bytes


def splice(
    data: bytes,
    *,
    id: str,  # noqa: A002 (FHIR's word)
    version: int,
    last_updated: str,
    references: Mapping[str, str] | None = None,
    texts: Mapping[Path, str] | None = None,
) -> bytes:
    """Write identity and resolved references into a resource, byte for byte the same elsewhere.

    Args:
        data: one resource, as `decode` accepted it.
        id: its logical id.
        version: becomes `meta.versionId`.
        last_updated: a FHIR instant, becomes `meta.lastUpdated`.
        references: text that a member `reference` may have, and what it becomes. Besides Reference.reference this
            holds for the three URIs of R4 named so (DetectedIssue, Expression, Immunization.education), which R4's
            transaction rules resolve as well (http://hl7.org/fhir/R4/http.html#trules).
        texts: places of other texts, by the members and indices that lead there, and what stands there then.

    Raises:
        Incorrect: `data` is no resource, or its `meta` is no object.
    """
    spans = _members(data, 0, len(data))
    if "resourceType" not in spans:
        raise Incorrect("A resource must name its resourceType.", expression="Resource.resourceType")
    meta = {"versionId": str(version), "lastUpdated": last_updated}
    edits = _resolved(data, references) if references else []
    if texts:
        edits += _written(data, 0, len(data), _tree(texts))
    absent: dict[str, object] = {}
    if "id" in spans:
        edits.append(_Edit(*spans["id"], msgspec.json.encode(id)))
    else:
        absent["id"] = id
    if "meta" in spans:
        edits += _stamped(data, *spans["meta"], meta)
    else:
        absent["meta"] = meta
    if absent:
        place = spans["resourceType"][1]
        edits.append(_Edit(place, place, b"," + _inside(absent)))
    return _apply(data, edits)


def with_meta(data: bytes, meta: Mapping[str, object]) -> bytes:
    """Write another `meta` into a resource, byte for byte the same elsewhere.

    Args:
        data: one resource that has a `meta`.
        meta: the whole of the new one.

    Raises:
        Incorrect: `data` is no resource with a `meta`.
    """
    spans = _members(data, 0, len(data))
    if "meta" not in spans:
        raise Incorrect("A resource that is stored has a meta.", expression="Resource.meta")
    return _apply(data, [_Edit(*spans["meta"], codec.encode(meta))])


def entries(data: bytes) -> list[bytes | None]:
    """Cut the resources out of a Bundle, each with its own bytes.

    Returns:
        One item for each entry, at the same position; None where an entry has no resource.

    Raises:
        Incorrect: `entry` is no array of objects.
    """
    try:
        bundle = msgspec.json.decode(data, type=_Bundle)
    except msgspec.ValidationError:
        raise Incorrect("Expected an array of objects.", expression="Bundle.entry") from None
    return [bytes(entry.resource) or None for entry in bundle.entry]


def _members(data: bytes, start: int, end: int) -> dict[str, tuple[int, int]]:
    """Find where the values of an object's members stand: first byte, and the one behind the last.

    msgspec measures the values; only the names between them are read here.
    """
    try:
        values = msgspec.json.decode(memoryview(data)[start:end], type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        raise Incorrect("Expected a JSON object.") from None
    spans = {}
    position = data.index(b"{", start) + 1
    for name, value in values.items():
        before = _NAME.match(data, position)
        if before is None or _decoded(before[1]) != name:
            raise Incorrect("Expected a JSON object in which no name stands twice.")
        position = before.end() + len(memoryview(value))
        spans[name] = (before.end(), position)
    return spans


def _stamped(data: bytes, start: int, end: int, meta: Mapping[str, str]) -> list[_Edit]:
    """Write the members of `meta` into the object that stands at `start`."""
    spans = _members(data, start, end)
    edits = [_Edit(*spans[name], msgspec.json.encode(text)) for name, text in meta.items() if name in spans]
    absent = {name: text for name, text in meta.items() if name not in spans}
    if absent:
        edits.append(_Edit(start + 1, start + 1, _inside(absent) + (b"," if spans else b"")))
    return edits


def _resolved(data: bytes, references: Mapping[str, str]) -> list[_Edit]:
    """Write the new texts of references.

    Strings are read one after the other from the first byte on, so a quote inside a string begins none.
    """
    edits = []
    for found in _TEXT.finditer(data):
        name, text = found.groups()
        if text is not None and _decoded(name) == "reference":
            resolved = references.get(_decoded(text))
            if resolved is not None:
                edits.append(_Edit(*found.span(2), msgspec.json.encode(resolved)))
    return edits


def _tree(texts: Mapping[Path, str]) -> dict[str | int, Any]:
    """Sort places by what leads to them, so that each level is read once."""
    root: dict[str | int, Any] = {}
    for path, text in texts.items():
        branch = root
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
        branch[path[-1]] = text
    return root


def _written(data: bytes, start: int, end: int, tree: Mapping[Any, Any]) -> list[_Edit]:
    """Write texts into the object or array from `start` up to `end`."""
    find: Callable[[bytes, int, int], Mapping[Any, tuple[int, int]]]
    find = _items if data[start : start + 1] == b"[" else _members
    spans = find(data, start, end)
    edits = []
    for part, branch in tree.items():
        if isinstance(branch, dict):
            edits += _written(data, *spans[part], branch)
        else:
            edits.append(_Edit(*spans[part], msgspec.json.encode(branch)))
    return edits


def _items(data: bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Find where the items of an array stand."""
    spans = {}
    position = start + 1
    for number, value in enumerate(msgspec.json.decode(memoryview(data)[start:end], type=list[msgspec.Raw])):
        before = _BETWEEN.match(data, position)
        first = before.end() if before else position
        position = first + len(memoryview(value))
        spans[number] = (first, position)
    return spans


def _decoded(text: bytes) -> str:
    """Read a JSON string; only one with escapes needs a parser."""
    return msgspec.json.decode(text, type=str) if b"\\" in text else text[1:-1].decode()


def _inside(members: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(members)[1:-1]


def _apply(data: bytes, edits: list[_Edit]) -> bytes:
    parts = []
    position = 0
    for edit in sorted(set(edits)):  # a text may have been found both by its name and by its place
        parts += [data[position : edit.start], edit.text]
        position = edit.end
    return b"".join((*parts, data[position:]))
