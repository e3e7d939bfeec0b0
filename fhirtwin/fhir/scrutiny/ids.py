"""Ids within a resource: of elements without spaces, of contained resources each once.

*Source*: http://hl7.org/fhir/R4/element-definitions.html#Element.id,
http://hl7.org/fhir/R4/references.html#contained: contained resources share the id space of the one around them.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.errors import Issue
from fhirtwin.fhir.profiles.items import Item


def judge(item: Item) -> Iterator[Issue]:
    """Judge the id of an element, which is no resource."""
    owner = item.value if isinstance(item.value, dict) else item.beside
    id_ = owner.get("id")
    if isinstance(id_, str) and any(letter.isspace() for letter in id_):
        yield Issue("value", "Expected an id without spaces.", (f"{item.place}.id",))


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
