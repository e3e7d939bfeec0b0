"""A record that stays with its holder, through a real gateway and engine, by the command of the documentation."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fhirtwin.client.record import twin_of
from fhirtwin.features import vector
from fhirtwin.fhir import codec
from fhirtwin.predictors import registry, score
from fhirtwin.predictors.model import FeatureVector
from fhirtwin.settings import Settings
from tests.roads.gateway import Running, days_ago, maria


@pytest.fixture(scope="module")
def record(gateway: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maria Keller's record, exported to a file."""
    patient = gateway.post_record(maria())
    whole = gateway.http.get(f"{gateway.base}/Patient/{patient}/$everything?_count=1000")
    assert whole.status_code == 200, whole.text
    file = tmp_path_factory.mktemp("holder") / "record.json"
    file.write_bytes(whole.content)
    return file


def command(gateway: Running, record: Path, *options: str) -> subprocess.CompletedProcess[str]:
    asked = [sys.executable, "-m", "fhirtwin", "my-twin", str(record), "--data", str(gateway.data), *options]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)


def stranger(gateway: Running) -> str:
    """A Patient of whom the gateway knows nothing but that there is one."""
    made = gateway.http.post(
        f"{gateway.base}/Patient", json={"resourceType": "Patient"}, headers={"Content-Type": "application/fhir+json"}
    )
    return str(made.json()["id"])


def test_a_record_that_the_gateway_never_saw_is_scored_as_in_the_clear(gateway: Running, record: Path) -> None:
    done = command(gateway, record, "--patient", stranger(gateway), "--whole")
    assert done.returncode == 0, done.stderr
    state, settings, checked = twin_of(codec.decode(record.read_bytes(), max_depth=50), whole=True), Settings(), 0
    for predictor in registry.all_predictors():
        built = vector.build(state, predictor, datetime.now(UTC).date(), settings)
        assert isinstance(built, FeatureVector)
        for plain in score.scores(built, score.plain_sums(built), settings):
            assert f"{plain.output.horizon_years} years: {plain.percent} %" in done.stdout
            checked += 1
    assert checked >= 5
    assert "its holder opened and rounded it" in done.stdout


def test_the_gateway_keeps_what_it_cannot_open(gateway: Running, record: Path) -> None:
    patient = stranger(gateway)
    before = gateway.http.get(f"{gateway.base}/Binary?_summary=count").json()["total"]
    assert command(gateway, record, "--patient", f"Patient/{patient}", "--whole", "--keep").returncode == 0
    assert gateway.http.get(f"{gateway.base}/Binary?_summary=count").json()["total"] == before + 2
    everything = gateway.http.get(f"{gateway.base}/Patient/{patient}/$everything").json()
    assert [entry["resource"]["resourceType"] for entry in everything["entry"]] == ["Patient"]


def test_half_a_record_is_not_scored_as_if_it_were_whole(gateway: Running, record: Path) -> None:
    done = command(gateway, record, "--patient", stranger(gateway))
    assert done.returncode == 0, done.stderr
    assert " %" not in done.stdout and "not calculated" in done.stdout and "not obtained" in done.stdout


def test_errors_of_the_command_teach(gateway: Running, record: Path, tmp_path: Path) -> None:
    nobody = command(gateway, record, "--patient", "nobody", "--whole")
    assert nobody.returncode == 1 and "404" in nobody.stderr
    (tmp_path / "x.json").write_text(json.dumps({"resourceType": "Patient"}))
    wrong = command(gateway, tmp_path / "x.json", "--patient", "p")
    assert wrong.returncode == 1 and "Bundle" in wrong.stderr
    assert days_ago(0) not in wrong.stderr
