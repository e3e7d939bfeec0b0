"""The twin as FHIR: a collection of Observations, one a fact, behind a Basic that says what the twin as a whole is.

Profiles: `profiles/StructureDefinition-twin-bundle.json` and those it names. Every reference is absolute, so the Bundle
means the same wherever it is read, and each fact points at the versioned resource it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from fhirtwin.fhir.profiles.known import VITAL_SIGNS
from fhirtwin.terms.facts import CODES, FLAGS, GENES, LISTS, UNITS
from fhirtwin.terms.systems import CONCEPT, FACT, GENDER, LOINC, RXNORM, UCUM, profile
from fhirtwin.twin.state import Fact, Source, TwinState

Json = dict[str, Any]

BUNDLE: Final = profile("twin-bundle")
TWIN: Final = profile("twin")
TWIN_FACT: Final = profile("twin-fact")
TWIN_VERSION: Final = profile("twin-version")
LIST_OBTAINED: Final = profile("list-obtained")
NOT_USED: Final = profile("not-used")
FACT_SOURCE: Final = profile("fact-source")
FACT_CODING: Final = profile("fact-coding")
FACT_PAST: Final = profile("fact-past")

_VITAL_SIGN: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
    "code": "vital-signs",
    "display": "Vital Signs",
}
"""What R4 demands of Observations with certain codes: http://hl7.org/fhir/R4/observation-vitalsigns.html."""

LABELS: Final = {name: name.replace("-", " ") for name in (*UNITS, *CODES, *LISTS, *FLAGS, *GENES)}
"""What each fact is called in `CodeSystem-fact`."""


def to_fhir(state: TwinState, *, base_url: str) -> Json:
    """Give the twin as a Bundle of type collection.

    Args:
        state: the twin, stored or as of a day.
        base_url: FHIR base of this server, without a slash at the end; local references are made absolute with it.

    Returns:
        A Bundle that conforms to the profile `twin-bundle`; numbers are `Decimal` and keep their digits.
    """
    patient = {"reference": _absolute(state.reference or f"Patient/{state.patient.id}", base_url)}
    resources = [_twin(state, patient, base_url), *(_fact(f, patient, base_url) for f in state.facts)]
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [BUNDLE]},
        "type": "collection",
        "entry": [
            {"fullUrl": _full_url(patient["reference"], number, resource), "resource": resource}
            for number, resource in enumerate(resources)
        ],
    }


def _twin(state: TwinState, patient: Json, base_url: str) -> Json:
    extensions = [{"url": TWIN_VERSION, "valueUnsignedInt": state.version}]
    extensions += [{"url": LIST_OBTAINED, "valueCode": name} for name in sorted(state.lists)]
    extensions += _not_used(state, base_url)
    return {
        "resourceType": "Basic",
        "meta": {"profile": [TWIN]},
        "extension": extensions,
        "code": {"coding": [{"system": CONCEPT, "code": "twin", "display": "Digital twin"}]},
        "subject": patient,
    }


def _not_used(state: TwinState, base_url: str) -> Iterator[Json]:
    """What was seen and not used: one extension a reason, with how many and which."""
    reasons: dict[str, list[Source]] = {}
    for unused in state.unused:
        reasons.setdefault(unused.reason, []).append(unused.source)
    for reason, sources in sorted(reasons.items()):
        parts: list[Json] = [
            {"url": "reason", "valueString": reason},
            {"url": "count", "valueUnsignedInt": len(sources)},
        ]
        parts += [{"url": "source", "valueReference": _reference(s, base_url)} for s in sorted(set(sources))]
        yield {"url": NOT_USED, "extension": parts}


def _fact(fact: Fact, patient: Json, base_url: str) -> Json:
    resource: Json = {"resourceType": "Observation", "meta": {"profile": [TWIN_FACT]}}
    resource["extension"] = [{"url": FACT_SOURCE, "valueReference": _reference(s, base_url)} for s in fact.sources]
    coding = {"system": fact.system, "code": fact.code, "display": fact.display}
    if fact.code and fact.system != LOINC:
        resource["extension"].append({"url": FACT_CODING, "valueCoding": _without_empty(coding)})
    if not fact.active:
        resource["modifierExtension"] = [{"url": FACT_PAST, "valueBoolean": True}]
    resource["status"] = "final"
    if fact.system == LOINC and fact.code in VITAL_SIGNS:
        resource["category"] = [{"coding": [_VITAL_SIGN]}]
    resource["code"] = {"coding": [{"system": FACT, "code": fact.name, "display": LABELS[fact.name]}]}
    if fact.code and fact.system == LOINC:
        resource["code"]["coding"].append(_without_empty(coding))
    resource["subject"] = patient
    resource |= _effective(fact) | _value(fact)
    if fact.note:
        resource["note"] = [{"text": fact.note}]
    derived_from = [_reference(s, base_url) for s in fact.sources if s.type == "Observation"]
    if derived_from:
        resource["derivedFrom"] = derived_from
    return resource


def _effective(fact: Fact) -> Json:
    if fact.end:
        return {"effectivePeriod": _without_empty({"start": fact.time, "end": fact.end})}
    return {"effectiveDateTime": fact.time} if fact.time else {}


def _value(fact: Fact) -> Json:
    if isinstance(fact.value, bool):
        return {"valueBoolean": fact.value}
    if isinstance(fact.value, Decimal):
        return {"valueQuantity": {"value": fact.value, "unit": fact.unit, "system": UCUM, "code": fact.unit}}
    if fact.name == "birth-date":
        return {"valueDateTime": fact.value}
    if fact.name in GENES:
        return {"valueCodeableConcept": {"text": fact.value}}
    coding = {"system": _system(fact), "code": fact.value, "display": fact.display if fact.name in LISTS else ""}
    return {"valueCodeableConcept": {"coding": [_without_empty(coding)]}}


def _system(fact: Fact) -> str:
    """The code system of a fact's word: of a medicine's ingredient RxNorm, of a group of medicines ours."""
    if fact.name in LISTS:
        return RXNORM if str(fact.value).isdigit() else CONCEPT
    return GENDER if fact.name == "sex" else CONCEPT


def _reference(source: Source, base_url: str) -> Json:
    return {"reference": _absolute(source.reference, base_url), "type": source.type}


def _absolute(reference: str, base_url: str) -> str:
    return reference if "://" in reference or reference.startswith("urn:") else f"{base_url}/{reference}"


def _full_url(patient: str, number: int, resource: Json) -> str:
    """A name that is the same each time for the same place in the same twin; the entries have no address."""
    name = f"{patient}#{number}#{resource['resourceType']}"
    return f"urn:uuid:{uuid5(NAMESPACE_URL, name)}"


def _without_empty(members: Json) -> Json:
    return {name: value for name, value in members.items() if value}
