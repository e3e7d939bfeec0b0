"""The prefetch of a CDS Hooks call: which resources it brought, and which lists it brought whole.

Five things that look alike are told apart: a key that is absent, a key that is `null` (the client looked and has
nothing), an empty Bundle, an OperationOutcome (the client's query failed) and a Bundle that holds only a part (it has
a `next` link, or a greater `total` than matches). Only the second and third say that there is nothing.

Source: https://cds-hooks.hl7.org/2.0/#providing-fhir-resources-to-a-cds-service
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhirtwin import timing
from fhirtwin.errors import Incorrect, Issue, Precondition
from fhirtwin.fhir import validator
from fhirtwin.intake import belonging, contradictions, wholeness
from fhirtwin.intake.belonging import Placed, is_outcome
from fhirtwin.intake.fetching import Fetch, Wanted
from fhirtwin.intake.sourcing import sourced
from fhirtwin.intake.templates import Template
from fhirtwin.twin.state import PatientKey, Source

__all__ = ["Prefetched", "Template", "read"]

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What a prefetch brought.

    Attributes:
        resources: every resource about the patient, the Patient included, with its identity.
        lists: resource types of which all the patient has was obtained.
        others: what is no patient's: a Practitioner, a Medication, an Appointment without a patient. None
            of them refers to another patient.
        left: keys that are not required and were not obtained, each with why as the end of a sentence. Nothing of them
            is in `resources`: half a list may lack the newest value.
    """

    resources: tuple[tuple[Source, Resource], ...]
    lists: frozenset[str]
    others: tuple[Resource, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)


def read(
    prefetch: Any,
    templates: Mapping[str, Template],
    patient: PatientKey,
    *,
    bases: Collection[str] = (),
    fetch: Fetch | None = None,
) -> Prefetched:
    """Read what a call brought for a service's templates; keys of no template are not looked at.

    Args:
        prefetch: the `prefetch` member of the call, or None when it has none.
        templates: the service's, by key.
        patient: whom the call is about.
        bases: FHIR base URLs, beside the patient's origin, that absolute references to this patient may start with.
        fetch: obtains what is absent, failed or holds only a part; None when there is nothing to obtain it from.

    Raises:
        Incorrect: the prefetch, or something in it, does not have the structure of FHIR.
        Precondition: required keys are absent, failed at the client or hold only a part, and could not be fetched;
            each is named, with why.
        Unprocessable: something is another patient's, cannot be shown to be this patient's, or stands twice with
            different content.
    """
    if prefetch is not None and not isinstance(prefetch, dict):
        raise Incorrect("`prefetch` must be an object.", expression="prefetch")
    given: dict[str, Any] = {key: prefetch[key] for key in templates if key in prefetch} if prefetch else {}
    with timing.stage("validate"):
        if issues := [issue for key in given for issue in _invalid(given, key, templates[key])]:
            raise Incorrect("The prefetch is not valid FHIR R4.", issues=issues)
    missing = {key: why for key, template in templates.items() if (why := _why_missing(given, key, template))}
    if fetch is not None:
        given, missing = _completed(given, missing, templates, fetch)
    _refuse_missing(missing, templates)
    return _assembled(given, templates, patient, {"", patient.origin, *bases}, missing)


def _assembled(
    given: Mapping[str, Any],
    templates: Mapping[str, Template],
    patient: PatientKey,
    ours: Collection[str],
    left: Mapping[str, str],
) -> Prefetched:
    brought = {key: list(_placed(key, value)) for key, value in given.items() if not is_outcome(value)}
    belonging.refuse_strangers([item for items in brought.values() for item in items], patient, ours)
    obtained = {key: items for key, items in brought.items() if key not in left}
    placed = [item for items in obtained.values() for item in items]
    contradictions.refuse(placed)
    return Prefetched(
        resources=tuple(sourced(placed, patient.origin, ours)),
        lists=frozenset(templates[key].type for key in obtained if templates[key].is_whole_list),
        others=tuple(item.resource for item in placed if not belonging.names_a_patient(item.resource)),
        left=dict(left),
    )


