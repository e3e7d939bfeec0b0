"""A small profile check for our own profiles: cardinality, types of a choice, fixed values, patterns, slices.

It reads the snapshot alone, as any other reader of a profile would, and knows nothing of the code that writes twins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def faults(resource: Json, profile: Json) -> list[str]:
    """What of a resource is not as its profile says: one line a finding, with the id of the element."""
    elements = {e["id"]: e for e in profile["snapshot"]["element"]}
    return list(_children(resource, profile["type"], elements))


def _children(node: Json, id: str, elements: dict[str, Json]) -> Iterator[str]:  # noqa: A002 (FHIR's word)
    depth = id.count(".") + 1
    for name, element in elements.items():
        if not name.startswith(f"{id}.") or name.count(".") != depth:
            continue
        last = name.rpartition(".")[2]
        values = list(_slice(node, last, name, elements) if ":" in last else _values(node, last, element))
        most = element["max"]
        if len(values) < element["min"] or (most != "*" and len(values) > int(most)):
            yield f"{name}: {element['min']}..{most} expected, {len(values)} found"
        for value in values:
            yield from _value(value, name, element, elements)


def _values(node: Json, name: str, element: Json) -> Iterator[Any]:
    if name.endswith("[x]"):
        stem = name.removesuffix("[x]")
        known = {stem + t["code"][0].upper() + t["code"][1:] for t in element["type"]}
        for member, value in node.items():
            if member.startswith(stem) and member[len(stem) : len(stem) + 1].isupper():
                yield value if member in known else _WRONG_TYPE
        return
    value = node.get(name, [])
    yield from value if isinstance(value, list) else [value]


def _slice(node: Json, name: str, id: str, elements: dict[str, Json]) -> Iterator[Any]:  # noqa: A002 (FHIR's word)
    """Extension slices are told apart by their url."""
    url = elements[f"{id}.url"]["fixedUri"]
    yield from (e for e in node.get(name.partition(":")[0], []) if e.get("url") == url)


_WRONG_TYPE = object()


def _value(value: Any, id: str, element: Json, elements: dict[str, Json]) -> Iterator[str]:  # noqa: A002
    if value is _WRONG_TYPE:
        yield f"{id}: not one of {', '.join(t['code'] for t in element['type'])}"
    for member, wanted in element.items():
        if member.startswith("fixed") and value != wanted:
            yield f"{id}: must be {wanted}"
        if member.startswith("pattern") and not _fits(value, wanted):
            yield f"{id}: does not fit its pattern"
    codes = [t["code"] for t in element.get("type", [])]
    if isinstance(value, dict) and value.get("resourceType") and value["resourceType"] not in codes:
        yield f"{id}: not one of {', '.join(codes)}"
    if isinstance(value, dict) and value is not _WRONG_TYPE:
        yield from _children(value, id, elements)


def _fits(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(n in value and _fits(value[n], p) for n, p in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_fits(v, p) for v in value) for p in pattern)
    return bool(value == pattern)
