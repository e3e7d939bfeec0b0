"""Judges contained resources and the references to them, which only the resource around them can tell.

*Source*: dom-2 to dom-5 of DomainResource and ref-1 of Reference, http://hl7.org/fhir/R4/references.html#contained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhirtwin.fhir import references
from fhirtwin.fhir.primitives import Finding, Findings


def judge(resource: dict[str, Any]) -> Findings:
    """Judge a resource that is right by itself and is not contained in another.

    Args:
        resource: of any type; resources in the entries of a Bundle or in Parameters are judged on their own.
    """
    contained = resource.get("contained")
    if contained is None:
        return _dangling(resource, frozenset())
    findings: list[Finding] = []
    named = frozenset(local_texts(resource))
    for number, one in enumerate(contained):
        meta = one.get("meta", {})
        # One that points back at its container with a bare # need not be pointed at.
        if f"#{one.get('id', '')}" not in named and "#" not in local_texts(one):
            findings.append(_finding(number, "Something in the resource must refer to it (dom-3)."))
        if "contained" in one:
            findings.append(_finding(number, "It must not contain resources itself (dom-2)."))
        if "versionId" in meta or "lastUpdated" in meta:
            findings.append(_finding(number, "It has no meta.versionId and no meta.lastUpdated (dom-4)."))
        if "security" in meta:
            findings.append(_finding(number, "It has no security labels of its own (dom-5)."))
    findings += _dangling(resource, frozenset(f"#{one['id']}" for one in contained if "id" in one)) or ()
    return findings or None


def reached(resource: Mapping[str, Any]) -> list[Any]:
    """Give those contained resources that something in the resource leads to, in their order.

    Args:
        resource: a valid resource, or a part of one with all that was contained in the whole.
    """
    contained: list[Any] = resource.get("contained", [])
    by_text = {f"#{one['id']}": one for one in contained if "id" in one}
    waiting: list[Any] = [{name: item for name, item in resource.items() if name != "contained"}]
    # One that points back at its container with a bare # need not be pointed at.
    waiting += [one for one in contained if "#" in local_texts(one)]
    found = {id(one) for one in waiting[1:]}
    while waiting:
        for text in local_texts(waiting.pop()):
            one = by_text.get(text)
            if one is not None and id(one) not in found:
                found.add(id(one))
                waiting.append(one)
    return [one for one in contained if id(one) in found]


def local_texts(value: Any) -> Iterator[str]:
    """List every text that may point at a contained resource: a reference or address that begins with `#`."""
    if isinstance(value, str):
        if value.startswith("#"):
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from local_texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from local_texts(item)


def _finding(number: int, text: str) -> Finding:
    return (f"contained[{number}]", "invariant", text)


def _dangling(resource: dict[str, Any], known: frozenset[str]) -> Findings:
    kind = resource["resourceType"]
    if kind in ("Bundle", "Parameters"):
        return None  # what they hold is judged on its own
    return [
        (place.partition(".")[2] + ".reference", "invariant", "Expected the id of a contained resource (ref-1).")
        for place, text in references.walk(resource)
        # A bare # means the container itself.
        if text.startswith("#") and text != "#" and text not in known
    ] or None
