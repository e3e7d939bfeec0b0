"""Twelve Synthea records through a gateway: all load, every adult gets a twin, and what is said and refused is counted.

The counts stand in `docs/real-records.md`; this test makes them anew and compares.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.roads.gateway import FHIR, Running

MEASURED = ("laboratory", "vital-signs")


@pytest.fixture(scope="module")
def records(shared: Path) -> list[str]:
    files = sorted((shared / "data" / "fhir" / "dev" / "synthea").glob("*.json.gz"))
    return [gzip.decompress(file.read_bytes()).decode() for file in files]


def _resources(record: str, kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in json.loads(record)["entry"] if e["resource"]["resourceType"] == kind]


def _last_measured_day(record: str) -> str:
    return max(
        str(observation["effectiveDateTime"])[:10]
        for observation in _resources(record, "Observation")
        if observation["category"][0]["coding"][0]["code"] in MEASURED
    )


@pytest.fixture(scope="module")
def assessed(gateway: Running, records: list[str]) -> list[dict[str, Any]]:
    """Each record stored, and what `$assess` says of it on the last day something was measured."""
    bundles = []
    for record in records:
        answer = gateway.http.post(gateway.base, data=record.encode(), headers={"Content-Type": FHIR})
        assert answer.status_code == 200, answer.text[:2000]
        assert {entry["response"]["status"][:3] for entry in answer.json()["entry"]} == {"201"}
        location = next(
            e["response"]["location"] for e in answer.json()["entry"] if "/Patient/" in e["response"]["location"]
        )
        patient = location.split("/Patient/")[1].split("/")[0]
        day = _last_measured_day(record)
        bundle = gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess", params={"date": day})
        assert bundle.status_code == 200, bundle.text
        bundles.append({"patient": patient, "day": day, "bundle": bundle.json()})
    return bundles


def test_every_resource_comes_back(gateway: Running, records: list[str], assessed: list[dict[str, Any]]) -> None:
    for record, found in zip(records, assessed, strict=True):
        for kind in ("Condition", "Observation", "MedicationRequest", "Procedure"):
            query = {"patient": found["patient"], "_count": 0}
            total = gateway.http.get(f"{gateway.base}/{kind}", params=query).json()["total"]
            assert total == len(_resources(record, kind)), kind


def test_every_adult_gets_a_twin(gateway: Running, records: list[str], assessed: list[dict[str, Any]]) -> None:
    adults = 0
    for record, found in zip(records, assessed, strict=True):
        born = date.fromisoformat(_resources(record, "Patient")[0]["birthDate"])
        if (date.fromisoformat(found["day"]) - born).days < 18 * 365.25:
            continue
        adults += 1
        twin = gateway.http.get(f"{gateway.base}/Patient/{found['patient']}/$twin")
        assert twin.status_code == 200
        assert "systolic-bp" in twin.text
    assert adults == 12


def test_scores_and_reasons_are_those_of_the_page(assessed: list[dict[str, Any]]) -> None:
    scores: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for found in assessed:
        for entry in found["bundle"]["entry"]:
            resource = entry["resource"]
            for prediction in resource.get("prediction", ()):
                ages = prediction["whenRange"]
                years = ages["high"]["value"] - ages["low"]["value"]
                scores[f"{prediction['outcome']['coding'][0]['code']}, {years} years"] += 1
            for issue in resource.get("issue", ()):
                reasons[issue["diagnostics"].rstrip(".")] += 1
    rows = [f"| {name} | {count} |" for name, count in sorted(scores.items())]
    rows += [f"| {name} | {count} |" for name, count in sorted(reasons.items())]
    page = (ROOT / "docs" / "real-records.md").read_text()
    shown = [line for line in page.splitlines() if line.startswith("| ") and line.rstrip(" |")[-1].isdigit()]
    assert shown == rows, "the page should say:\n" + "\n".join(rows)
    assert any(name.startswith("ascvd") for name in scores)
