"""Contexts to try a hook with, and what somebody would be writing when it fires: made up, and about nobody.

The codes of the medicines stand in public example requests, with these displays; each row says in which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.api.cds.hooks import Field, Hook, Kind
from fhirtwin.terms.systems import RXNORM, SNOMED

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine that a draft order is for.

    Attributes:
        code: RxNorm.
        source: the public payload that has this code with this display.
    """

    code: str
    display: str
    source: str = ""


USER: Final = "Practitioner/example"
"""Who sits before the screen: nobody."""

_SYNTHEA: Final = "Synthea, https://synthea.mitre.org/downloads (sample records in FHIR R4)"
_LIBRARY: Final = "https://cds-hooks.hl7.org/hooks/STU1/order-select.html (example)"
_INFERNO: Final = "https://github.com/inferno-framework/davinci-crd-test-kit (preset of order-select requests)"

MEDICINES: Final = (
    Medicine("860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", _SYNTHEA),
    Medicine("105585", "methotrexate 2.5 MG Oral Tablet", _INFERNO),
    Medicine("314076", "lisinopril 10 MG Oral Tablet", _SYNTHEA),
    Medicine("617310", "atorvastatin 20 MG Oral Tablet", _SYNTHEA),
    Medicine("617993", "Amoxicillin 120 MG/ML / clavulanate potassium 8.58 MG/ML Oral Suspension", _LIBRARY),
)
"""The first is what a page offers before somebody chooses."""


def medicine(code: str, display: str) -> Medicine:
    """The medicine that was typed; the first of the table when nothing was."""
    if not code:
        return MEDICINES[0]
    known = {each.code: each.display for each in MEDICINES}
    return Medicine(code, display or known.get(code, ""))


def _medication_request(subject: str, chosen: Medicine) -> Resource:
    """A draft order of a medicine."""
    coding = {"system": RXNORM, "code": chosen.code}
    concept: Resource = {"coding": [coding]}
    if chosen.display:
        coding["display"] = concept["text"] = chosen.display
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": concept,
        "subject": {"reference": subject},
    }


def context(fired: Hook, patient: str, chosen: Medicine = MEDICINES[0], encounter: str = "") -> Resource:
    """A context with everything that a hook needs.

    Args:
        fired: the hook.
        patient: id of the patient.
        chosen: what draft orders are for.
        encounter: id of the encounter; one that is not there is made up where the hook needs it.
    """
    made: Resource = {"patientId": patient}
    for field in fired.fields:
        if field.required or (field.name == "encounterId" and encounter):
            made[field.name] = _member(field, f"Patient/{patient}", chosen, encounter)
    return made


def holds_medicines(fired: Hook) -> bool:
    """Whether a context of this hook holds draft orders of medicines."""
    return any(_drafted(field) == "MedicationRequest" for field in fired.fields)


def _member(field: Field, subject: str, chosen: Medicine, encounter: str) -> Any:
    match field.kind:
        case Kind.ID:
            return encounter or "example"
        case Kind.BUNDLE:
            held = _resource(_drafted(field), subject, chosen)
            return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": held}]}
        case Kind.RESOURCE:
            return _resource(_drafted(field), subject, chosen)
        case Kind.REFERENCES:
            return ["MedicationRequest/draft-1"]
        case _:
            return USER


def _drafted(field: Field) -> str:
    """Type of the resource that somebody is writing; empty where the member holds none."""
    if field.kind is Kind.BUNDLE:
        return {"appointments": "Appointment", "conditions": "Condition"}.get(field.name, "MedicationRequest")
    return field.type if field.kind is Kind.RESOURCE else ""


def _resource(type_: str, subject: str, chosen: Medicine) -> Resource:
    """A draft; the text of each is there to be replaced."""
    match type_:
        case "Condition":
            return {
                "resourceType": "Condition",
                "id": "draft-1",
                "clinicalStatus": _active("condition-clinical"),
                "code": {
                    "coding": [{"system": SNOMED, "code": "44054006", "display": "Diabetes mellitus type 2"}],
                    "text": "an example, replace this problem and its code",
                },
                "subject": {"reference": subject},
            }
        case "AllergyIntolerance":
            return {
                "resourceType": "AllergyIntolerance",
                "id": "draft-1",
                "clinicalStatus": _active("allergyintolerance-clinical"),
                "code": {"text": "replace this substance"},
                "patient": {"reference": subject},
            }
        case "Appointment":
            return {
                "resourceType": "Appointment",
                "id": "draft-1",
                "status": "proposed",
                "participant": [{"actor": {"reference": subject}, "status": "needs-action"}],
            }
        case _:
            return _medication_request(subject, chosen)


def _active(codes: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{codes}", "code": "active"}]}
