"""Whose a resource of a call is: all of it must be shown to be about one patient, or the call is refused.

Texts say which resource the stranger is and where it stands, and not whose it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from fhirtwin.errors import Issue, Unprocessable
from fhirtwin.fhir import references
from fhirtwin.fhir.tables import PATIENT_ELEMENTS
from fhirtwin.twin.state import PatientKey

Resource = dict[str, Any]

_JUDGED: Final = frozenset({"Patient", "Bundle", "Parameters"} | PATIENT_ELEMENTS.keys())
_APPOINTMENT: Final = "Appointment"
_NAMELESS: Final = "has no id, so nothing could refer to it"


class Placed(NamedTuple):
    """A resource and where in the call it stands."""

    place: str
    resource: Resource


def entries(bundle: Mapping[str, Any], place: str) -> Iterator[Placed]:
    """The resources of a Bundle that stands at `place`, without what tells of the search itself."""
    for number, entry in enumerate(bundle.get("entry", ())):
        resource = entry.get("resource")
        if resource and resource["resourceType"] != "OperationOutcome":
            yield Placed(f"{place}.entry[{number}]", resource)


def is_outcome(value: Any) -> bool:
    """Whether it is an OperationOutcome."""
    return isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"


def is_about_a_patient(resource: Resource) -> bool:
    """Whether it must be shown to be the patient's; what holds other resources cannot be, so it never passes."""
    return resource["resourceType"] in _JUDGED


def names_a_patient(resource: Resource) -> bool:
    """Whether it says of itself that it is a patient's: by the element of its type, or an appointment's participant."""
    return is_about_a_patient(resource) or any(_patients_among_participants(resource))


def refuse_strangers(
    placed: Iterable[Placed], patient: PatientKey, bases: Collection[str], *, drafts: bool = False
) -> None:
    """Refuse the whole call when anything in it is not shown to be this patient's.

    Args:
        placed: valid resources.
        patient: whom the call is about.
        bases: FHIR base URLs, beside none and the patient's origin, that absolute references may start with.
        drafts: whether they are being made just now: what is not stored yet needs no id, an appointment must name the
            patient, and a device may be nobody's yet. All else must have an id, so that something can refer to it.

    Raises:
        Unprocessable: naming each place.
    """
    ours = {"", patient.origin, *bases}
    plain = {f"{base}/Patient/{patient.id}".removeprefix("/") for base in ours}
    issues = [
        issue
        for item in placed
        if not _is_plainly_ours(item.resource, plain, drafts) and (issue := _stranger(item, patient, ours, drafts))
    ]
    if issues:
        raise Unprocessable("The call holds something that is not this patient's.", issues=issues)


def _is_plainly_ours(resource: Resource, plain: Collection[str], drafts: bool) -> bool:
    """Tell quickly of most resources that there is nothing to look at more closely."""
    subject = resource.get(PATIENT_ELEMENTS.get(resource["resourceType"], ""))
    return type(subject) is dict and subject.get("reference") in plain and (drafts or "id" in resource)


def _stranger(item: Placed, patient: PatientKey, bases: Collection[str], drafts: bool) -> Issue | None:
    if not is_about_a_patient(item.resource):
        return _wrongly_naming(item, patient, bases, drafts)
    text = references.subject_of(item.resource)
    if text is None and drafts and item.resource["resourceType"] == "Device":
        return None
    if text is None:
        return unfit(item, "does not refer to the patient it is about")
    if not _is_ours(text, patient, bases):
        return unfit(item, "is not shown to be about the patient of `context.patientId`")
    if not drafts and not isinstance(item.resource.get("id"), str):
        return unfit(item, _NAMELESS)
    return None


def _wrongly_naming(item: Placed, patient: PatientKey, bases: Collection[str], drafts: bool) -> Issue | None:
    """What has no element of its own for a patient, an appointment or a group, may name this one and no other."""
    named = (text for _, text in references.walk(item.resource) if references.parse(text).type == "Patient")
    if not all(_is_ours(text, patient, bases) for text in named):
        return unfit(item, "names a patient who is not the one of `context.patientId`")
    if drafts and item.resource["resourceType"] == _APPOINTMENT and not names_a_patient(item.resource):
        return unfit(item, "names no patient among its participants")
    if not drafts and names_a_patient(item.resource) and not isinstance(item.resource.get("id"), str):
        return unfit(item, _NAMELESS)
    return None


def _patients_among_participants(resource: Resource) -> Iterator[str]:
    if resource["resourceType"] == _APPOINTMENT:
        texts = (str(each["actor"].get("reference", "")) for each in resource["participant"] if "actor" in each)
        yield from (text for text in texts if references.parse(text).type == "Patient")


def _is_ours(text: str, patient: PatientKey, bases: Collection[str]) -> bool:
    subject = references.parse(text)
    return subject.type == "Patient" and subject.base in bases and subject.id == patient.id


def unfit(item: Placed, what: str) -> Issue:
    """An issue that names a resource by its place and, where that does not say whose it is, by its reference."""
    type_, id_ = item.resource["resourceType"], item.resource.get("id")
    name = f"{type_}/{id_}" if isinstance(id_, str) and type_ in PATIENT_ELEMENTS and type_ != "Patient" else type_
    return Issue(Unprocessable.code, f"The {name} at {item.place} {what}.", (item.place,))
