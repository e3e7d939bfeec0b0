"""Ids within a resource: of elements without spaces and each once, of contained resources each once.

*Source*: http://hl7.org/fhir/R4/element-definitions.html#Element.id,
http://hl7.org/fhir/R4/references.html#contained: contained resources share the id space of the one around them.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.errors import Issue
from fhirtwin.fhir.profiles.items import Item, Visit
from fhirtwin.fhir.tables import RESOURCE_TYPES

Taken = set[tuple[str, str]]
"""Places of resources and ids of elements in them that were met."""


def judge(visit: Visit, taken: Taken) -> Iterator[Issue]:
    """Judge the id of an element, which is no resource.

    A StructureDefinition says of each element twice what it is, under the same id; sdf-16 and sdf-17 judge those.
    """
    item = visit.item
    owner = item.value if isinstance(item.value, dict) else item.beside
    id_ = owner.get("id")
    if not isinstance(id_, str):
        return
    if any(letter.isspace() for letter in id_):
        yield Issue("value", "Expected an id without spaces.", (f"{item.place}.id",))
    around = _resource(visit)
    if around.kind != "StructureDefinition":
        if (around.place, id_) in taken:
            yield Issue("value", "Expected an id that no other element of the resource has.", (f"{item.place}.id",))
        taken.add((around.place, id_))


def _resource(visit: Visit) -> Item:
    while visit.owner is not None and visit.item.kind not in RESOURCE_TYPES:
        visit = visit.owner
    return visit.item


def judge_contained(item: Item) -> Iterator[Issue]:
    """Judge the ids of the resources that a resource contains: a reference leads to one of them."""
    taken: set[str] = set()
    for number, one in enumerate(item.value.get("contained", ())):
        id_ = one.get("id")
        if id_ in taken:
            text = "Expected an id that no other contained resource has."
            yield Issue("value", text, (f"{item.place}.contained[{number}].id",))
        if id_ is not None:
            taken.add(id_)