def _completed(
    given: Mapping[str, Any], missing: Mapping[str, str], templates: Mapping[str, Template], fetch: Fetch
) -> tuple[dict[str, Any], dict[str, str]]:
    """Fetch what can be fetched.

    A client that says `null` has looked and has nothing, so there is nothing to fetch. What is not required is fetched
    too, and done without when that fails.
    """
    wanted = {
        key: Wanted(templates[key], None if is_outcome(given.get(key)) else given.get(key))
        for key in missing
        if given.get(key, ...) is not None
    }
    if not wanted:
        return dict(given), dict(missing)
    with timing.stage("fetch"):
        found, failed = fetch(wanted)
    with timing.stage("validate"):
        for key in list(found):
            if why := _unusable(found, key, templates[key]):
                failed[key] = why
                del found[key]
    still = {
        key: f"{why}, and it was not fetched: {failed[key]}" if key in failed else why
        for key, why in missing.items()
        if key not in found
    }
    return {**given, **found}, still


def _unusable(found: Mapping[str, Any], key: str, template: Template) -> str:
    issues = _invalid(found, key, template)
    if issues:
        place = issues[0].expression[0] if issues[0].expression else f"prefetch.{key}"
        return f"the FHIR server's answer is not valid FHIR R4 at {place}: {issues[0].text}"
    why = _why_missing(found, key, template)
    return f"the FHIR server's answer {why}" if why else ""


def _invalid(given: Mapping[str, Any], key: str, template: Template) -> list[Issue]:
    value = given[key]
    if value is None or is_outcome(value):
        return []
    expected = "Bundle" if template.is_search else template.type or None
    return validator.validate(value, type=expected, prefix=f"prefetch.{key}") or _wrong_bundle(key, value)


def _wrong_bundle(key: str, value: Resource) -> list[Issue]:
    """A history names what was deleted, a batch's answer holds Bundles: neither is a list of what there is."""
    if value["resourceType"] != "Bundle" or value["type"] in _LISTING:
        return []
    return [Issue(Incorrect.code, f"Send a Bundle of type {_LISTING[0]}.", (f"prefetch.{key}.type",))]


def _refuse_missing(missing: Mapping[str, str], templates: Mapping[str, Template]) -> None:
    issues = [
        Issue("incomplete", f"Prefetch key `{key}` {why}. Its template is {templates[key].query}", (f"prefetch.{key}",))
        for key, why in missing.items()
        if templates[key].required
    ]
    if issues:
        raise Precondition("The call does not bring what this service needs.", issues=issues)


def _why_missing(given: Mapping[str, Any], key: str, template: Template) -> str:
    if key not in given:
        return "is absent"
    value = given[key]
    if value is None:
        return "" if template.is_search or not template.required else "is null, and nothing can be said without it"
    if is_outcome(value):
        return "is an OperationOutcome: the client could not obtain it"
    if wholeness.is_a_page(value):
        return "holds only the first page of its Bundle (it has a `next` link); send all pages in one Bundle"
    if wholeness.has_failed(value):
        return "holds an OperationOutcome with an error: the client's search did not run to its end"
    if template.is_search and value.get("total", 0) > sum(map(_is_match, value.get("entry", ()))):
        return "holds fewer matches than its `total`; send all of them in one Bundle"
    return ""


def _is_match(entry: Mapping[str, Any]) -> bool:
    """Whether `Bundle.total` counts an entry: http://hl7.org/fhir/R4/bundle-definitions.html#Bundle.total."""
    if "search" in entry and entry["search"].get("mode", "match") != "match":
        return False
    return "resource" in entry and not is_outcome(entry["resource"])


def _placed(key: str, value: Any) -> Iterable[Placed]:
    place = f"prefetch.{key}"
    if value is None:
        return ()
    return belonging.entries(value, place) if value["resourceType"] == "Bundle" else (Placed(place, value),)


_LISTING: Final = ("searchset", "collection")
"""Types of Bundle that list what there is; some clients gather all pages in the second."""
