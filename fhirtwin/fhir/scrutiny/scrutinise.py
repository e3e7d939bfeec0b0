"""Joins the judgements of `$validate` on one resource and on those within it.

*Source*: http://hl7.org/fhir/R4/validation.html, http://hl7.org/fhir/R4/resource-operation-validate.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fhirtwin.errors import Issue, Unsupported
from fhirtwin.fhir import profiles, questionnaires, value_sets
from fhirtwin.fhir.profiles import Known
from fhirtwin.fhir.profiles.items import Item, of_resource, walk
from fhirtwin.fhir.profiles.known import R4, VITAL_SIGNS
from fhirtwin.fhir.scrutiny import bundles, codings, definitions, extensions, links
from fhirtwin.fhir.tables import RESOURCE_TYPES, lineage

MAX_ISSUES: Final = 200

Json = Mapping[str, Any]


def scrutinise(
    resource: Json, known: Known, asked: Iterable[str] = (), *, unknown_extensions: str = "information"
) -> list[Issue]:
    """Judge a resource that is valid R4 more closely.

    Args:
        resource: as `fhirtwin.fhir.codec.decode` gives it.
        known: the profiles, value sets and code systems at hand.
        asked: canonical URLs of profiles that it shall conform to, besides those that it claims.
        unknown_extensions: how severe it is that the definition of an extension is not known.

    Returns:
        The issues, errors first; at most `MAX_ISSUES` and one that says there are more.
    """
    found = list(dict.fromkeys(_issues(resource, known, asked, unknown_extensions)))
    found.sort(key=lambda issue: ("error", "warning", "information").index(issue.severity))
    if len(found) > MAX_ISSUES:
        more = Issue("incomplete", "There are more issues than listed.", severity="information")
        return [*found[:MAX_ISSUES], more]
    return found


def _issues(resource: Json, known: Known, asked: Iterable[str], unknown_extensions: str) -> Iterator[Issue]:
    root = of_resource(resource, str(resource["resourceType"]))
    for canonical in asked:
        yield from _by_profile(root, canonical, known, resource)
    for visit in walk(root):
        item = visit.item
        if item.kind in RESOURCE_TYPES:
            yield from _resource(item, known, resource, contained=_is_contained(item))
        elif item.kind == "Extension" and visit.owner is not None:
            yield from extensions.judge(visit, visit.owner, known, resource, unknown_extensions)
        elif item.kind == "Coding":
            yield from codings.judge(item, known, resource.get("language", ""))


def _is_contained(item: Item) -> bool:
    return item.place.rpartition(".")[2].startswith("contained[")


def _resource(item: Item, known: Known, container: Json, *, contained: bool) -> Iterator[Issue]:
    resource: Json = item.value
    for canonical in dict.fromkeys((*resource.get("meta", {}).get("profile", ()), *_implied(resource))):
        yield from _by_profile(item, canonical, known, container)
    if not contained and "DomainResource" in lineage(item.kind) and "div" not in resource.get("text", ()):
        text = "A resource should have narrative for people to read (dom-6)."
        yield Issue("invariant", text, (item.place,), severity="warning")
    yield from links.judge(item)
    if item.kind == "Bundle":
        yield from bundles.judge(item)
    if item.kind == "StructureDefinition":
        yield from definitions.judge(item)
    if item.kind == "QuestionnaireResponse":
        yield from _answers(item, known)


def _by_profile(item: Item, canonical: str, known: Known, container: Json) -> Iterator[Issue]:
    try:
        there = canonical.startswith(R4) or known.profile(canonical) is not None
    except Unsupported as error:
        yield Issue("not-supported", str(error), (f"{item.place}.meta.profile",), severity="information")
        return
    if there:
        yield from profiles.judge(item.value, canonical, known, place=item.place, container=container)
    else:
        text = f"The profile {canonical} is not known here; the resource was not judged by it."
        yield Issue("not-found", text, (f"{item.place}.meta.profile",), severity="information")


def _implied(resource: Json) -> Iterator[str]:
    if resource["resourceType"] == "Observation":
        for coding in resource["code"].get("coding", ()):
            name = VITAL_SIGNS.get(coding.get("code", ""))
            if name and coding.get("system") == "http://loinc.org":
                yield R4 + name


def _answers(item: Item, known: Known) -> Iterator[Issue]:
    if value_sets.is_value_set(item.value.get("questionnaire", "").partition("|")[0]):
        text = "Expected the canonical URL of a Questionnaire; this is a ValueSet's."
        yield Issue("value", text, (f"{item.place}.questionnaire",))
    for issue in questionnaires.judge(item.value, known.resource):
        places = tuple(item.place + place.removeprefix(item.kind) for place in issue.expression)
        yield Issue(issue.code, issue.text, places, issue.severity)
