"""Genomics resources in one line each, as laboratories send them."""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.pgx import hgnc
from fhirtwin.terms.systems import LOINC

Json = dict[str, Any]
TBD: Final = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"
PHARMVAR: Final = "http://www.pharmvar.org"
DBSNP: Final = "http://www.ncbi.nlm.nih.gov/projects/SNP"


def coded(system: str, code: str, display: str = "") -> Json:
    coding = {"system": system, "code": code, "display": display}
    return {"coding": [{name: value for name, value in coding.items() if value}]}


def component(code: str, value: Any, system: str = LOINC) -> Json:
    if isinstance(value, str):
        return {"code": coded(system, code), "valueString": value}
    return {"code": coded(system, code), "valueRange" if "low" in value else "valueCodeableConcept": value}


def studied(gene: str, code: str = "", system: str = hgnc.SYSTEM) -> Json:
    return component("48018-6", coded(system, code or hgnc.IDS[gene], gene))


def result(code: str, value: Json | None, *components: Json, system: str = LOINC, **members: Any) -> Json:
    base: Json = {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")],
        "code": coded(system, code),
        "subject": {"reference": "Patient/pat"},
        "effectiveDateTime": "2024-03-01",
        "valueCodeableConcept": value,
        "component": list(components) or None,
    }
    return {name: v for name, v in (base | members).items() if v is not None}


def genotype(gene: str, said: str, **members: Any) -> Json:
    return result("84413-4", coded(PHARMVAR, said), studied(gene), **members)


def haplotype(gene: str, said: str, **members: Any) -> Json:
    return result("84414-2", coded(PHARMVAR, said), studied(gene), **members)


def variant(
    gene: str, rsid: str, alternate: str, state: str = "LA6706-1", *more: Json, answer: str = "LA9633-4"
) -> Json:
    parts = [studied(gene), component("81252-9", coded(DBSNP, rsid)), component("69551-0", alternate)]
    parts += [component("53034-5", coded(LOINC, state))] if state else []
    return result("69548-6", coded(LOINC, answer), *parts, *more)


def implication(said: str, *more: Json, code: str = "therapeutic-implication", system: str = TBD) -> Json:
    value = coded(LOINC, said) if said.startswith("LA") else {"text": said}
    return result("therapeutic-implication", None, component(code, value, system), *more, system=TBD)


def molecular_sequence(start: int, reference: str, observed: str, **members: Any) -> Json:
    base: Json = {
        "resourceType": "MolecularSequence",
        "type": "dna",
        "coordinateSystem": 0,
        "patient": {"reference": "Patient/pat"},
        "referenceSeq": {"referenceSeqId": coded("http://www.ncbi.nlm.nih.gov/nuccore", "NC_000010.11")},
        "variant": [{"start": start, "end": start + 1, "referenceAllele": reference, "observedAllele": observed}],
    }
    return base | members
