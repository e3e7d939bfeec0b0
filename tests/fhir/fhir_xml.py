"""Reads the XML of HL7's patch cases into the JSON form: enough for these, and no more."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from fhirtwin.fhir.patch.elements import named
from fhirtwin.fhir.tables import PRIMITIVES

SPACE = "{http://hl7.org/fhir}"


def resource(node: ElementTree.Element) -> dict[str, Any]:
    kind = node.tag.removeprefix(SPACE)
    return {"resourceType": kind, **_object(node, kind)}


def _object(node: ElementTree.Element, kind: str) -> dict[str, Any]:
    known = {json: member for has in named(kind).values() for json, member in has.items()}
    made: dict[str, Any] = {name: node.attrib[name] for name in ("id", "url") if name in node.attrib}
    for child in node:
        name = child.tag.removeprefix(SPACE)
        member = known[name]
        primitive = member.kind in PRIMITIVES
        inside = _object(child, "Element" if primitive else member.kind)
        for key, value in (
            ((name, _value(child, member.kind)), (f"_{name}", inside)) if primitive else ((name, inside),)
        ):
            if value in (None, {}):
                continue
            if member.many:
                made.setdefault(key, []).append(value)
            else:
                made[key] = value
    return made


def _value(node: ElementTree.Element, kind: str) -> Any:
    text = node.attrib.get("value")
    json = PRIMITIVES[kind].json
    return text if text is None or json == "string" else int(text) if json == "integer" else text == "true"
