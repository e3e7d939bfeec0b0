"""How every mapper reads a resource: codings, periods, and what forbids using it at all.

R4: "implementations SHALL NOT process an element that carries a modifier extension they do not understand"
(https://hl7.org/fhir/R4/extensibility.html#modifierExtension). We understand none, so one anywhere in a resource means
that nothing of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fhirtwin.fhir import codec
from fhirtwin.terms.concepts import Code
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.state import Mapped, Source, Unused

IMPLICIT_RULES: Final = "it follows implicit rules that are not known here"
MODIFIED: Final = "it carries a modifier extension that is not known here"
FORBIDDEN: Final = (IMPLICIT_RULES, MODIFIED)
"""What `forbidden` says."""

FINAL: Final = ("final", "amended", "corrected")
"""Statuses of results that count."""


def unused(source: Source, reason: str) -> Mapped:
    """Give what a resource comes to that is not used at all."""
    return Mapped(unused=(Unused(source, reason),))


def forbidden(resource: Resource) -> str | None:
    """Say why a resource must not be processed whatever its type, or None when it may be."""
    if resource.get("implicitRules"):
        return IMPLICIT_RULES
    if _has_modifier_extension(resource):
        return MODIFIED
    return None


def _has_modifier_extension(resource: Resource) -> bool:
    # Written as JSON, a quote within a text has a backslash before it, so only a member's name looks like this.
    return b'"modifierExtension":' in codec.encode(resource)


def codings(concept: Any) -> Iterator[Code]:
    """Give each coding of a CodeableConcept that names both a system and a code."""
    given = concept.get("coding") if isinstance(concept, dict) else None
    for coding in given if isinstance(given, list) else ():
        if isinstance(coding, dict):
            system, code = coding.get("system"), coding.get("code")
            if system and code and isinstance(system, str) and isinstance(code, str):
                yield Code(system, code)


def code_in(concept: Any, system: str) -> str:
    """Give the code a CodeableConcept has in one system; empty text when it has none, or several that disagree."""
    found = {c.code for c in codings(concept) if c.system == system}
    return found.pop() if len(found) == 1 else ""


def items(node: Any, name: str) -> Iterator[dict[str, Any]]:
    """Give the objects of a repeating element."""
    values = node.get(name) if isinstance(node, dict) else None
    if isinstance(values, list):
        yield from (v for v in values if isinstance(v, dict))


def text(node: Any, name: str) -> str:
    """Give an element that is text, or empty text when it is not there."""
    value = node.get(name) if isinstance(node, dict) else None
    return value if isinstance(value, str) else ""


def start_of(resource: Resource, name: str) -> str:
    """Give when a choice of dateTime and Period (`onset`, `performed`) began, as FHIR text; empty when not told."""
    return text(resource, f"{name}DateTime") or text(resource.get(f"{name}Period"), "start")


def end_of(resource: Resource, name: str) -> str:
    """Give when the Period of a choice element ended, as FHIR text; empty when not told."""
    return text(resource.get(f"{name}Period"), "end")
