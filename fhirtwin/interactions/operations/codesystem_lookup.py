"""$lookup: `GET` or `POST [base]/CodeSystem/$lookup`: what is known of a code.

*Source*: http://hl7.org/fhir/R4/codesystem-operation-lookup.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fhirtwin.access import permit
from fhirtwin.access.visibility import view
from fhirtwin.errors import NotFound
from fhirtwin.fhir.terminology.codesystem import CodeSystem, Concept
from fhirtwin.interactions import terminology
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter, with_parameters
from fhirtwin.interactions.terminology import Terminology

_NAMED: Final = frozenset({"url", "name", "version", "display", "designation"})
"""Properties of every code system that the answer has in parameters of their own, or that the caller sent."""


def lookup(call: Call) -> Answer:
    """Give name, display, designations and properties of a concept.

    Args:
        call: `code` and `system`, or `coding`; `property`: only these.

    Raises:
        NotFound: there is no such code system, or no such code in it.
        Unprocessable: the code system is here in part only.
        Incorrect: a parameter is wrong.
    """
    permit(call.caller, "read", "CodeSystem")
    (asked,) = terminology.codings(call)
    with call.services.store.snapshot() as reader:
        system = terminology.require_system(Terminology(reader, view(call.caller)), asked.system, asked.version)
    concept = system.find(asked.code)
    if concept is None:
        raise NotFound("The code system has no such code.")
    return with_parameters(_told(system, concept, frozenset(call.every("property"))))


def _told(system: CodeSystem, concept: Concept, wanted: frozenset[str]) -> Iterator[tuple[str, str, Any]]:
    yield "name", "valueString", system.resource.get("name") or system.url
    if system.version:
        yield "version", "valueString", system.version
    yield "display", "valueString", concept.display or concept.code
    if not wanted or "designation" in wanted:
        for one in concept.json.get("designation", ()):
            yield "designation", "part", list(_designation(one))
    for name, member, value in _properties(system, concept):
        if name in wanted or not wanted:
            yield "property", "part", [{"name": "code", "valueCode": name}, {"name": "value", member: value}]


def _designation(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, member in (("language", "valueCode"), ("use", "valueCoding"), ("value", "valueString")):
        if name in one:
            yield {"name": name, member: one[name]}


def _properties(system: CodeSystem, concept: Concept) -> Iterator[tuple[str, str, Any]]:
    """Those that R4 defines for all code systems, then the concept's own."""
    if "definition" in concept.json:
        yield "definition", "valueString", concept.json["definition"]
    yield from (("parent", "valueCode", code) for code in sorted(concept.parents))
    yield from (("child", "valueCode", code) for code in system.children(concept.code))
    for one in concept.json.get("property", ()):
        if one["code"] not in ("parent", "child", *_NAMED):
            yield from ((one["code"], name, value) for name, value in one.items() if name.startswith("value"))


OPERATION: Final = Operation(
    name="lookup",
    definition="http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
    types=frozenset({"CodeSystem"}),
    levels=frozenset({Level.TYPE}),
    run=lookup,
    parameters=(
        Parameter("code", "code"),
        Parameter("system", "uri"),
        Parameter("version", "string"),
        Parameter("coding", "Coding"),
        Parameter("property", "code", many=True),
    ),
)
