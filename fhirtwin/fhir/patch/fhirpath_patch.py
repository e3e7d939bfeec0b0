"""FHIRPath Patch: operations on the elements of a resource, told in a Parameters resource, all of them or none.

*Source*: http://hl7.org/fhir/R4/fhirpatch.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.errors import FhirtwinError, Incorrect, Issue, TooLarge
from fhirtwin.fhir.patch import element_path
from fhirtwin.fhir.patch.element_path import Path
from fhirtwin.fhir.patch.elements import Element, Item, items, named
from fhirtwin.fhir.patch.patching import MAX_OPERATIONS, DoesNotApply, Work
from fhirtwin.fhir.tables import PRIMITIVES, TYPES, Member, lineage

_PARTS: Final[Mapping[str, frozenset[str]]] = {
    "add": frozenset({"path", "name", "value"}),
    "insert": frozenset({"path", "index", "value"}),
    "delete": frozenset({"path"}),
    "replace": frozenset({"path", "value"}),
    "move": frozenset({"path", "source", "destination"}),
}
"""What each operation takes, besides its `type`: all of it, and nothing else."""

_NUMBERS: Final[tuple[str, ...]] = ("index", "source", "destination")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        number: position of its parameter.
        name: of `add`: the name of the new element.
        value: the part that holds the value; empty where the operation takes none.
        numbers: `index`, `source` and `destination`, where the operation takes them.
    """

    number: int
    type: str
    path: str
    name: str
    value: Mapping[str, Any]
    numbers: Mapping[str, int]


