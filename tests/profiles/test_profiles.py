"""Our FHIR artefacts: whole, valid R4, the same as what the code writes, and able to tell right from wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.errors import Issue
from fhirtwin.fhir import codec, validator
from fhirtwin.fhir.profiles.items import Item
from fhirtwin.fhir.profiles.judging import judge_item
from fhirtwin.predictors.registry import all_predictors
from fhirtwin.report.genomics import action, codes
from fhirtwin.report.treatment_response import assessment
from fhirtwin.settings import Settings
from fhirtwin.terms.drugs import GROUPS
from fhirtwin.terms.facts import CODES, FLAGS, GENES, LISTS, UNITS
from fhirtwin.terms.systems import CONCEPT, FACT, FHIRTWIN, OUTCOME
from fhirtwin.twin import projection
from tests.conftest import ROOT
from tests.fhir.profiles.builders import Loaded

FOLDER = ROOT / "profiles"
FIXTURES = ROOT / "fixtures" / "profiles"
Json = dict[str, Any]


def read(path: Path) -> Json:
    return codec.decode(path.read_bytes())


ARTEFACTS = {path.stem: read(path) for path in sorted(FOLDER.glob("*.json"))}
PROFILES = {a["id"]: a for a in ARTEFACTS.values() if a["resourceType"] == "StructureDefinition"}


KNOWN = Loaded(*ARTEFACTS.values())


def faults(value: Json, profile: Json) -> list[Issue]:
    """What is not as the profile says; the examples of extensions are no resources."""
    type_ = profile["type"]
    return judge_item(Item(value, type_, type_), profile["url"], KNOWN, value)


def codes_of(system: str) -> set[str]:
    (found,) = [a for a in ARTEFACTS.values() if a["resourceType"] == "CodeSystem" and a["url"] == system]
    return {concept["code"] for concept in found["concept"]}


@pytest.mark.parametrize("name", ARTEFACTS)
def test_artefact_is_valid_r4_and_named_as_its_file(name: str) -> None:
    artefact = ARTEFACTS[name]
    assert validator.validate(artefact) == []
    assert name == f"{artefact['resourceType']}-{artefact['id']}"
    assert artefact["url"] == f"{FHIRTWIN}/{artefact['resourceType']}/{artefact['id']}"


@pytest.mark.parametrize("id_", PROFILES)
def test_profile_has_a_snapshot_that_holds_its_differential(id_: str) -> None:
    snapshot = {e["id"]: e for e in PROFILES[id_]["snapshot"]["element"]}
    for element in PROFILES[id_]["differential"]["element"]:
        whole = snapshot[element["id"]]
        assert {name: whole[name] for name in element} == element
    assert all({"definition", "min", "max", "base"} <= set(e) for e in snapshot.values())


@pytest.mark.parametrize("id_", PROFILES)
def test_conforming_example_passes_and_failing_example_fails(id_: str) -> None:
    profile = PROFILES[id_]
    good, bad = (read(FIXTURES / id_ / f"{name}.json") for name in ("conforming", "failing"))
    assert faults(good, profile) == []
    assert [fault.severity for fault in faults(bad, profile)] == ["error"]
    if "resourceType" in good:
        assert validator.validate(good) == []


def test_example_that_fails_says_where() -> None:
    bad = read(FIXTURES / "twin-fact" / "failing.json")
    (fault,) = faults(bad, PROFILES["twin-fact"])
    assert (fault.code, fault.expression) == ("required", ("Observation.extension",))
    assert "slice source" in fault.text


def test_every_profile_and_extension_the_twin_is_written_with_is_defined() -> None:
    written = {v for name, v in vars(projection).items() if name.isupper() and isinstance(v, str)}
    written -= {CONCEPT, FACT, projection.LOINC, projection.RXNORM, projection.UCUM, projection.GENDER}
    genomics = {codes.REPORT, codes.GENOTYPE, codes.IMPLICATION, codes.RECOMMENDATION, assessment.INTERVAL}
    assert written | genomics == {profile["url"] for profile in PROFILES.values()}


def test_twin_and_its_facts_conform_to_their_profiles() -> None:
    bundle = read(FIXTURES / "twin-bundle" / "conforming.json")
    for entry in bundle["entry"]:
        (url,) = entry["resource"]["meta"]["profile"]
        assert faults(entry["resource"], PROFILES[url.rpartition("/")[2]]) == []


def test_code_system_of_facts_is_the_vocabulary() -> None:
    assert codes_of(FACT) == {*UNITS, *CODES, *LISTS, *FLAGS, *GENES}
    shown = {c["code"]: c["display"] for c in ARTEFACTS["CodeSystem-fact"]["concept"]}
    assert shown == dict(projection.LABELS)


def test_words_of_smoking_status_and_groups_of_medicines_are_concepts() -> None:
    assert codes_of(CONCEPT) == {"twin", *CODES["smoking-status"], *GROUPS}


def test_every_outcome_a_predictor_names_is_defined_with_its_display() -> None:
    shown = {c["code"]: c["display"] for c in ARTEFACTS["CodeSystem-outcome"]["concept"]}
    outcomes = {output.outcome for predictor in all_predictors() for output in predictor.outputs}
    assert {o.system for o in outcomes} == {OUTCOME}
    assert {o.code: o.display for o in outcomes} == shown


def test_every_predictor_and_every_category_is_defined() -> None:
    named = {c["code"]: c["display"] for c in ARTEFACTS["CodeSystem-predictor"]["concept"]}
    assert {p.id: p.title for p in all_predictors()} == named
    given = {
        category.code
        for predictor in all_predictors()
        for output in predictor.outputs
        for percent in ("0.5", "3", "4", "5", "7", "10", "15", "50", "99")
        if (category := output.category(Decimal(percent), Settings()))
    }
    assert given == codes_of(f"{FHIRTWIN}/CodeSystem/risk-category")


def test_every_kind_of_change_is_in_the_value_set_of_recommendations() -> None:
    (listed,) = ARTEFACTS["ValueSet-medication-recommendation"]["compose"]["include"]
    assert {(c["code"], c["display"]) for c in listed["concept"]} == set(action.KINDS.values())


@pytest.mark.parametrize("code", ["twin", "assess", "pharmacogenomic-report", "treatment-response"])
def test_operation_is_for_one_patient_and_returns_a_bundle(code: str) -> None:
    operation = ARTEFACTS[f"OperationDefinition-{code}"]
    assert (operation["code"], operation["resource"], operation["instance"]) == (code, ["Patient"], True)
    assert [p["type"] for p in operation["parameter"] if p["use"] == "out"] == ["Bundle"]
