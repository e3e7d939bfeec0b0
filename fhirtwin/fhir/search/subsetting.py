"""Parts of resources: what `_summary` and `_elements` leave of one, with the tag that says that something is missing.

*Source*: http://hl7.org/fhir/R4/search.html#summary, http://hl7.org/fhir/R4/search.html#elements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from fhirtwin.fhir.search.query import Summary
from fhirtwin.fhir.search.subsets import SUMMARY
from fhirtwin.fhir.tables import Member, members

SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
_ALWAYS: Final = frozenset({"id", "meta", "implicitRules", "modifierExtension"})
"""Identity, and what may change the meaning of everything else."""


def summarized(resource: Mapping[str, Any], summary: Summary) -> dict[str, Any]:
    """Give what a summary leaves of a resource; mandatory elements stay, so that it is still valid.

    Args:
        resource: a valid resource.
        summary: `true`, `text` or `data`.
    """
    match summary:
        case "true":
            return _tagged(_summary(resource, resource["resourceType"]))
        case "text":
            return only(resource, {"text"})
        case _:
            return _tagged({name: value for name, value in resource.items() if name not in ("text", "_text")})


def only(resource: Mapping[str, Any], elements: Collection[str]) -> dict[str, Any]:
    """Give the named elements of a resource, and those that are mandatory or may change its meaning.

    Args:
        resource: a valid resource.
        elements: names of elements right below it; a choice goes by its name without the type (`value`).
    """
    type_ = resource["resourceType"]
    return _tagged(_kept(resource, type_, lambda member: member.element in elements or member.element in _ALWAYS))


def _summary(value: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The summary of a resource, or of a nested element that R4 has a summary of; datatypes stay whole."""
    names = SUMMARY[kind]
    kept = _kept(value, kind, lambda member: member.element in names)
    known = members(kind)
    return {name: _inner(item, known[name].kind) if name in known else item for name, item in kept.items()}


def _inner(value: Any, kind: str) -> Any:
    if kind not in SUMMARY or "." not in kind:
        return value
    return [_summary(one, kind) for one in value] if isinstance(value, list) else _summary(value, kind)


def _kept(value: Mapping[str, Any], kind: str, keep: Callable[[Member], bool]) -> dict[str, Any]:
    known = members(kind)
    kept = {}
    for name, item in value.items():
        member = known.get(name.removeprefix("_"))
        if name == "resourceType" or (member and (member.low or keep(member))):
            kept[name] = item
    return kept


def _tagged(resource: dict[str, Any]) -> dict[str, Any]:
    meta = resource.get("meta", {})
    resource["meta"] = {**meta, "tag": [*meta.get("tag", ()), SUBSETTED]}
    return resource
