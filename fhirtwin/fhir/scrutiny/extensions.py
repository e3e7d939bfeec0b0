"""Extensions judged by their definitions: what they hold, and where they may stand.

R4 does not let anybody refuse a resource for an extension that is not known, so that is told as information unless
the operator wants it stricter; of a `modifierExtension` at least as a warning, since it may turn the meaning of what it
stands in.

*Source*: http://hl7.org/fhir/R4/extensibility.html, http://hl7.org/fhir/R4/defining-extensions.html#context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from fhirtwin.errors import Issue, Unsupported
from fhirtwin.fhir.budget import Budget
from fhirtwin.fhir.profiles import Known
from fhirtwin.fhir.profiles.items import Item, Visit
from fhirtwin.fhir.profiles.judging import judge_item
from fhirtwin.fhir.tables import RESOURCE_TYPES, TYPES, lineage

_WIDER: Final = {"http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type": "ElementDefinition.type"}
"""Places where R4's own definitions have an extension, though its context names another."""


class Where(NamedTuple):
    """An extension, what it stands in, and the resource that all is in."""

    visit: Visit
    owner: Visit
    container: Mapping[str, Any]


def judge(where: Where, known: Known, unknown: str, budget: Budget) -> Iterator[Issue]:
    """Judge one extension.

    Args:
        where: the extension.
        known: the definitions at hand.
        unknown: severity of an extension whose definition is not known.
        budget: what the judgement may cost.
    """
    visit, owner = where.visit, where.owner
    item = visit.item
    url = item.value["url"]
    if owner.item.kind == "Extension" and ":" not in url:
        return  # a part of a complex extension, judged with that
    if ":" not in url:
        yield Issue(
            "value", "Expected an absolute URL; only a part of an extension has a name.", (f"{item.place}.url",)
        )
        return
    if "|" in url:
        yield Issue("value", "Expected the URL of an extension without a version.", (f"{item.place}.url",))
        return
    modifies = visit.path.endswith(".modifierExtension")
    try:
        profile = known.profile(url)
    except Unsupported as error:
        yield Issue("not-supported", str(error), (item.place,), severity="information")
        return
    if profile is None:
        yield _unknown(item, unknown, modifies=modifies)
        return
    yield from judge_item(item, url, known, where.container, budget)
    contexts = (*profile.context, ("element", _WIDER.get(url, "")))
    if profile.context and not any(_may_stand(kind, path, owner) for kind, path in contexts):
        expected = " or ".join(path for _, path in profile.context)
        yield Issue("structure", f"Expected this extension on {expected} only. ({url})", (item.place,))


def _unknown(item: Item, severity: str, *, modifies: bool) -> Issue:
    text = "The definition of this extension is not known here; its content was not checked."
    if modifies:
        text = "This modifier extension is not known here; it may change the meaning of what it stands in."
        severity = "error" if severity == "error" else "warning"
    return Issue("not-supported", text, (item.place,), severity=severity)


def _may_stand(kind: str, path: str, owner: Visit) -> bool:
    item = owner.item
    if kind == "extension":
        return item.kind == "Extension" and item.value["url"] == path
    if kind != "element":
        return True  # FHIRPath about the owner: not told to be wrong
    if path in ("Element", "Any", "*"):
        return True
    if "." not in path:
        return item.kind == path or (item.kind in TYPES and path in lineage(item.kind))
    return path == _whole_path(owner) or path.removesuffix("[x]") in (owner.path, item.kind)


def _whole_path(visit: Visit) -> str:
    """The path from the resource that a value is in, through its datatypes: `Patient.contact.name.family`."""
    if visit.item.kind in RESOURCE_TYPES or visit.owner is None:
        return visit.path
    return f"{_whole_path(visit.owner)}.{visit.path.rpartition('.')[2]}"
