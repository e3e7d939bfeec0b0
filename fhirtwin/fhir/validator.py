"""Judges a resource of any R4 type: structure, formats, choices, references, codes of required bindings, invariants.

At import the table of R4 becomes one small function for each type (a closure over its members), so that judging
costs a dictionary look-up and a call for each member. A check answers None when all is well, else its findings, with
places relative to the value; each level puts its own name in front, so a place is spelled only when something is wrong.

Invariants look at a whole object, and only when its members are right.

Nearly everything that comes is right, so that is found out first, and more quickly (`fhirtwin.fhir.quick`).

*Source*: http://hl7.org/fhir/R4/json.html, http://hl7.org/fhir/R4/validation.html (structure, cardinality, value
domains).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.errors import Issue
from fhirtwin.fhir import bindings, contained, narrative, references
from fhirtwin.fhir.invariants.rules import Holds
from fhirtwin.fhir.primitives import CHECKS as PRIMITIVE_CHECKS
from fhirtwin.fhir.primitives import MAX_ISSUES, Check, Finding, Findings
from fhirtwin.fhir.quick import Quick
from fhirtwin.fhir.shapes import EMPTY, Shape
from fhirtwin.fhir.tables import RESOURCE_TYPES, TYPES, Member, members

__all__ = ["MAX_ISSUES", "RESOURCE_TYPES", "is_resource_type", "validate"]


def is_resource_type(name: str) -> bool:
    """Tell whether `name` is a concrete resource type of R4 (case matters)."""
    return name in RESOURCE_TYPES


def validate(resource: Any, *, type: str | None = None, prefix: str | None = None) -> list[Issue]:  # noqa: A002 (FHIR's word)
    """Judge a resource as `fhirtwin.fhir.codec.decode` gives it (numbers are Decimal or int).

    Args:
        resource: any JSON value; what is no object is reported, not raised.
        type: the resource type that is expected here; None means any of R4.
        prefix: place of the resource for the expressions (`Bundle.entry[3].resource`); None means its own type.

    Returns:
        The issues, empty when all is right; at most `MAX_ISSUES` and one that says there are more. Texts say
        what was expected and never repeat a value.
    """
    if _is_right(resource, {}) and (type is None or resource["resourceType"] == type):
        return []
    findings = _resource(resource, {}) or []
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    known = isinstance(name, str) and name in RESOURCE_TYPES
    if type is not None and known and name != type:
        findings.append(("resourceType", "invalid", f"Expected a resource of type {type}."))
    root = prefix or (str(name) if known else type or "Resource")
    issues = [Issue(code, text, (_join(root, place),)) for place, code, text in findings[:MAX_ISSUES]]
    if len(findings) > MAX_ISSUES:
        issues.append(Issue("incomplete", "There are more problems than listed.", (root,), severity="information"))
    return issues


def _join(left: str, right: str) -> str:
    return f"{left}.{right}" if right and not right.startswith("[") else left + right


def _at(place: str, findings: list[Finding]) -> list[Finding]:
    return [(_join(place, inner), code, text) for inner, code, text in findings]


# ---- arrays and the `_name` members of primitives ------------------------------------------------------------------


def _no_array(value: Any) -> Findings:
    if isinstance(value, list):
        return [("", "structure", "An array must not be empty; leave the member out.")]
    return [("", "structure", "Expected an array.")]


def _array(one: Check, partner: str = "") -> Check:
    """Check every item; a null is right only where the array `partner` has something at the same position."""

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        if type(value) is not list or not value:
            return _no_array(value)
        findings: list[Finding] = []
        for number, item in enumerate(value):
            if item is None and partner and _item(owner.get(partner), number) is not None:
                continue
            found = one(item, owner)
            if found:
                findings += _at(f"[{number}]", found)
                if len(findings) > MAX_ISSUES:
                    break
        return findings or None

    return check


def _beside(name: str, element: Check) -> Check:
    """Check `_name`, which without the primitive `name` must have more than an id."""

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        return element(value, owner) or ([EMPTY] if value.keys() == {"id"} and name not in owner else None)

    return check


def _beside_array(name: str, element: Check) -> Check:
    """Check `_name`, whose items belong to the items of the array `name` at the same positions."""
    items = _array(element, partner=name)

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        values = owner.get(name)
        if isinstance(value, list) and isinstance(values, list) and len(values) != len(value):
            return [("", "structure", f"{name} and _{name} must be of the same length, filled up with null.")]
        return items(value, owner) or _without_value(value, values)

    return check


def _without_value(elements: list[Any], values: Any) -> Findings:
    return [
        (f"[{number}]", *EMPTY[1:])
        for number, element in enumerate(elements)
        if element is not None and element.keys() == {"id"} and _item(values, number) is None
    ] or None


def _item(values: Any, number: int) -> Any:
    return values[number] if isinstance(values, list) and number < len(values) else None


# ---- objects -------------------------------------------------------------------------------------------------------


def _no_object(value: Any) -> Findings:
    if isinstance(value, dict):
        return [("", "structure", "An object must not be empty; leave the member out.")]
    return [("", "structure", "Expected an object.")]


def _object(shape: Shape) -> Check:
    plans, plan = shape.plans, shape.plan

    def check(value: Any, _: Mapping[str, Any]) -> Findings:
        if type(value) is not dict or not value:
            return _no_object(value)
        names = tuple(value)
        checks, places, wrong, rules = plans.get(names) or plan(names)
        findings: Findings = None
        for one, item, place in zip(checks, value.values(), places):  # noqa: B905 (saying so costs a tenth of the time)
            found = one(item, value)
            if found:
                findings = [*(findings or ()), *_at(place, found)]
                if len(findings) > MAX_ISSUES:
                    break
        if findings or wrong:
            return [*(findings or ()), *wrong]
        return _broken(rules, value) if rules else None

    return check


def _broken(rules: tuple[tuple[Holds, Finding], ...], value: Mapping[str, Any]) -> Findings:
    findings: list[Finding] = []
    for holds, finding in rules:
        verdict = holds(value)
        if verdict is not True:
            findings += _at(verdict or "", [finding])
    return findings or None


# ---- references and resources --------------------------------------------------------------------------------------


def _reference(one: Check, targets: frozenset[str]) -> Check:
    """Check a Reference whose target types are restricted, as far as its text or its `type` tells the target."""
    expected = f"Expected a reference to {', '.join(sorted(targets))}."

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        findings = one(value, owner)
        if findings:
            return findings
        text = value.get("reference")
        if text is not None and text.partition("/")[0] not in targets:
            kind = references.parse(text).type
            if kind and kind not in targets:
                return [("reference", "value", expected)]
        stated = value.get("type")
        if stated is not None and stated in RESOURCE_TYPES and stated not in targets:
            return [("type", "value", expected)]
        return None

    return check


class _Seen(threading.local):
    """What this thread met on its way through the resource at hand: a reference to something contained."""

    local = False


_seen: Final = _Seen()


def _noting_local(one: Check) -> Check:
    """Check the text of a Reference, and note when it is local; of most resources then nothing is left to look for."""

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        if type(value) is str and value.startswith("#"):
            _seen.local = True
        return one(value, owner)

    return check


def _resource(value: Any, owner: Mapping[str, Any]) -> Findings:
    """Check a resource of whatever type it says it is."""
    if type(value) is not dict:
        return _no_object(value)
    name = value.get("resourceType")
    if type(name) is not str or name not in RESOURCE_TYPES:
        code = "required" if name is None else "value"
        return [("resourceType", code, "Expected resourceType to name a resource type of FHIR R4.")]
    if "resourceType" in owner:
        return _CHECKS[name](value, owner)  # a contained resource is judged further with the resource around it
    around, _seen.local = _seen.local, False
    findings = _CHECKS[name](value, owner)
    local, _seen.local = _seen.local, around
    return findings or (contained.judge(value) if local or "contained" in value else None)


def _is_right(value: Any, owner: Mapping[str, Any]) -> bool:
    """Whether a resource is right, told quickly; one of which it is not told may still be."""
    name = value.get("resourceType") if type(value) is dict else None
    quick = _QUICK.get(name) if type(name) is str and name in RESOURCE_TYPES else None
    if quick is None:
        return False
    if "resourceType" in owner:
        return quick.right(value)
    around, _seen.local = _seen.local, False
    right = quick.right(value)
    local, _seen.local = _seen.local, around
    return right and (contained.judge(value) is None if local or "contained" in value else True)


def _any_resource_type(_: Any, __: Mapping[str, Any]) -> Findings:
    return None  # `_resource` came here by it, so it is right


def _compile() -> tuple[dict[str, Check], dict[str, Quick]]:
    """Make the check of every type, and what is quicker.

    Shapes come first, empty, because types contain each other in circles.
    """
    shapes = {name: Shape(name) for name in TYPES}
    checks: dict[str, Check] = {name: _object(shape) for name, shape in shapes.items() if name != "Resource"}
    checks["Resource"] = _resource
    for name, shape in shapes.items():
        for member_name, member in members(name).items():
            shape.add(member_name, member, *_member_checks(member_name, member, checks))
        if name in RESOURCE_TYPES:
            shape.add_free("resourceType", _any_resource_type)
    text = members("Reference")["reference"]
    value, beside = _member_checks("reference", text, checks)
    shapes["Reference"].add("reference", text, _noting_local(value), beside)
    quick: dict[str, Quick] = {}
    for name, shape in shapes.items():
        if name != "Resource":
            quick[name] = Quick(shape, checks[name], quick, _is_right)
    return checks, quick


def _member_checks(name: str, member: Member, checks: Mapping[str, Check]) -> tuple[Check, Check | None]:
    primitive = PRIMITIVE_CHECKS.get(member.kind)
    if primitive is not None:
        if member.kind == "xhtml":
            primitive = narrative.check(primitive)
        if member.bound:
            primitive = bindings.code(primitive, member.bound)
        if member.many:
            return _array(primitive, partner=f"_{name}"), _beside_array(name, checks["Element"])
        return primitive, _beside(name, checks["Element"])
    one = checks[member.kind]
    if member.targets:
        one = _reference(one, member.targets)
    if member.bound:
        one = bindings.concept(one, member.bound)
    return (_array(one) if member.many else one), None


_CHECKS, _QUICK = _compile()
