"""The record of one patient, a Bundle on a line, as a twin.

What it does not show to be this patient's refuses the line, and so does half a record. Lists count as obtained as they
do for what is stored: a member of theirs is there, or a List that says that there is none to list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhirtwin.errors import FhirtwinError, Unprocessable
from fhirtwin.fhir import references, validator
from fhirtwin.intake import belonging, contradictions, wholeness
from fhirtwin.intake.belonging import Placed
from fhirtwin.intake.sourcing import sourced
from fhirtwin.store.reading import LISTS, said_empty
from fhirtwin.twin.mappers import registry
from fhirtwin.twin.overlay import overlay
from fhirtwin.twin.state import LOCAL, PatientKey, TwinState

Json = dict[str, Any]

_TYPES: Final = ("collection", "searchset", "transaction", "batch")
_WRITES: Final = ("POST", "PUT")
_URN: Final = "urn:uuid:"


def twin(bundle: Json, origin: str) -> TwinState:
    """Read the record of one patient.

    Args:
        bundle: a decoded Bundle with one Patient and what is known of them.
        origin: FHIR base of the server that it comes from; empty when the Patient's `fullUrl` says it.

    Raises:
        Unprocessable: it is no valid Bundle, holds half a record, or is not of one patient alone.
    """
    if issues := validator.validate(bundle, type="Bundle"):
        raise Unprocessable(f"not valid FHIR R4 at {issues[0].expression[0]}: {issues[0].text}")
    _refuse_half(bundle)
    placed = list(_placed(bundle))
    patients = [item.resource for item in placed if item.resource["resourceType"] == "Patient"]
    if len(patients) != 1:
        raise Unprocessable(f"a record has one Patient, and this has {len(patients)}")
    if references.replaced_by(patients[0]):
        raise Unprocessable("the Patient was replaced by another, as Patient.link says")
    patient = PatientKey(_origin(bundle, patients[0], origin), str(patients[0].get("id", "")))
    try:
        belonging.refuse_strangers(placed, patient, ())
        contradictions.refuse(placed)
    except FhirtwinError as error:
        place = error.issues[0].expression[0]
        raise Unprocessable(f"{place} is not shown to be this patient's, has no id, or contradicts another") from None
    mapped = registry.map_all(sourced(placed, patient.origin))
    return overlay(None, patient, mapped, _lists(placed), patient.reference)


def _refuse_half(bundle: Json) -> None:
    entries = bundle.get("entry", ())
    if bundle["type"] not in _TYPES:
        raise Unprocessable(f"a record is a Bundle of type {', '.join(_TYPES)}")
    if wholeness.is_a_page(bundle):
        raise Unprocessable("the Bundle holds only a page of the record: it has a `next` link")
    if any(one.get("request", {}).get("method", "PUT") not in _WRITES for one in entries):
        raise Unprocessable("the Bundle does more than write: an entry's request is neither POST nor PUT")
    if wholeness.has_failed(bundle):
        raise Unprocessable("the Bundle holds an OperationOutcome with an error: a search did not run to its end")


def _placed(bundle: Json) -> Iterator[Placed]:
    """The resources with their places; what refers to a `urn:uuid:` of the Bundle refers to what it stands for."""
    entries = [one for one in bundle.get("entry", ()) if "resource" in one]
    names: dict[str, str] = {}
    for one in entries:
        url, resource = one.get("fullUrl", ""), one["resource"]
        if url.startswith(_URN):
            resource.setdefault("id", url.removeprefix(_URN))
            names[url] = f"{resource['resourceType']}/{resource['id']}"
    for item in belonging.entries(bundle, "Bundle"):
        yield Placed(item.place, _resolved(item.resource, names)) if names else item


def _resolved(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_resolved(one, names) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _resolved(value, names) for name, value in node.items()}
    if made.get("reference") in names:
        made["reference"] = names[made["reference"]]
    return made


def _origin(bundle: Json, patient: Json, origin: str) -> str:
    url = next(
        one.get("fullUrl", "") for one in bundle["entry"] if one.get("resource", {}).get("resourceType") == "Patient"
    )
    told = references.parse(url)
    if told.kind != "absolute" or told.type != "Patient":
        return origin
    if told.id != patient.get("id") or (origin not in (LOCAL, told.base)):
        raise Unprocessable("the `fullUrl` of the Patient names another id, or another server than --origin")
    return told.base


def _lists(placed: list[Placed]) -> frozenset[str]:
    held = {i.resource["resourceType"] for i in placed if not _entered_in_error(i.resource)} & set(LISTS)
    return frozenset(held.union(*(said_empty(i.resource) for i in placed if i.resource["resourceType"] == "List")))


def _entered_in_error(resource: Json) -> bool:
    verification = resource.get("verificationStatus") or {}
    codes = (
        {coding.get("code") for coding in verification.get("coding", ())} if isinstance(verification, dict) else set()
    )
    return resource.get("status") == "entered-in-error" or "entered-in-error" in codes
