"""Invariants of administrative and financial resources, of documents, lists and bundles.

*Source*: http://hl7.org/fhir/R4/resourcelist.html, the Base, Financial and Foundation sections.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.fhir.invariants.rules import (
    Object,
    Rule,
    all_or_none,
    any_of,
    each,
    excludes,
    has_coding,
    in_order,
    one_of,
    only_if,
    there,
    where,
)

_ASKS: Final = frozenset({"batch", "transaction", "history"})
_ANSWERS: Final = frozenset({"batch-response", "transaction-response", "history"})
_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"


def _entries(bundle: Object) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = bundle.get("entry", [])
    return entries


def _searched_in_searchset(entry: Object, bundle: Object) -> bool:
    return "search" not in entry or bundle.get("type") == "searchset"


def _requested(entry: Object, bundle: Object) -> bool:
    return ("request" in entry) == (bundle.get("type") in _ASKS)


def _answered(entry: Object, bundle: Object) -> bool:
    return ("response" in entry) == (bundle.get("type") in _ANSWERS)


def _full_urls_unique(bundle: Object) -> bool | str:
    seen = set()
    for number, entry in enumerate(_entries(bundle) if bundle.get("type") != "history" else ()):
        known = entry.get("fullUrl"), entry.get("resource", {}).get("meta", {}).get("versionId")
        if "fullUrl" in entry and known in seen:
            return f"entry[{number}].fullUrl"
        seen.add(known)
    return True


def _document_identified(bundle: Object) -> bool:
    identifier = bundle.get("identifier", {})
    return bundle.get("type") != "document" or (there(identifier, "system") and there(identifier, "value"))


def _document_dated(bundle: Object) -> bool:
    return bundle.get("type") != "document" or "timestamp" in bundle


def _first_is_composition(bundle: Object) -> bool:
    return bundle.get("type") != "document" or _first(bundle) == "Composition"


def _first_is_header(bundle: Object) -> bool:
    return bundle.get("type") != "message" or _first(bundle) == "MessageHeader"


def _first(bundle: Object) -> Any:
    return next((entry.get("resource", {}).get("resourceType") for entry in _entries(bundle)), None)


def _version_independent(entry: Object) -> bool:
    return "/_history/" not in entry.get("fullUrl", "")


def _appointed(appointment: Object) -> bool:
    dated = there(appointment, "start") and there(appointment, "end")
    return dated or appointment.get("status") in ("proposed", "cancelled", "waitlist")


def _scoped_to_patient(code: str) -> Rule:
    def holds(consent: Object) -> bool:
        return "patient" in consent or not has_coding(consent.get("scope"), _SCOPE, code)

    number = {"patient-privacy": 2, "research": 3, "adr": 4, "treatment": 5}[code]
    return Rule(f"ppc-{number}", f"A consent of the scope {code} must name its patient.", where(holds))


def _members_of_actual_group(group: Object) -> bool:
    return "member" not in group or group.get("actual") is True


def _several_items(linkage: Object) -> bool:
    return len(linkage.get("item", ())) > 1


def _deleted_in_changes(entry: Object, of: Object) -> bool:
    return of.get("mode") == "changes" or not there(entry, "deleted")


def _dated_in_working(entry: Object, of: Object) -> bool:
    return of.get("mode") == "working" or not there(entry, "date")


def _not_home(contact: Object, _: Object) -> bool:
    return contact.get("use") != "home"


def _modified_after_authoring(task: Object) -> bool:
    return in_order(task.get("authoredOn"), task.get("lastModified"))


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "Appointment": (
        Rule("app-2", "Start and end come together.", all_or_none("start", "end")),
        Rule("app-3", "Only what is proposed, cancelled or waiting may lack start and end.", where(_appointed)),
        Rule(
            "app-4",
            "Only what was cancelled or missed has a cancelationReason.",
            only_if("cancelationReason", "status", "noshow", "cancelled"),
        ),
    ),
    "Appointment.participant": (Rule("app-1", "A type or an actor is needed.", any_of("type", "actor")),),
    "AppointmentResponse": (
        Rule("apr-1", "A participantType or an actor is needed.", any_of("participantType", "actor")),
    ),
    "Bundle": (
        Rule("bdl-1", "Only a searchset or history has a total.", only_if("total", "type", "searchset", "history")),
        Rule("bdl-2", "Only entries of a searchset have search.", each("entry", _searched_in_searchset)),
        Rule(
            "bdl-3",
            "Entries have a request in a batch, transaction or history, and nowhere else.",
            each("entry", _requested),
        ),
        Rule("bdl-4", "Entries have a response in an answer or history, and nowhere else.", each("entry", _answered)),
        Rule("bdl-7", "A fullUrl comes once, or with several meta.versionId.", where(_full_urls_unique)),
        Rule("bdl-9", "A document needs an identifier with system and value.", where(_document_identified)),
        Rule("bdl-10", "A document needs a timestamp.", where(_document_dated)),
        Rule("bdl-11", "A document begins with a Composition.", where(_first_is_composition)),
        Rule("bdl-12", "A message begins with a MessageHeader.", where(_first_is_header)),
    ),
    "Bundle.entry": (
        Rule("bdl-5", "An entry needs a resource, request or response.", any_of("resource", "request", "response")),
        Rule("bdl-8", "A fullUrl names no version.", where(_version_independent)),
    ),
    "Composition.section": (
        Rule("cmp-1", "A section must have a text, entries or sections.", any_of("text", "entry", "section")),
        Rule("cmp-2", "emptyReason and entries exclude each other.", excludes("emptyReason", "entry")),
    ),
    "Consent": (
        Rule("ppc-1", "A policy or a policyRule is needed.", any_of("policy", "policyRule")),
        _scoped_to_patient("patient-privacy"),
        _scoped_to_patient("research"),
        _scoped_to_patient("adr"),
        _scoped_to_patient("treatment"),
    ),
    "CoverageEligibilityResponse.insurance.item": (
        Rule("ces-1", "Either a category or a productOrService is needed.", one_of("category", "productOrService")),
    ),
    "Group": (Rule("grp-1", "Only an actual group has members.", where(_members_of_actual_group)),),
    "InsurancePlan": (Rule("ipn-1", "An identifier or a name is needed.", any_of("identifier", "name")),),
    "Linkage": (Rule("lnk-1", "A linkage must have more than one item.", where(_several_items)),),
    "List": (
        Rule("lst-1", "emptyReason and entries exclude each other.", excludes("emptyReason", "entry")),
        Rule("lst-2", "Only in a list of changes is an entry deleted.", each("entry", _deleted_in_changes)),
        Rule("lst-3", "Only in a working list has an entry a date.", each("entry", _dated_in_working)),
    ),
    "Organization": (
        Rule("org-1", "An identifier or a name is needed.", any_of("identifier", "name")),
        Rule("org-2", "An organization's address is never of use home.", each("address", _not_home)),
        Rule("org-3", "An organization's telecom is never of use home.", each("telecom", _not_home)),
    ),
    "Parameters.parameter": (
        Rule("inv-1", "Exactly one of value, resource and part is needed.", one_of("value", "resource", "part")),
    ),
    "Task": (Rule("inv-1", "lastModified must not be before authoredOn.", where(_modified_after_authoring)),),
}
