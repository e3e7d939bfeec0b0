"""The codes of HL7's Genomics Reporting (STU3) that are written here, and the small pieces they stand in.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/; LOINC answer lists LL3856-3 (metabolism) and the transporter
and risk answers beside it. LOINC is copyright Regenstrief Institute, Inc.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.pgx import hgnc
from fhirtwin.terms.systems import ATC, FHIRTWIN, LOINC, RXNORM, profile
from fhirtwin.twin.genomics.implication import ANSWERS

Json = dict[str, Any]

TBD: Final = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"
OURS: Final = f"{FHIRTWIN}/CodeSystem/genomics"
HL7: Final = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition"
RECOMMENDED_ACTION: Final = f"{HL7}/recommended-action"
RISK: Final = f"{HL7}/genomic-risk-assessment"
CITATION: Final = "http://hl7.org/fhir/StructureDefinition/workflow-relatedArtifact"
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
REPORT: Final = profile("genomic-report")
GENOTYPE: Final = profile("genotype")
IMPLICATION: Final = profile("therapeutic-implication")
RECOMMENDATION: Final = profile("medication-recommendation")

CATEGORIES: Final = (
    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]},
    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "GE"}]},
)
TRANSPORTERS: Final = frozenset({"ABCG2", "SLCO1B1"})
HIGH_RISK: Final = "LA19541-4"
_PHENOTYPES: Final = {word: code for code, word in ANSWERS.items()}


def answer_of(gene: str, word: str) -> str:
    """Give LOINC's answer for a phenotype; empty where none says exactly this.

    That an allele is absent is no answer `low risk`: guidelines say that the risk is as usual.
    """
    if gene.startswith("HLA-"):
        return HIGH_RISK if word.endswith(" positive") else ""
    if word.endswith(" Function") and gene not in TRANSPORTERS:  # the answers on function are of transport
        return ""
    return _PHENOTYPES.get(word, "")


def concept(system: str, code: str, display: str = "", text: str = "") -> Json:
    """A CodeableConcept of one coding; of a text alone where there is no code."""
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {**({"coding": [coding]} if code else {}), **({"text": text} if text else {})}


def component(system: str, code: str, value: Json | str, display: str = "") -> Json:
    """A component with a concept, or with a text."""
    member = "valueString" if isinstance(value, str) else "valueCodeableConcept"
    return {"code": concept(system, code, display), member: value}


def loinc(code: str, display: str, value: Json | str) -> Json:
    """A component that LOINC has a code for."""
    return component(LOINC, code, value, display)


def medicine(name: str, code: str) -> Json:
    """A medicine by its ingredient: RxNorm, or ATC where RxNorm has none; else by name.

    Args:
        name: of the ingredient.
        code: RxNorm; `ATC:...` where that has none.
    """
    if code.startswith("ATC:"):
        return concept(ATC, code.removeprefix("ATC:"), name, name)
    return concept(RXNORM, code if code.isdigit() else "", name, name)


def gene(symbol: str) -> Json:
    """A gene by its HGNC id."""
    return concept(hgnc.SYSTEM, hgnc.IDS.get(symbol, ""), symbol, symbol)
