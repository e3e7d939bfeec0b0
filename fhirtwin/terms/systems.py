"""Canonical URLs of code systems, and the base of this project's own artefacts."""

from __future__ import annotations

from typing import Final

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC: Final = "http://www.whocc.no/atc"
ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
ICD10CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM: Final = "http://unitsofmeasure.org"

CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
GENDER: Final = "http://hl7.org/fhir/administrative-gender"

FHIRTWIN: Final = "https://fhirtwin.example/fhir"
"""Base of our canonical URLs. A canonical names and need not resolve; `.example` is a name that nobody can own
(RFC 2606), so it takes nobody's address. Change it here, and in `profiles/`, when the project has an address."""

OUTCOME: Final = f"{FHIRTWIN}/CodeSystem/outcome"
FACT: Final = f"{FHIRTWIN}/CodeSystem/fact"
CONCEPT: Final = f"{FHIRTWIN}/CodeSystem/concept"


def profile(name: str) -> str:
    """Canonical URL of one of our StructureDefinitions."""
    return f"{FHIRTWIN}/StructureDefinition/{name}"
