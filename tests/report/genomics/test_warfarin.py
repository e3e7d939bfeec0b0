from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.fhir import validator
from fhirtwin.report.genomics import report, warfarin
from fhirtwin.report.genomics.medicines import current
from fhirtwin.report.genomics.report import Findings
from fhirtwin.report.genomics.warfarin import Inputs
from fhirtwin.rules.genetics import dosing, person
from fhirtwin.twin import derived
from fhirtwin.twin.gaps import MEDICINES
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState, in_order
from tests.report.genomics.builders import DAY, bundle, findings, gene, medicine

C, T = "rs9923231 reference (C)", "rs9923231 variant (T)"


def measured(name: str, value: str, unit: str, time: str = "2025-12-01") -> Fact:
    return Fact(name, Decimal(value), (Source("", "Observation", f"o-{name}", "1"),), unit, time)


BODY = (
    Fact("birth-date", "1960-06-01", (Source("", "Patient", "p", "1"),)),
    measured("body-height", "170", "cm"),
    measured("body-weight", "70", "kg"),
)


def told(*facts: Fact, lists: frozenset[str] = MEDICINES, unread: tuple[str, ...] = ()) -> tuple[Any, str]:
    whole = TwinState(PatientKey("", "p"), 1, in_order(facts), lists=lists, reference="Patient/p")
    state = derived.as_of(whole, DAY)
    inputs = Inputs(state, person.of(state), current(state), DAY, timedelta(days=365), unread)
    return warfarin.estimate(inputs, findings().about)


def test_the_estimate_is_the_equations_with_its_terms_and_sources() -> None:
    made, why = told(*BODY, gene("VKORC1", f"{C}/{C}"), gene("CYP2C9", "*1/*1"))
    assert why == ""
    resource = made.resource
    assert validator.validate(resource) == []
    (prediction,) = resource["prediction"]
    # The worked example is of 65 years, White: 41.1 mg; the weight for missing race is -0.1032 in the sum.
    assert prediction["outcome"]["text"] == f"Stable dose of warfarin: about {(41.1**0.5 - 0.1032) ** 2:.1f} mg a week"
    assert "VKORC1 -1639 GG" not in prediction["rationale"]  # the reference has no weight of its own
    assert {one["reference"].split("/fhir/")[1] for one in resource["basis"]} == {
        "Patient/p/_history/1",
        "Observation/o-body-height/_history/1",
        "Observation/o-body-weight/_history/1",
        "Observation/o-VKORC1/_history/1",
        "Observation/o-CYP2C9/_history/1",
    }


@pytest.mark.parametrize(
    ("diplotype", "name"), [(f"{C}/{C}", "-1639 GG"), (f"{C}/{T}", "-1639 AG"), (f"{T}/{T}", "-1639 AA")]
)
def test_vkorc1_is_read_from_the_strand_of_the_chromosome(diplotype: str, name: str) -> None:
    state = TwinState(PatientKey("", "p"), 1, (gene("VKORC1", diplotype),))
    assert dosing.genotype("VKORC1", person.of(state)) == (name, "")


def test_amiodarone_and_inducers_count() -> None:
    def rationale(*names: str) -> str:
        made, _ = told(*BODY, gene("VKORC1", f"{C}/{T}"), *map(medicine, names))
        return str(made.resource["prediction"][0]["rationale"])

    assert "amiodarone -0.5503" in rationale("amiodarone")
    assert "enzyme inducer +1.1816" in rationale("carbamazepine")


@pytest.mark.parametrize(
    ("facts", "more", "why"),
    [
        (BODY[:2], {}, "body weight is not known"),
        ((*BODY[:2], measured("body-weight", "70", "kg", "2023-01-01")), {}, "body weight is too old"),
        ((*BODY[:2], measured("body-weight", "700", "kg")), {}, "weight in kg"),
        ((*BODY, gene("CYP2C9", "*1/*8")), {}, "does not know the genotype of CYP2C9"),
        ((*BODY, gene("CYP2C9", "*1/*2 | *1/*3")), {}, "several genotypes of CYP2C9"),
        ((*BODY, gene("CYP2C9", "Poor Metabolizer", "gene-phenotype")), {}, "does not know the genotype of CYP2C9"),
        ((*BODY, gene("VKORC1", f"{C}/{C} | {C}/{T}")), {}, "several genotypes of VKORC1"),
        (BODY, {"lists": frozenset({"Condition"})}, "which medicines are taken"),
        (BODY, {"unread": ("code not known",)}, "could not be read"),
    ],
)
def test_what_is_not_known_is_no_estimate(facts: tuple[Fact, ...], more: dict[str, Any], why: str) -> None:
    made, said = told(*facts, **more)
    assert made is None
    assert why in said
    assert said.startswith("warfarin: no dose was estimated: ")


def test_the_report_points_at_the_assessment() -> None:
    found: Findings = findings(medicine("warfarin"))
    made, _ = told(*BODY)
    whole = report.bundle(found, [made])
    assert validator.validate(whole, type="Bundle") == []
    (extension,) = whole["entry"][0]["resource"]["extension"]
    assert extension["url"].endswith("/genomic-risk-assessment")
    assert extension["valueReference"]["reference"] == whole["entry"][-1]["fullUrl"]
    assert "CPIC gives a dosing algorithm" in bundle(medicine("warfarin"))["entry"][0]["resource"]["conclusion"]
