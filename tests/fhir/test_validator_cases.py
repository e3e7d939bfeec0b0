"""How often we agree with HL7's Java validator on its public cases whether a resource has an error.

*Source*: https://github.com/FHIR/fhir-test-cases, `validator/`, with the outcomes of the Java validator.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.fhir.scrutiny import scrutinise
from fhirtwin.fhir.validator import validate
from tests.fhir.profiles.builders import Loaded

UNREADABLE = {"structure", "value", "required"}

NOT_AGREED = {
    "dr-example-org": "it was told not to accept URLs of example.org",
    "obs-temp-bad": "it knows which code of SNOMED CT is a vital sign",
    "parameters-reference-bad": "it was told to look for the target of each reference",
    "encounter-period": "it takes a day and a moment of that day as out of order, since they cannot be compared",
    "ai6": "a profile that it was given is not at hand",
    "qr-internal-refs": "it had a package with the extension",
    "extension-version-restriction-range-ctxt-r4": "it was given the extension as XML",
    "profile-compliesWith": "it had the extensions of a later release",
    "choice-invalid-type-qr": "it takes text for a choice without options; R4 says a choice is answered by a Coding",
    "string-with-coding-async-qr": "it knows the codes of ISO 3166, and applies a value set to a string",
}
"""Cases of which we say otherwise, and why, with unknown extensions as errors, as it was run."""
FLOORS = {"error": {"resources": 48, "answers": 28}, "information": {"resources": 45, "answers": 28}}
"""Cases agreed upon of 55 and 31, by the severity of unknown extensions."""


def has_error(file: Path, known: Loaded, unknown_extensions: str) -> bool:
    try:
        resource = codec.decode(file.read_bytes())
    except Incorrect:
        return True
    issues = validate(resource)
    if not any(issue.code in UNREADABLE for issue in issues):
        issues += scrutinise(resource, known, unknown_extensions=unknown_extensions)
    return any(issue.severity == "error" for issue in issues)


def cases(shared: Path) -> list[dict[str, Any]]:
    manifest = json.loads((shared / "data/fhir/dev/validator-cases/manifest.json").read_text())
    return [case for case in manifest["test-cases"] if case["module"] != "cdshooks"]


def agreement(shared: Path, unknown_extensions: str) -> dict[str, list[tuple[str, bool]]]:
    folder = shared / "data/fhir/dev/validator-cases"
    found: dict[str, list[tuple[str, bool]]] = {"resources": [], "answers": []}
    for case in cases(shared):
        named = [folder / name for name in (*case.get("profiles", ()), *case.get("supporting", ()))]
        known = Loaded(*(codec.decode(one.read_bytes()) for one in named if one.suffix == ".json" and one.exists()))
        ours = has_error(folder / case["file"], known, unknown_extensions)
        kind = "answers" if b'"QuestionnaireResponse"' in (folder / case["file"]).read_bytes()[:3000] else "resources"
        found[kind].append((case["name"], ours is bool(case["expected_errors"])))
    return found


def test_we_disagree_in_the_cases_listed_and_in_no_other(shared: Path) -> None:
    found = agreement(shared, "error")
    assert {name for results in found.values() for name, agreed in results if not agreed} == NOT_AGREED.keys()


@pytest.mark.parametrize("unknown_extensions", ["error", "information"])
def test_agreement_is_no_less_than_it_was(shared: Path, unknown_extensions: str) -> None:
    found = agreement(shared, unknown_extensions)
    agreed = {kind: sum(agreed for _, agreed in results) for kind, results in found.items()}
    assert {kind: len(results) for kind, results in found.items()} == {"resources": 55, "answers": 31}
    assert agreed == FLOORS[unknown_extensions]
