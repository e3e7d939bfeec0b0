"""The parameters of an operation, of the URL and of the body, become values of the kinds that it declares.

*Source*: http://hl7.org/fhir/R4/operations.html#request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fhirtwin.errors import Incorrect, Issue, Unsupported
from fhirtwin.fhir import codec
from fhirtwin.fhir.primitives import CHECKS
from fhirtwin.fhir.tables import PRIMITIVES, RESOURCE_TYPES
from fhirtwin.fhir.validator import validate
from fhirtwin.ingest import refuse_invalid
from fhirtwin.interactions.operation import RESOURCE, Given, Operation, Parameter

_BOOLEANS: Final = {"true": True, "false": False}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def read(operation: Operation, pairs: Iterable[tuple[str, str]], sent: bytes, *, max_depth: int) -> Given:
    """Read the parameters of one invocation.

    Args:
        operation: what is invoked.
        pairs: names and values of the URL, decoded.
        sent: the body: a Parameters resource; or, where the operation has exactly one parameter that is a resource,
            that resource; or nothing.
        max_depth: deepest nesting of JSON.

    Raises:
        Unsupported: a parameter that the operation does not have.
        Incorrect: one that is missing, repeated or of another kind; each issue names the place.
    """
    known = {parameter.name: parameter for parameter in operation.parameters}
    found: dict[str, list[Any]] = {}
    for name, text in pairs:
        parameter = _parameter(name, known, operation.searches, operation.name)
        found.setdefault(name, []).append(_of_url(text, parameter))
    if sent:
        for name, value in _of_body(operation, known, codec.decode(sent, max_depth=max_depth)):
            found.setdefault(name, []).append(value)
    _count(found, operation.parameters, operation.name)
    return {name: tuple(values) for name, values in found.items()}


def _parameter(name: str, known: Mapping[str, Parameter], searches: bool, of: str) -> Parameter:
    if name in known:
        return known[name]
    if searches:
        return Parameter(name, "string", many=True)
    offered = ", ".join(known) or "none"
    raise Unsupported(f"${of} has no parameter {name[:64]}; it has {offered}.")


def _count(found: Mapping[str, Sequence[Any]], parameters: Iterable[Parameter], of: str) -> None:
    for parameter in parameters:
        given = len(found.get(parameter.name, ()))
        if not given and parameter.required:
            raise Incorrect(f"${of} needs the parameter `{parameter.name}`.")
        if given > 1 and not parameter.many:
            raise Incorrect(f"`{parameter.name}` may be given once.")


def _of_url(text: str, parameter: Parameter) -> Any:
    """The value of a parameter in a URL, which can be a primitive only."""
    if parameter.kind not in PRIMITIVES:
        raise Incorrect(f"`{parameter.name}` is no primitive value: send it in a Parameters resource, by POST.")
    return _checked(_as_json(text, parameter.kind), parameter, f"`{parameter.name}`") if text else _empty(parameter)


def _empty(parameter: Parameter) -> str:
    """An empty text: it means something in a search alone."""
    if parameter.kind == "string":
        return ""
    raise Incorrect(f"`{parameter.name}` has no value.")


def _as_json(text: str, kind: str) -> Any:
    match PRIMITIVES[kind].json:
        case "boolean":
            return _BOOLEANS.get(text, text)
        case "integer" | "decimal" if _NUMBER.fullmatch(text):
            return codec.decode(b'{"value":%s}' % text.encode())["value"]  # with the limits of any number here
    return text


def _checked(value: Any, parameter: Parameter, place: str) -> Any:
    findings = CHECKS[parameter.kind](value, {})
    if findings:
        raise Incorrect(f"The parameter `{parameter.name}` is wrong. {findings[0][2]}", expression=place)
    return value


def _of_body(operation: Operation, known: Mapping[str, Parameter], body: dict[str, Any]) -> list[tuple[str, Any]]:
    if body.get("resourceType") != "Parameters":
        return [_alone(operation, body)]
    refuse_invalid(_judged(body, known))
    given = body.get("parameter", ())
    return [_named(one, known, operation, f"Parameters.parameter[{n}]") for n, one in enumerate(given)]


def _alone(operation: Operation, body: dict[str, Any]) -> tuple[str, Any]:
    """The one parameter that is a resource, sent as the body itself."""
    resources = [one for one in operation.parameters if one.kind == RESOURCE or one.kind in RESOURCE_TYPES]
    if len(resources) != 1:
        raise Incorrect(f"${operation.name} takes a Parameters resource as its body.", expression="resourceType")
    (one,) = resources
    if one.judged:
        refuse_invalid(validate(body, type=one.kind if one.kind != RESOURCE else None))
    elif one.kind not in (RESOURCE, body.get("resourceType")):
        raise Incorrect(f"The parameter `{one.name}` takes a {one.kind}.", expression="resourceType")
    return one.name, body


def _judged(body: dict[str, Any], known: Mapping[str, Parameter]) -> list[Issue]:
    """What is wrong with a Parameters resource, without what is inside resources that the operation judges itself."""
    given = body.get("parameter")
    left = tuple(
        f"Parameters.parameter[{number}].resource"
        for number, one in enumerate(given if isinstance(given, list) else ())
        if isinstance(one, dict) and str(one.get("name")) in known and not known[str(one["name"])].judged
    )
    issues = validate(body, type="Parameters")
    if not left:
        return issues
    return [issue for issue in issues if not any(place.startswith(left) for place in issue.expression)]


def _named(one: Mapping[str, Any], known: Mapping[str, Parameter], operation: Operation, place: str) -> tuple[str, Any]:
    name = one["name"]
    parameter = _parameter(name, known, operation.searches, operation.name)
    if parameter.parts:
        return name, _parts(one, parameter, operation, place)
    values = {member: value for member, value in one.items() if member == "resource" or member.startswith("value")}
    if len(values) != 1:
        raise Incorrect(f"The parameter `{name}` must have one value.", expression=place)
    ((member, value),) = values.items()
    return name, _value(member, value, parameter, f"{place}.{member}")


def _parts(one: Mapping[str, Any], parameter: Parameter, operation: Operation, place: str) -> Given:
    known = {part.name: part for part in parameter.parts}
    found: dict[str, list[Any]] = {}
    for number, part in enumerate(one.get("part", ())):
        name, value = _named(part, known, operation, f"{place}.part[{number}]")
        found.setdefault(name, []).append(value)
    _count(found, parameter.parts, operation.name)
    return {name: tuple(values) for name, values in found.items()}


def _value(member: str, value: Any, parameter: Parameter, place: str) -> Any:
    """A value of the declared kind. Another primitive will do if its content fits: a `valueString` that is a code."""
    if parameter.kind in PRIMITIVES:
        return _checked(value, parameter, place)
    sent = value["resourceType"] if member == "resource" else member.removeprefix("value")
    if sent == parameter.kind or (member == "resource" and parameter.kind == RESOURCE):
        return value
    raise Incorrect(f"The parameter `{parameter.name}` takes a {parameter.kind}.", expression=place)
