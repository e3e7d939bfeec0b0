"""Parts of resources: what `_summary` and `_elements` leave of one, with the tag that says that something is missing.

*Source*: http://hl7.org/fhir/R4/search.html#summary, http://hl7.org/fhir/R4/search.html#elements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from fhirtwin.fhir import contained
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
    """Give what a summary leaves of a resource; mandatory elements stay, and what is contained and still referred to.

    Args:
        resource: a valid resource.
        summary: `true`, `text` or `data`.
    """
    match summary:
        case "true":
            return _tagged(_with_contained(_summary(resource, resource["resourceType"]), resource))
        case "text":
            return only(resource, {"text"})
        case _:
            return _tagged({name: value for name, value in resource.items() if name not in ("text", "_text")})


def only(resource: Mapping[str, Any], elements: Collection[str]) -> dict[str, Any]:
    """Give the named elements of a resource, and those that are mandatory or may change its meaning.

    What is contained comes with the elements that refer to it, and `contained` with all that do: neither may be without
    the other.

    Args:
        resource: a valid resource.
        elements: names of elements right below it; a choice goes by its name without the type (`value`).
    """
    type_ = resource["resourceType"]
    wanted = {*elements, *_ALWAYS}
    if "contained" in elements:
        known = members(type_)
        referring = (name for name, item in resource.items() if name in known and any(contained.local_texts(item)))
        wanted |= {known[name].element for name in referring}
    return _tagged(_with_contained(_kept(resource, type_, lambda member: member.element in wanted), resource))


def _with_contained(kept: dict[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a resource with what of the contained ones the part refers to."""
    kept.pop("contained", None)
    found = contained.reached({**kept, "contained": resource["contained"]}) if "contained" in resource else []
    return {**kept, "contained": found} if found else kept


def _summary(value: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The summary of a resource, or of a nested element that R4 has a summary of; datatypes stay whole."""
    names = SUMMARY[kind]
    kept = _kept(value, kind, lambda member: member.element in names)
    known = members(kind)
    found = {name: _inner(item, known[name]) if name in known else item for name, item in kept.items()}
    return {name: item for name, item in found.items() if item not in ({}, [])}


def _inner(value: Any, member: Member) -> Any:
    """The summary of what a member holds; empty where nothing is left of a nested element that need not be there."""
    if "." not in member.kind or member.kind not in SUMMARY:
        return value
    if isinstance(value, list):
        found = [_inner(one, member) for one in value]
        return [one for one in found if one]
    return _summary(value, member.kind) or (value if member.low else {})


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
