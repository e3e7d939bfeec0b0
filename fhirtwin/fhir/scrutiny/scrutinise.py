"""Joins the judgements of `$validate` on one resource and on those within it.

*Source*: http://hl7.org/fhir/R4/validation.html, http://hl7.org/fhir/R4/resource-operation-validate.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fhirtwin.errors import Issue, Unsupported
from fhirtwin.fhir import questionnaires
from fhirtwin.fhir.budget import Budget, TooMuch
from fhirtwin.fhir.profiles import Known
from fhirtwin.fhir.profiles.items import Item, Visit, of_resource, walk
from fhirtwin.fhir.profiles.judging import judge_item
from fhirtwin.fhir.profiles.known import R4, VITAL_SIGNS
from fhirtwin.fhir.scrutiny import bundles, codings, definitions, extensions, ids, links
from fhirtwin.fhir.tables import RESOURCE_TYPES, lineage
from fhirtwin.fhir.terminology import value_sets

MAX_ISSUES: Final = 200
MAX_SECONDS: Final = 10.0
"""Processor time of one `$validate`."""
MAX_STEPS: Final = 2_000_000

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
    closer = _Closer(resource, known, unknown_extensions, Budget(MAX_SECONDS, MAX_STEPS))
    found = list(dict.fromkeys(closer.issues(asked)))
    found.sort(key=lambda issue: ("error", "warning", "information").index(issue.severity))
    if len(found) > MAX_ISSUES:
        more = Issue("incomplete", "There are more issues than listed.", severity="information")
        return [*found[:MAX_ISSUES], more]
    return found


class _Closer:
    """One run over a resource and all that is in it."""

    def __init__(self, resource: Json, known: Known, unknown_extensions: str, budget: Budget) -> None:
        self._whole = resource
        self._known = known
        self._unknown_extensions = unknown_extensions
        self._budget = budget
        self._ids: ids.Taken = set()

    def issues(self, asked: Iterable[str]) -> Iterator[Issue]:
        root = of_resource(self._whole, str(self._whole["resourceType"]))
        try:
            for canonical in asked:
                yield from self._by_profile(root, canonical)
            for visit in walk(root):
                self._budget.spend()
                yield from self._one(visit)
        except TooMuch:
            text = "To judge this resource takes longer than it may; it was not judged whole."
            yield Issue("too-costly", text, (root.place,))

    def _one(self, visit: Visit) -> Iterator[Issue]:
        item = visit.item
        if item.kind in RESOURCE_TYPES:
            yield from self._resource(item)
            return
        yield from ids.judge(visit, self._ids)
        if item.kind == "Extension" and visit.owner is not None:
            where = extensions.Where(visit, visit.owner, self._whole)
            yield from extensions.judge(where, self._known, self._unknown_extensions, self._budget)
        elif item.kind == "Coding":
            yield from codings.judge(item, self._known, self._whole.get("language", ""))

    def _resource(self, item: Item) -> Iterator[Issue]:
        resource: Json = item.value
        for canonical in dict.fromkeys((*resource.get("meta", {}).get("profile", ()), *_implied(resource))):
            yield from self._by_profile(item, canonical)
        if not _is_contained(item) and "DomainResource" in lineage(item.kind) and "div" not in resource.get("text", ()):
            text = "A resource should have narrative for people to read (dom-6)."
            yield Issue("invariant", text, (item.place,), severity="warning")
        yield from links.judge(item)
        yield from ids.judge_contained(item)
        if item.kind == "Bundle":
            yield from bundles.judge(item)
        if item.kind == "StructureDefinition":
            yield from definitions.judge(item)
        if item.kind == "QuestionnaireResponse":
            yield from self._answers(item)

    def _by_profile(self, item: Item, canonical: str) -> Iterator[Issue]:
        try:
            there = canonical.startswith(R4) or self._known.profile(canonical) is not None
        except Unsupported as error:
            yield Issue("not-supported", str(error), (f"{item.place}.meta.profile",), severity="information")
            return
        if there:
            yield from judge_item(item, canonical, self._known, self._whole, self._budget)
        else:
            text = f"The profile {canonical} is not known here; the resource was not judged by it."
            yield Issue("not-found", text, (f"{item.place}.meta.profile",), severity="information")

    def _answers(self, item: Item) -> Iterator[Issue]:
        if value_sets.is_value_set(item.value.get("questionnaire", "").partition("|")[0]):
            text = "Expected the canonical URL of a Questionnaire; this is a ValueSet's."
            yield Issue("value", text, (f"{item.place}.questionnaire",))
        for issue in questionnaires.judge(item.value, self._known.resource, self._budget):
            places = tuple(item.place + place.removeprefix(item.kind) for place in issue.expression)
            yield Issue(issue.code, issue.text, places, issue.severity)


def _is_contained(item: Item) -> bool:
    return item.place.rpartition(".")[2].startswith("contained[")


def _implied(resource: Json) -> Iterator[str]:
    if resource["resourceType"] == "Observation":
        for coding in resource["code"].get("coding", ()):
            name = VITAL_SIGNS.get(coding.get("code", ""))
            if name and coding.get("system") == "http://loinc.org":
                yield R4 + name
