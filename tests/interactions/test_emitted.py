"""Everything that goes out is valid R4 and conforms to the profiles it claims; an independent validator agrees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.definitions import Definitions
from fhirtwin.fhir import codec
from fhirtwin.fhir.scrutiny import scrutinise
from fhirtwin.fhir.validator import validate
from tests.conftest import ROOT
from tests.gateway_in_process import FHIR, Gateway, gateway, maria
from tests.parts import entry, patient

Emitted = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = gateway(tmp_path_factory.mktemp("emitted"))
    yield made
    made.parts.store.close()


@pytest.fixture(scope="module")
def emitted(made: Gateway) -> Emitted:
    """One answer of each kind, by what was asked."""
    loaded = made.http.post("/fhir", data=maria(), content_type=FHIR)
    id_ = str(loaded.json["entry"][0]["response"]["location"]).split("Patient/")[1].split("/")[0]  # type: ignore[index]
    found: Emitted = {"transaction": codec.decode(loaded.data)}
    made.call(id_, made.prefetch(id_))
    for method, path, sent in _questions(id_):
        answer = made.http.open(f"/fhir{path}", method=method, data=sent, content_type=FHIR if sent else None)
        if answer.data:
            found[f"{method} {path} {answer.status_code}"] = codec.decode(answer.data)
    return found


def _questions(id_: str) -> list[tuple[str, str, str | None]]:
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [entry("GET", f"Patient/{id_}"), entry("GET", "Patient/x")],
    }
    return [
        ("GET", "/metadata", None),
        ("GET", f"/Patient/{id_}", None),
        ("GET", f"/Patient/{id_}/_history", None),
        ("GET", "/_history", None),
        ("GET", f"/Patient/{id_}/$twin", None),
        ("GET", f"/Patient/{id_}/$twin?date=2026-06-01", None),
        ("GET", f"/Patient/{id_}/$assess", None),
        ("POST", f"/Patient/{id_}/$assess?store=true", None),
        ("GET", f"/RiskAssessment?patient={id_}", None),
        ("GET", f"/Observation?patient={id_}&_count=2", None),
        ("GET", "/Provenance", None),
        ("GET", "/Observation?nonsense=1", None),
        ("GET", "/Patient/none", None),
        ("GET", "/Nonsense/none", None),
        ("POST", "/Patient", json.dumps(patient(gender="woman"))),
        ("POST", "/Patient", '{"resourceType"'),
        ("POST", "/Patient/$validate", json.dumps(patient(gender="woman"))),
        ("POST", "/Patient/$validate", json.dumps(patient())),
        ("POST", "", json.dumps(batch)),
    ]


def test_every_kind_of_answer_was_given(emitted: Emitted) -> None:
    assert len(emitted) >= 18
    assert {one["resourceType"] for one in emitted.values()} >= {"Bundle", "CapabilityStatement", "OperationOutcome"}
    risks = [one for asked, one in emitted.items() if "RiskAssessment" in asked]
    assert [one["total"] for one in risks] == [2]


def test_everything_emitted_is_valid_and_conforms_to_what_it_claims(made: Gateway, emitted: Emitted) -> None:
    wrong: dict[str, list[Any]] = {}
    with made.parts.store.snapshot() as reader:
        for asked, resource in emitted.items():
            issues = validate(resource) or scrutinise(resource, Definitions(reader))
            wrong[asked] = [issue for issue in issues if issue.severity == "error" or "profile" in issue.text]
    assert {asked: issues for asked, issues in wrong.items() if issues} == {}


def test_an_independent_validator_finds_no_error(shared: Path, tmp_path: Path, emitted: Emitted) -> None:
    node, modules = shutil.which("node"), os.environ.get("NM", "")
    if not node or not modules:
        pytest.skip("no node, or no folder of its modules named in NM; tools/r4-oracle/README.md of the outside data")
    for number, resource in enumerate(emitted.values()):
        (tmp_path / f"{number}.json").write_bytes(codec.encode(resource))
    for file in (ROOT / "profiles").glob("*.json"):
        shutil.copy(file, tmp_path)
    oracle = shared / "tools/r4-oracle/validate_r4.cjs"
    run = subprocess.run([node, str(oracle), "--json", str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[:4000] + run.stderr[:2000]
