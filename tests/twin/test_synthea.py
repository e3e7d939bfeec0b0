"""Real-shaped records: every Synthea bundle is read, every adult gets a twin, and the counts are known."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from fhirtwin.fhir import codec, validator
from fhirtwin.twin.derived import as_of, newest
from fhirtwin.twin.mappers.registry import map_resource
from fhirtwin.twin.overlay import overlay
from fhirtwin.twin.projection import to_fhir
from fhirtwin.twin.state import PatientKey, Source, TwinState
from fhirtwin.twin.state_json import from_json, to_json


def twin_of(path: Path) -> TwinState:
    mapped = []
    for entry in codec.decode(gzip.decompress(path.read_bytes()))["entry"]:
        resource = entry["resource"]
        source = Source("", resource["resourceType"], resource["id"], "1")
        mapped.append((source, map_resource(resource, source)))
    return overlay(None, PatientKey("", path.name), mapped, frozenset({"Condition"}), f"Patient/{path.name[:2]}")


@pytest.fixture(scope="module")
def twins(shared: Path) -> list[TwinState]:
    found = [twin_of(path) for path in sorted((shared / "data/fhir/dev/synthea").glob("*.json.gz"))]
    assert len(found) == 12
    return found


def last_day(twin: TwinState) -> date:
    return date.fromisoformat(max(f.time[:10] for f in twin.facts))


def test_facts_of_all_records_are_counted(twins: list[TwinState]) -> None:
    assert Counter(f.name for twin in twins for f in twin.facts) == {
        "sex": 12,
        "birth-date": 12,
        "deceased": 4,
        "body-height": 82,
        "body-weight": 82,
        "bmi": 82,
        "systolic-bp": 82,
        "diastolic-bp": 82,
        "smoking-status": 82,
        "total-cholesterol": 37,
        "hdl-cholesterol": 37,
        "creatinine": 30,
        "hba1c": 16,
        "ldl-cholesterol": 37,
        "triglycerides": 37,
        "sodium": 30,
        "potassium": 30,
        "chloride": 30,
        "glucose": 30,
        "urea-nitrogen": 30,
        "albumin": 12,
        "alkaline-phosphatase": 12,
        "alt": 12,
        "ast": 12,
        "bilirubin-total": 12,
        "hemoglobin": 20,
        "leukocytes": 20,
        "platelets": 20,
        "cardiovascular-disease": 1,
        "heart-failure": 1,
        "pregnancy": 8,
        "statin": 29,
        "antihypertensive": 8,
        "medicine": 116,
    }


def test_what_is_not_used_is_counted_by_reason(twins: list[TwinState]) -> None:
    other = "this eGFR is not by the CKD-EPI 2021 creatinine equation; only that, or a creatinine, is used"
    assert Counter((u.source.type, u.reason) for twin in twins for u in twin.unused) == {
        ("Observation", "code not known"): 403,
        ("Observation", other): 33,
        ("Condition", "code not known"): 69,
        ("Condition", "prediabetes is not counted as diabetes"): 2,
        ("Procedure", "code not known"): 346,
        ("MedicationRequest", "code not known"): 2,
        ("MedicationRequest", "code not known, of a medicine that is past"): 8,
    }


def test_every_adult_has_a_twin_at_the_end_of_the_record(twins: list[TwinState]) -> None:
    adults = 0
    for twin in twins:
        state = as_of(twin, last_day(twin))
        age = newest(state, "age")
        assert age is not None
        if age.value >= 18:
            adults += 1
            assert all(newest(state, name) for name in ("sex", "systolic-bp", "bmi", "current-smoker"))
    assert adults == 12


def test_egfr_is_calculated_where_there_is_creatinine(twins: list[TwinState]) -> None:
    found = [newest(as_of(twin, last_day(twin)), "egfr") for twin in twins]
    assert [str(f.value) for f in found if f] == ["97.27", "79.09", "20.97"]
    shown = [newest(as_of(twin, last_day(twin)), "ckd-g3-g5-shown") for twin in twins]
    assert [f.value for f in shown if f] == [False, False, True]


def test_every_twin_survives_json_and_is_valid_r4(twins: list[TwinState]) -> None:
    for twin in twins:
        assert from_json(to_json(twin)) == twin
        bundle = codec.decode(codec.encode(to_fhir(twin, base_url="https://twin.example/fhir")))
        assert validator.validate(bundle, type="Bundle") == []
