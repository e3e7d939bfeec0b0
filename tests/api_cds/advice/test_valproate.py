"""Valproate, and what a label forbids it for: diagnoses that are read, and entries that only may be one of them."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.terms.systems import ICD10, ICD10CM, SNOMED
from tests.api_cds.advice.test_order_safety import SUBJECT, bundle, call, cards, concept, draft
from tests.gateway_in_process import Gateway
from tests.twin.genomics.builders import genotype

VALPROATE = draft(CODES["valproate"])


def diagnosis(code: dict[str, Any], verification: str = "confirmed") -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": "c",
        "subject": SUBJECT,
        "clinicalStatus": {"coding": [{"system": f"{system}clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{system}ver-status", "code": verification}]},
        "code": code,
    }


def found(twin: Gateway, condition: dict[str, Any], order: dict[str, Any] = VALPROATE) -> list[dict[str, Any]]:
    sent = {
        "patient": {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1990-01-01"},
        **{name: bundle() for name in ("medications", "statements", "allergies", "observations", "genomics")},
        "conditions": bundle(condition),
    }
    return cards(call(twin, order, prefetch=sent))


@pytest.mark.parametrize(
    ("code", "system"),
    [("G31.81", ICD10CM), ("20415001", SNOMED), ("E72.20", ICD10CM), ("E72.4", ICD10), ("36444000", SNOMED)],
)
def test_diagnosis_that_is_read_forbids_valproate(twin: Gateway, code: str, system: str) -> None:
    (card,) = found(twin, diagnosis(concept(code, system=system)))
    assert card["indicator"] == "critical"
    assert "forbidden by its label" in card["summary"]
    assert "Diagnosis in the record" in card["detail"]


@pytest.mark.parametrize(
    "condition",
    [
        diagnosis(concept("G31.81", system=ICD10)),
        diagnosis({"text": "Alpers-Huttenlocher syndrome"}),
        diagnosis(concept("1", "Argininosuccinic aciduria", "http://example.org/codes")),
        diagnosis(concept("G31.81", system=ICD10CM), "provisional"),
    ],
)
def test_diagnosis_that_may_be_one_of_them_is_named_and_only_with_valproate(
    twin: Gateway, condition: dict[str, Any]
) -> None:
    (card,) = found(twin, condition)
    assert card["indicator"] == "info"
    assert "Condition/c" in card["detail"]
    assert not any("Condition/c" in other["detail"] for other in found(twin, condition, draft(CODES["metformin"])))


@pytest.mark.parametrize(
    "condition",
    [
        diagnosis(concept("G31.81", system=ICD10CM), "refuted"),
        diagnosis(concept("G31.83", system=ICD10CM)),
        diagnosis({"text": "epilepsy"}),
    ],
)
def test_other_diagnosis_is_not_named(twin: Gateway, condition: dict[str, Any]) -> None:
    assert found(twin, condition) == []


def test_results_of_its_genes_are_named_since_nobody_reads_them(twin: Gateway) -> None:
    studied = {"code": concept("48018-6", system="http://loinc.org"), "valueCodeableConcept": {"text": "POLG"}}
    variant = {
        **genotype("CYP2C19", "*1/*1"),
        "id": "v",
        "subject": SUBJECT,
        "code": concept("69548-6", system="http://loinc.org"),
        "component": [studied],
        "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA9633-4"}]},
    }
    pair = {**variant, "id": "g", "code": concept("84413-4", system="http://loinc.org")}
    pair["valueCodeableConcept"] = {"text": "POLG p.Ala467Thr/p.Trp748Ser"}
    for result in (variant, pair):
        (card,) = cards(call(twin, VALPROATE, observations=(result,)))
        assert f"Observation/{result['id']}" in card["detail"]
        assert cards(call(twin, draft(CODES["metformin"]), observations=(result,))) == []
