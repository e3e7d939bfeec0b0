"""Elements of a resource as places that can be read and changed, whatever JSON makes of them.

In JSON a primitive is two members, `birthDate` and `_birthDate`, a list of them two arrays of the same length, and a
choice is named by its type. Here each is one element, with the name that FHIR gives it.

*Source*: http://hl7.org/fhir/R4/json.html#primitive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from fhirtwin.fhir.tables import PRIMITIVES, RESOURCE_TYPES, TYPES, Member, members

Item = tuple[Any, Any]
"""The value of an element and, of a primitive, the object beside it with its id and extensions; None where absent."""


@cache
def named(kind: str) -> Mapping[str, Mapping[str, Member]]:
    """The elements of a type by name: for each, the JSON members it may be, by their names.

    Args:
        kind: a datatype, resource type, primitive type, or path of a nested element.
    """
    found: dict[str, dict[str, Member]] = {}
    owner = "Element" if kind in PRIMITIVES else kind
    for name, member in members(owner).items() if owner in TYPES else ():
        found.setdefault(member.element, {})[name] = member
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element of a resource.

    Attributes:
        parent: the element that it is a child of; None for the resource itself.
        member: the JSON member that it is, or is in: `birthDate`, `valueQuantity`, `given`.
        index: its position, where the member is an array.
        kind: its type.
        item: what is there.
    """

    parent: Element | None
    member: str
    index: int | None
    kind: str
    item: Item

    @property
    def value(self) -> Any:
        """The primitive's value, or the object; None for a primitive with extensions alone."""
        return self.item[0]

    @property
    def children(self) -> Mapping[str, Any]:
        """The object that has this element's children."""
        found = self.item[1] if self.kind in PRIMITIVES else self.item[0]
        return found if isinstance(found, dict) else {}

    @property
    def definition(self) -> Member | None:
        """What R4 says of it; None for the resource itself."""
        return members(self.parent._table)[self.member] if self.parent else None

    def all(self, name: str) -> Iterator[Element]:
        """Its children of this name, in order."""
        for json, member in named(self.kind).get(name, {}).items():
            for index, item in enumerate(items(self.children, json)):
                kind = _nested(item) if member.kind == "Resource" else member.kind
                yield Element(self, json, index if member.many else None, kind, item)

    def write(self, name: str, there: list[Item]) -> None:
        """Let these be what the JSON member `name` of this element holds.

        What is left empty goes with it: FHIR knows no empty objects and arrays.
        """
        owner = self._object()
        many = members(self._table)[name].many
        for key, values in ((name, [item[0] for item in there]), (f"_{name}", [item[1] for item in there])):
            if all(value is None for value in values):
                owner.pop(key, None)
            else:
                owner[key] = values if many else values[0]
        if not owner and self.parent:
            self._vanish(self.parent)

    @property
    def _table(self) -> str:
        return "Element" if self.kind in PRIMITIVES else self.kind

    def _object(self) -> dict[str, Any]:
        """The object that has the children; beside a primitive it may have to be made."""
        if self.children or self.kind not in PRIMITIVES or not self.parent:
            return cast("dict[str, Any]", self.children)
        made: dict[str, Any] = {}
        self.parent.write(self.member, self._among((self.value, made)))
        return made

    def _vanish(self, parent: Element) -> None:
        left = (self.value, None) if self.kind in PRIMITIVES and self.value is not None else None
        parent.write(self.member, self._among(left))

    def _among(self, item: Item | None) -> list[Item]:
        """What its member holds when this element is `item` there, or is gone."""
        there = items(self.parent.children, self.member) if self.parent else []
        position = self.index or 0
        there[position : position + 1] = [item] if item else []
        return there


def items(owner: Mapping[str, Any], name: str) -> list[Item]:
    """What the JSON member `name` of an object holds, with what `_name` does."""
    values, beside = _listed(owner.get(name)), _listed(owner.get(f"_{name}"))
    length = max(len(values), len(beside))
    filled = [(*values, *[None] * (length - len(values))), (*beside, *[None] * (length - len(beside)))]
    return list(zip(*filled, strict=True))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _nested(item: Item) -> str:
    kind = item[0].get("resourceType") if isinstance(item[0], dict) else None
    return kind if isinstance(kind, str) and kind in RESOURCE_TYPES else "Resource"
