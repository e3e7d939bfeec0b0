"""Resources and Bundles of a prefetch, in one line each."""

from __future__ import annotations

from typing import Any

from fhirtwin.intake.prefetch import Template
from fhirtwin.twin.state import PatientKey

EHR = "https://ehr.example/fhir"
PATIENT = PatientKey(EHR, "p1")
TEMPLATES = {
    "patient": Template("Patient/{{context.patientId}}"),
    "conditions": Template("Condition?patient={{context.patientId}}&_count=1000"),
    "observations": Template("Observation?patient={{context.patientId}}&code=2160-0"),
    "statements": Template("MedicationStatement?patient={{context.patientId}}", required=False),
}


def person(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", **changes}


def condition(id_: str = "c1", subject: str = "Patient/p1", **changes: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": id_, "subject": {"reference": subject}, **changes}


def observation(id_: str = "o1", subject: str | None = "Patient/p1", **changes: Any) -> dict[str, Any]:
    about = {"subject": {"reference": subject}} if subject else {}
    code = {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}
    return {"resourceType": "Observation", "id": id_, "status": "final", "code": code, **about, **changes}


def appointment(id_: str, *actors: str) -> dict[str, Any]:
    who = [{"actor": {"reference": actor}, "status": "accepted"} for actor in actors]
    moments = {"start": "2026-06-02T08:00:00Z", "end": "2026-06-02T08:20:00Z"}
    return {"resourceType": "Appointment", "id": id_, "status": "booked", **moments, "participant": who}


def bundle(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    entries = {"entry": [{"resource": resource} for resource in resources]} if resources else {}
    return {"resourceType": "Bundle", "type": "searchset", **entries, **changes}


def failed(severity: str = "error") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "exception"}]}


def whole(**changes: Any) -> dict[str, Any]:
    """A prefetch with nothing missing."""
    return {"patient": person(), "conditions": bundle(condition()), "observations": bundle(observation()), **changes}
