"""The page of conformance, held against the marks of the tests and against the list of requirements."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_the_page_is_current_and_every_row_has_a_test_or_a_reason() -> None:
    script = ROOT / "build_support" / "conformance.py"
    command = [sys.executable, script, "--check"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_requirement_on_a_service_is_a_row(shared: Path) -> None:
    given = shared / "data" / "cds-hooks" / "requirements" / "cds-hooks-requirements.csv"
    with given.open(newline="") as file:
        wanted = {
            (line["ID"], line["Conformance"])
            for line in csv.DictReader(file)
            if line["Req Set"] == "cds-hooks_2.0"
            and line["Conformance"] in ("SHALL", "SHALL NOT")
            and "Service" in line["Actors"]
        }
    with (ROOT / "build_support" / "cds_hooks_requirements.csv").open(newline="") as file:
        rows = [(line["row"], line["level"]) for line in csv.DictReader(file)]
    assert len(rows) == len(set(rows)) == 73
    assert set(rows) == wanted