def parse(parameters: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Read a valid Parameters resource.

    Raises:
        Incorrect: it is no FHIRPath Patch; the expression names the parameter.
        TooLarge: more operations than one patch may have.
    """
    sent = parameters.get("parameter", ())
    if len(sent) > MAX_OPERATIONS:
        raise TooLarge(f"A patch may have at most {MAX_OPERATIONS} operations.")
    return tuple(_operation(number, one) for number, one in enumerate(sent))


def apply(operations: Iterable[Operation], resource: dict[str, Any]) -> dict[str, Any]:
    """Apply a patch.

    Args:
        operations: what `parse` gave.
        resource: a valid resource; it is changed.

    Returns:
        The resource as it is then; whether it is valid is for the validator to say.

    Raises:
        Incorrect: a path that cannot be read, or a value that cannot be where it should go.
        DoesNotApply: the elements that a path means are not there, or not as the operation needs them.
        TooLarge: the patch asks for too much work.
    """
    work = Work()
    for operation in operations:
        try:
            _one(operation, resource, work)
        except FhirtwinError as error:
            issue = Issue(error.code, str(error), (_place(operation.number),))
            raise type(error)(str(error), issues=[issue]) from None
    return resource


def _place(number: int) -> str:
    return f"Parameters.parameter[{number}]"


def _operation(number: int, sent: Mapping[str, Any]) -> Operation:
    place = _place(number)
    if sent["name"] != "operation":
        raise Incorrect("Each parameter of a FHIRPath Patch is named `operation`.", expression=place)
    parts: dict[str, Mapping[str, Any]] = {}
    for part in sent.get("part", ()):
        if part["name"] in parts:
            raise Incorrect("Each part of an operation may be given once.", expression=place)
        parts[part["name"]] = part
    type_ = str(parts.pop("type", {}).get("valueCode", ""))
    if type_ not in _PARTS:
        raise Incorrect(f"An operation needs a type: valueCode {', '.join(_PARTS)}.", expression=place)
    if parts.keys() != _PARTS[type_]:
        raise Incorrect(f"{type_} takes these parts: type, {', '.join(sorted(_PARTS[type_]))}.", expression=place)
    path = _given(parts, "path", "valueString", str, place)
    name = _given(parts, "name", "valueString", str, place) if "name" in parts else ""
    numbers = {one: _given(parts, one, "valueInteger", int, place) for one in _NUMBERS if one in parts}
    return Operation(number, type_, path, name, parts.get("value", {}), numbers)


def _given(parts: Mapping[str, Mapping[str, Any]], name: str, member: str, kind: type, place: str) -> Any:
    value = parts[name].get(member)
    if not isinstance(value, kind) or (isinstance(value, int) and value < 0):
        raise Incorrect(f"The part `{name}` needs a {member}, of numbers one from 0.", expression=place)
    return value


def _one(operation: Operation, resource: dict[str, Any], work: Work) -> None:
    root = Element(None, "", None, resource["resourceType"], (resource, None))
    path = element_path.parse(operation.path, root.kind)
    match operation.type:
        case "add":
            _add(operation, _only(path.elements(root, work)), work)
        case "delete":
            found = path.elements(root, work)
            if found:
                _put_back(_only(found), None, work)
        case "replace":
            _replace(operation, _only(path.elements(root, work)), work)
        case _:
            _reorder(operation, path, root, work)


def _only(found: list[Element]) -> Element:
    if not found:
        raise DoesNotApply("The path leads to nothing in this resource.")
    if len(found) > 1:
        raise DoesNotApply("The path leads to several elements; it must lead to one.")
    return found[0]


def _add(operation: Operation, owner: Element, work: Work) -> None:
    name, member, item = _made(operation, owner, operation.name, work)
    taken = [json for json in named(owner.kind)[member.element] if items(owner.children, json)]
    if taken and not member.many:
        raise DoesNotApply("There is such an element already, and there may be one only: replace it.")
    owner.write(name, [*_listed(owner, name, work), item])


def _replace(operation: Operation, element: Element, work: Work) -> None:
    owner, definition = element.parent, element.definition
    if owner is None or definition is None:
        raise Incorrect("A resource cannot be replaced by a patch; update it.")
    name, _, item = _made(operation, owner, definition.element, work)
    if name == element.member:
        _put_back(element, item, work)
    else:  # a choice: its other type goes by another member
        owner.write(name, [item])
        owner.write(element.member, [])


def _put_back(element: Element, item: Item | None, work: Work) -> None:
    """Let `item` stand where the element stands, or nothing."""
    owner = element.parent
    if owner is None:
        raise Incorrect("A resource cannot be deleted by a patch; delete it.")
    there = _listed(owner, element.member, work)
    position = element.index or 0
    there[position : position + 1] = [] if item is None else [item]
    owner.write(element.member, there)


def _reorder(operation: Operation, path: Path, root: Element, work: Work) -> None:
    """Insert into a list, or move within it."""
    if not path.list_name:
        raise Incorrect(f"The path of {operation.type} must name a list: it must end in the name of an element.")
    owner = _only(path.owners(root, work))
    choices = named(owner.kind).get(path.list_name, {})
    name, member = next(iter(choices.items()), ("", None))
    if member is None or not member.many:
        raise Incorrect(f"The path of {operation.type} must name a list; what it names has no list.")
    there = _listed(owner, name, work)
    numbers = operation.numbers
    if operation.type == "insert":
        if numbers["index"] > len(there):
            raise DoesNotApply("The list is shorter than `index`.")
        there.insert(numbers["index"], _made(operation, owner, path.list_name, work)[2])
    else:
        if max(numbers["source"], numbers["destination"]) >= len(there):
            raise DoesNotApply("The list has no item at `source` or at `destination`.")
        there.insert(numbers["destination"], there.pop(numbers["source"]))
    owner.write(name, there)


def _listed(owner: Element, name: str, work: Work) -> list[Item]:
    """What a JSON member holds, to be written again: cheap for each item, but a list may have very many."""
    there = items(owner.children, name)
    work.spend(len(there) // 8)
    return there


# ---- values --------------------------------------------------------------------------------------------------------


def _made(operation: Operation, owner: Element, name: str, work: Work) -> tuple[str, Member, Item]:
    """The JSON member that an element of this name is in, and the value of the operation as an item of it."""
    work.weigh(operation.value, 1)
    return _placed(owner.kind, name, operation.value)


def _placed(kind: str, name: str, part: Mapping[str, Any]) -> tuple[str, Member, Item]:
    choices = named(kind).get(name.removesuffix("[x]"), {})
    if not choices:
        raise Incorrect("FHIR R4 has no element of this name here.")
    if "part" in part:
        json, member = next(iter(choices.items()))
        if member.choice or member.kind in PRIMITIVES:
            raise Incorrect("Only an element without a datatype of its own takes its value in parts.")
        return json, member, (_assembled(member.kind, part["part"]), None)
    given, item = _value(part)
    for json, member in choices.items():
        if _fits(given, member):
            return json, member, item
    raise Incorrect("This element does not take a value of this type.")


def _value(part: Mapping[str, Any]) -> tuple[str, Item]:
    """The type of a part's value, and the value."""
    if "resource" in part:
        return "Resource", (part["resource"], None)
    for name in part:
        if name.lstrip("_").startswith("value"):
            member = name.lstrip("_")
            label = member.removeprefix("value")
            kind = label if label in TYPES else label[0].lower() + label[1:]
            return kind, (part.get(member), part.get(f"_{member}"))
    raise Incorrect("The part `value` needs a value, a resource, or parts.")


def _fits(given: str, member: Member) -> bool:
    """Whether a value of this type may be tried here; the validator has the last word on primitives."""
    wanted = member.kind
    if given == wanted:
        return True
    if given in PRIMITIVES or wanted in PRIMITIVES:
        return given in PRIMITIVES and wanted in PRIMITIVES and not member.choice
    if given not in TYPES or wanted not in TYPES or member.choice:
        return wanted == "SimpleQuantity" and given == "Quantity"
    return wanted in lineage(given) or given in lineage(wanted)


def _assembled(kind: str, parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """An element without a datatype of its own, from the parts that stand for its children."""
    made = Element(None, "", None, kind, ({}, None))
    for part in parts:
        json, member, item = _placed(kind, part["name"], part)
        there = items(made.children, json)
        if there and not member.many:
            raise Incorrect("A part of the value stands twice, and there may be one only.")
        made.write(json, [*there, item])
    return dict(made.children)
