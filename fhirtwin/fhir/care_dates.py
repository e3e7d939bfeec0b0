"""When the care took place that a resource is a record of, as far as its type has an element for that.

R4 maps elements of each type to the five Ws (who, what, when, where, why). Here stand those mapped to `done`, then
`init`, `planned` and `recorded`: the first one that a resource has is its care date.

*Source*: http://hl7.org/fhir/R4/fivews.html and the mappings named `w5` of each StructureDefinition.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fhirtwin.fhir import dates
from fhirtwin.fhir.tables import members

_ELEMENTS: Final[Mapping[str, str]] = {
    "Account": "servicePeriod",
    "AdverseEvent": "date recordedDate",
    "AllergyIntolerance": "onset recordedDate",
    "Appointment": "start",
    "AppointmentResponse": "start",
    "AuditEvent": "period recorded",
    "Basic": "created",
    "CarePlan": "period created",
    "CareTeam": "period",
    "ChargeItem": "occurrence",
    "Claim": "billablePeriod created",
    "ClaimResponse": "created",
    "ClinicalImpression": "effective date",
    "Communication": "sent received",
    "CommunicationRequest": "occurrence authoredOn",
    "Composition": "date",
    "Condition": "onset recordedDate",
    "Consent": "dateTime",
    "Coverage": "period",
    "CoverageEligibilityRequest": "serviced created",
    "CoverageEligibilityResponse": "serviced created",
    "DetectedIssue": "identified",
    "DeviceRequest": "occurrence authoredOn",
    "DeviceUseStatement": "timing recordedOn",
    "DiagnosticReport": "effective issued",
    "DocumentManifest": "created",
    "DocumentReference": "date",
    "Encounter": "period",
    "EpisodeOfCare": "period",
    "ExplanationOfBenefit": "billablePeriod created",
    "FamilyMemberHistory": "date",
    "Goal": "start statusDate",
    "ImagingStudy": "started",
    "Immunization": "occurrence recorded",
    "ImmunizationEvaluation": "date",
    "Invoice": "date",
    "List": "date",
    "MeasureReport": "date",
    "Media": "created issued",
    "MedicationAdministration": "effective",
    "MedicationRequest": "authoredOn",
    "MedicationStatement": "effective dateAsserted",
    "NutritionOrder": "dateTime",
    "Observation": "effective issued",
    "Procedure": "performed",
    "Provenance": "occurred recorded",
    "QuestionnaireResponse": "authored",
    "RelatedPerson": "period",
    "RequestGroup": "authoredOn",
    "ResearchSubject": "period",
    "RiskAssessment": "occurrence",
    "Schedule": "planningHorizon",
    "ServiceRequest": "occurrence authoredOn",
    "Specimen": "receivedTime",
    "SupplyDelivery": "occurrence",
    "SupplyRequest": "occurrence authoredOn",
    "Task": "executionPeriod authoredOn",
    "VisionPrescription": "dateWritten",
}

_LASTS_UNTIL: Final[Mapping[str, str]] = {"AllergyIntolerance": "", "Condition": "abatement", "Appointment": "end"}
"""Types whose care date is only when something began, and the element, if any, that says when it was over."""

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def within(resource: Mapping[str, Any], start: datetime, end: datetime) -> bool:
    """Whether a resource is of care in the time from `start` up to `end`.

    What has no care date counts as within: a Patient, a problem whose onset is an age. To leave it out would be to say
    that it was at another time.

    Args:
        resource: structurally valid.
        start: aware.
        end: aware, exclusive.
    """
    span = _span(resource)
    return span is None or (span[0] < end and span[1] > start)


def _span(resource: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    type_ = resource["resourceType"]
    found = next(filter(None, (_at(resource, name) for name in _ELEMENTS.get(type_, "").split())), None)
    if found is None or type_ not in _LASTS_UNTIL:
        return found
    over = _at(resource, _LASTS_UNTIL[type_])
    return found[0], over[1] if over else _LAST


def _at(resource: Mapping[str, Any], element: str) -> tuple[datetime, datetime] | None:
    """The time that an element states, whichever member of a choice it is; None for what is no date (an Age)."""
    for name, member in members(resource["resourceType"]).items():
        if member.element == element and name in resource:
            return _interval(resource[name], member.kind)
    return None


def _interval(value: Any, kind: str) -> tuple[datetime, datetime] | None:
    if kind in ("date", "dateTime", "instant"):
        interval = dates.parse(value)
        return interval.start, interval.end
    if kind == "Period" and ("start" in value or "end" in value):
        return (
            dates.parse(value["start"]).start if "start" in value else _FIRST,
            dates.parse(value["end"]).end if "end" in value else _LAST,
        )
    return None
