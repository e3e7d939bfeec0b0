"""A VCF file on its way through a real gateway: over HTTP, by the command line, and of the recorded cases."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.pgx.files import vcf
from tests.roads.gateway import Running, maria

ROWS = [("chr10", 94781859, ".", "G", "A", "0/1"), ("chr10", 94842866, ".", "A", "G", "1/1")]


@pytest.fixture(scope="module")
def patient(gateway: Running) -> str:
    """A patient of these tests alone."""
    return gateway.post_record(maria())


def told(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    found = [one["part"] for one in answer.json()["parameter"] if one["name"] == "gene"]
    return {part[0]["valueString"]: part[1]["valueString"] for part in found}


def test_packed_file_becomes_genotypes_that_can_be_searched(gateway: Running, patient: str) -> None:
    url = f"{gateway.base}/Patient/{patient}/$import-vcf"
    answer = gateway.http.post(
        url, params={"sample": "S"}, data=gzip.compress(vcf(ROWS)), headers={"Content-Type": "text/vcf"}
    )
    assert told(answer)["CYP2C19"] == "CYP2C19 *1/*2"
    search = {"patient": patient, "code": "http://loinc.org|84413-4", "_count": "100"}
    found = gateway.http.get(f"{gateway.base}/Observation", params=search).json()
    assert len(found["entry"]) == 20
    twin = gateway.http.get(f"{gateway.base}/Patient/{patient}/$twin").json()
    facts = {entry["resource"].get("valueCodeableConcept", {}).get("text") for entry in twin["entry"]}
    assert "*1/*2" in facts


def test_cut_off_file_is_an_outcome_and_stores_nothing(gateway: Running, patient: str) -> None:
    url = f"{gateway.base}/Patient/{patient}/$import-vcf"
    cut = gzip.compress(vcf(ROWS))[:-12]
    answer = gateway.http.post(url, params={"sample": "S"}, data=cut, headers={"Content-Type": "text/vcf"})
    assert answer.status_code == 400
    assert "cut off" in answer.json()["issue"][0]["diagnostics"]


def test_command_line_loads_a_genome(gateway: Running, patient: str, tmp_path: Path) -> None:
    file, beside = tmp_path / "genome.vcf.gz", tmp_path / "calls.tsv"
    file.write_bytes(gzip.compress(vcf(ROWS)))
    beside.write_text("CYP2D6\t*1/*4\n")
    command = [sys.executable, "-m", "fhirtwin", "load", str(file), "--data", str(gateway.data)]
    command += ["--patient", patient, "--sample", "*", "--outside-calls", str(beside)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert ran.returncode == 0, ran.stderr
    assert "CYP2C19 *1/*2" in ran.stdout.splitlines() and "CYP2D6 *1/*4" in ran.stdout.splitlines()
    ran = subprocess.run(command[:-4], capture_output=True, text=True, check=False, env={**os.environ})
    assert ran.returncode == 1 and "sample" in ran.stderr
