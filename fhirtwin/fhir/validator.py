"""Judges a resource of any R4 type: structure, formats, choices, references, codes of required bindings, invariants.

At import the table of R4 becomes one small function for each type (a closure over its members), so that judging
costs a dictionary look-up and a call for each member. A check answers None when all is well, else its findings, with
places relative to the value; each level puts its own name in front, so a place is spelled only when something is wrong.

Invariants look at a whole object, and only when its members are right.

*Source*: http://hl7.org/fhir/R4/json.html, http://hl7.org/fhir/R4/validation.html (structure, cardinality, value
domains).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.errors import Issue
from fhirtwin.fhir import bindings, contained, invariants, narrative, references
from fhirtwin.fhir.invariants.rules import Holds
from fhirtwin.fhir.primitives import CHECKS as PRIMITIVE_CHECKS
from fhirtwin.fhir.primitives import Check, Finding, Findings
from fhirtwin.fhir.tables import RESOURCE_TYPES, TYPES, Member, lineage, members

__all__ = ["MAX_ISSUES", "RESOURCE_TYPES", "is_resource_type", "validate"]

MAX_ISSUES: Final = 100
"""Most issues told of one resource. Judging stops soon after, so a body full of mistakes costs no more than another."""

_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")

_EMPTY: Final[Finding] = ("", "invariant", "An element must have a value or children besides its id (ele-1).")


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
        return element(value, owner) or ([_EMPTY] if value.keys() == {"id"} and name not in owner else None)

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
        (f"[{number}]", *_EMPTY[1:])
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


def _unknown(name: str) -> list[Finding]:
    if _NAME.fullmatch(name):
        return [(name, "structure", "FHIR R4 has no such element here.")]
    return [("", "structure", "A member's name here is not the name of an element of FHIR R4.")]


class _Shape:
    """What an object of one type must look like: filled once, read by its check."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.labels: dict[str, str] = {}
        self.choices: dict[str, str] = {}
        self.required: dict[str, set[str]] = {}

    def add(self, name: str, member: Member, value: Check, beside: Check | None) -> None:
        """Admit a member, and `_name` where it is primitive."""
        names = [name]
        self.checks[name] = value
        if beside is not None:
            names.append(f"_{name}")
            self.checks[f"_{name}"] = beside
        for each in names:
            self.labels[each] = member.element
            if member.choice:
                self.choices[each] = member.element
        if member.low:
            self.required.setdefault(member.element, set()).update(names)

    def missing(self, value: Mapping[str, Any]) -> list[Finding]:
        """Tell the elements that must be there and are not."""
        return [
            (element, "required", "This element is required.")
            for element, names in self.required.items()
            if names.isdisjoint(value)
        ]

    def ambiguous(self, value: Mapping[str, Any]) -> list[Finding]:
        """Tell the choices of which more than one member is there."""
        there: dict[str, set[str]] = {}
        for name in value:
            if name in self.choices:
                there.setdefault(self.choices[name], set()).add(name.removeprefix("_"))
        return [
            (element, "structure", f"Only one of {', '.join(sorted(names))} may be given.")
            for element, names in there.items()
            if len(names) > 1
        ]


def _object(shape: _Shape, kind: str) -> Check:
    find = shape.checks.get
    rules = invariants.of(kind)
    # An Element on its own stands only beside a primitive, which is its value.
    is_element = lineage(kind)[0] == "Element" and kind != "Element"
    choices, required = shape.choices, shape.required

    def check(value: Any, _: Mapping[str, Any]) -> Findings:
        if type(value) is not dict or not value:
            return _no_object(value)
        findings: list[Finding] = []
        for name, item in value.items():
            one = find(name)
            if one is None:
                findings += _unknown(name)
            else:
                found = one(item, value)
                if not found:
                    continue
                findings += _at(shape.labels[name], found)
            if len(findings) > MAX_ISSUES:
                break
        for names in required.values():
            if names.isdisjoint(value):
                findings += shape.missing(value)
                break
        if choices and sum(map(choices.__contains__, value)) > 1:
            findings += shape.ambiguous(value)
        if not findings:
            if is_element and len(value) == 1 and "id" in value:
                return [_EMPTY]
            return _broken(rules, value) if rules else None
        return findings

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
    """Check a Reference, and note when it is local; of most resources then nothing is left to look for."""

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        text = value.get("reference") if type(value) is dict else None
        if type(text) is str and text.startswith("#"):
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


def _any_resource_type(_: Any, __: Mapping[str, Any]) -> Findings:
    return None  # `_resource` came here by it, so it is right


def _compile() -> dict[str, Check]:
    """Make the check of every type. Shapes come first, empty, because types contain each other in circles."""
    shapes = {name: _Shape() for name in TYPES}
    checks: dict[str, Check] = {name: _object(shape, name) for name, shape in shapes.items() if name != "Resource"}
    checks["Resource"] = _resource
    checks["Reference"] = _noting_local(checks["Reference"])
    for name, shape in shapes.items():
        for member_name, member in members(name).items():
            shape.add(member_name, member, *_member_checks(member_name, member, checks))
        if name in RESOURCE_TYPES:
            shape.checks["resourceType"] = _any_resource_type
    return checks


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


_CHECKS: Final = _compile()
