"""Values of a resource with what is known of them by the table of R4: their type, their place, their extensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from fhirtwin.fhir.tables import RESOURCE_TYPES, TYPES, Member, members


class Item(NamedTuple):
    """One value.

    Attributes:
        value: its JSON; None for a primitive of which only extensions are there.
        kind: its datatype, resource type, or the path of a nested element.
        place: where it is, for `expression`.
        beside: of a primitive, the object of its id and extensions.
    """

    value: Any
    kind: str
    place: str
    beside: Mapping[str, Any] = {}

    def children(self, name: str) -> list[Item]:
        """The values of an element: `code`, `value[x]` or `value` for whichever choice, `valueQuantity` for one."""
        if isinstance(self.value, dict):
            return list(_children(self.value, self.kind, self.place, name))
        if name == "value":  # a primitive's value is itself
            return [self]
        return list(_children(self.beside, "Element", self.place, name))


class Visit(NamedTuple):
    """One value met on a walk.

    Attributes:
        path: in the definitions: `Patient.birthDate`, `HumanName.family`; of a resource its type.
        owner: where the value stands; None for the one that the walk began with.
    """

    item: Item
    path: str
    owner: Visit | None


def walk(item: Item) -> Iterator[Visit]:
    """List a value and everything in it, resources within included, in order."""
    waiting = [Visit(item, item.kind, None)]
    while waiting:
        here = waiting.pop()
        yield here
        waiting += reversed(list(_inside(here)))


def _inside(visit: Visit) -> Iterator[Visit]:
    item = visit.item
    primitive = not isinstance(item.value, dict)
    kind = "Element" if primitive else item.kind
    present: Mapping[str, Any] = item.beside if primitive else item.value
    for name in dict.fromkeys(m.element for n, m in _members(kind) if n in present or f"_{n}" in present):
        for child in item.children(name):
            yield Visit(child, child.kind if child.kind in RESOURCE_TYPES else f"{kind}.{name}", visit)


def of_resource(resource: Mapping[str, Any], place: str) -> Item:
    """The item of a whole resource."""
    return Item(resource, resource["resourceType"], place)


def _children(owner: Mapping[str, Any], kind: str, place: str, name: str) -> Iterator[Item]:
    for member_name, member in _named(kind).get(name, ()):
        value, beside = owner.get(member_name), owner.get(f"_{member_name}")
        if value is None and beside is None:
            continue
        label = f"{place}.{member.element}"
        if not member.many:
            yield Item(value, _kind(value, member), label, beside or {})
            continue
        values, besides = value or [], beside or []
        for number in range(max(len(values), len(besides))):
            one = values[number] if number < len(values) else None
            extra = besides[number] if number < len(besides) else None
            yield Item(one, _kind(one, member), f"{label}[{number}]", extra or {})


def _kind(value: Any, member: Member) -> str:
    return str(value["resourceType"]) if member.kind == "Resource" else member.kind


@cache
def _members(kind: str) -> tuple[tuple[str, Member], ...]:
    return tuple(members(kind).items()) if kind in TYPES else ()


@cache
def _named(kind: str) -> Mapping[str, tuple[tuple[str, Member], ...]]:
    """The members of a type by every name that a path may call them."""
    found: dict[str, tuple[tuple[str, Member], ...]] = {}
    for member_name, member in _members(kind):
        names = {member_name, member.element}
        if member.choice:
            names.add(f"{member.element}[x]")
        for name in names:
            found[name] = (*found.get(name, ()), (member_name, member))
    return found
