"""Resources and facts in one line each."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from fhirtwin.terms.facts import UNITS
from fhirtwin.terms.systems import (
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    ICD10CM,
    LOINC,
    RXNORM,
    SNOMED,
    UCUM,
)
from fhirtwin.twin.mappers.registry import map_resource
from fhirtwin.twin.state import Fact, Mapped, PatientKey, Source, TwinState, in_order

Json = dict[str, Any]
WHO = PatientKey("", "pat")
SYSTEMS = {"loinc": LOINC, "snomed": SNOMED, "icd": ICD10CM, "rxnorm": RXNORM}


def concept(system: str, code: str, **coding: str) -> Json:
    return {"coding": [{"system": SYSTEMS.get(system, system), "code": code, **coding}]}


def quantity(value: str, code: str, **members: Any) -> Json:
    return {"value": Decimal(value), "unit": code, "system": UCUM, "code": code, **members}


def observation(code: str, value: str = "1", unit: str = "mg/dL", /, **members: Any) -> Json:
    base = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept("loinc", code),
        "effectiveDateTime": "2024-03-01T10:00:00Z",
        "valueQuantity": quantity(value, unit),
    }
    return {name: v for name, v in (base | members).items() if v is not None}


def smoking(answer: Json, **members: Any) -> Json:
    return observation("72166-2", valueQuantity=None, valueCodeableConcept=answer, **members)


def blood_pressure(systolic: str, diastolic: str, panel: str = "85354-9", **members: Any) -> Json:
    parts = [
        {"code": concept("loinc", code), "valueQuantity": quantity(value, "mm[Hg]")}
        for code, value in (("8480-6", systolic), ("8462-4", diastolic))
    ]
    return observation(panel, valueQuantity=None, component=parts, **members)


def condition(system: str, code: str, clinical: str | None = "active", /, **members: Any) -> Json:
    base: Json = {
        "resourceType": "Condition",
        "verificationStatus": concept(CONDITION_VERIFICATION, "confirmed"),
        "code": concept(system, code),
        "onsetDateTime": "2020-01-15",
    }
    if clinical:
        base["clinicalStatus"] = concept(CONDITION_CLINICAL, clinical)
    return {name: v for name, v in (base | members).items() if v is not None}


def procedure(code: str, /, **members: Any) -> Json:
    base = {
        "resourceType": "Procedure",
        "status": "completed",
        "code": concept("snomed", code),
        "performedDateTime": "2021-06-01",
    }
    return {name: v for name, v in (base | members).items() if v is not None}


def request(code: str = "83367", system: str = "rxnorm", **members: Any) -> Json:
    base = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(system, code),
        "authoredOn": "2023-02-01",
    }
    return {name: v for name, v in (base | members).items() if v is not None}


def statement(code: str = "83367", system: str = "rxnorm", **members: Any) -> Json:
    base = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": concept(system, code),
        "effectivePeriod": {"start": "2023-02-01"},
    }
    return {name: v for name, v in (base | members).items() if v is not None}


def patient(**members: Any) -> Json:
    base = {"resourceType": "Patient", "gender": "female", "birthDate": "1970-05-20"}
    return {name: v for name, v in (base | members).items() if v is not None}


def read(resource: Json, id: str = "r1") -> Mapped:  # noqa: A002 (FHIR's word)
    return map_resource(resource, Source("", resource["resourceType"], id, "1"))


def only(resource: Json) -> Fact:
    """The one fact of a resource of which nothing is left unused."""
    made = read(resource)
    assert made.unused == ()
    (fact,) = made.facts
    return fact


def flag(resource: Json) -> Fact:
    """The one class of medicine that a request or statement belongs to, beside the medicines themselves."""
    (fact,) = (f for f in read(resource).facts if f.name != "medicine")
    return fact


def reason(resource: Json) -> str:
    """The one reason why a resource gives no fact."""
    made = read(resource)
    assert made.facts == ()
    (left,) = made.unused
    return left.reason


def measured(name: str, value: str, time: str, id: str = "") -> Fact:  # noqa: A002 (FHIR's word)
    source = Source("", "Observation", id or f"{name}-{time}-{value}", "1")
    return Fact(name, Decimal(value), (source,), unit=UNITS[name], time=time)


def state_of(*facts: Fact) -> TwinState:
    return TwinState(WHO, 1, in_order(facts), reference="Patient/pat")


def person(*more: Fact, sex: str = "female", birth: str = "1970-05-20") -> TwinState:
    source = (Source("", "Patient", "pat", "1"),)
    return state_of(Fact("sex", sex, source), Fact("birth-date", birth, source, time=birth), *more)


def facts_of(resources: Iterable[Json]) -> TwinState:
    made = [read(resource, f"r{number}") for number, resource in enumerate(resources)]
    return state_of(*(fact for mapped in made for fact in mapped.facts))
