"""Profiles that others wrote: US Core, with its official snapshots and its own examples."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path
from typing import Any

from fhirtwin.fhir import codec, profiles
from fhirtwin.fhir.validator import validate
from tests.fhir.profiles.builders import Loaded

PATIENT = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"


def definitions(shared: Path) -> list[dict[str, Any]]:
    file = shared / "data/fhir/defs/us-core/uscore-5.0.1-structuredefinitions-with-snapshots.json.gz"
    loaded = json.loads(gzip.decompress(file.read_bytes()))
    return [entry["resource"] for entry in loaded["entry"]] if isinstance(loaded, dict) else loaded


def examples(shared: Path) -> list[dict[str, Any]]:
    with tarfile.open(shared / "data/fhir/defs/us-core/uscore-6.1.0-examples.tar.gz") as archive:
        files = [archive.extractfile(member) for member in archive if member.name.endswith(".json")]
        found = [codec.decode(file.read()) for file in files if file]
    return [one for one in found if not validate(one)]


def test_examples_conform_to_the_profiles_they_claim(shared: Path) -> None:
    known = Loaded(*definitions(shared))
    judged = 0
    for example in examples(shared):
        for canonical in example.get("meta", {}).get("profile", ()):
            if known.resource("StructureDefinition", canonical):
                judged += 1
                issues = profiles.judge(example, canonical, known)
                assert [issue for issue in issues if issue.severity == "error"] == [], example["id"]
    assert judged == 14


def test_what_us_core_demands_is_missed(shared: Path) -> None:
    known = Loaded(*definitions(shared))
    bare = {"resourceType": "Patient", "gender": "female"}
    issues = [issue for issue in profiles.judge(bare, PATIENT, known) if issue.severity == "error"]
    assert [(issue.code, issue.expression[0]) for issue in issues] == [
        ("invariant", "Patient"),
        ("required", "Patient.identifier"),
        ("required", "Patient.name"),
    ]
    assert "us-core-6" in issues[0].text
