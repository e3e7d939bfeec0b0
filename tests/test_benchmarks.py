"""Benchmarks judge as they say: bars, peers, extremes, and a calibration that other threads do not change."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import calibration, errors, panel, peers, phenotypes
from fhirtwin.vault import Vault
from fhirtwin.vault.keeping import Lifetime, Shelf
from tests.conftest import ROOT

BURNT = """
import time
from benchmarks import calibration
time.sleep(1)  # threads burn at their start
all_, own = time.process_time(), time.thread_time()
calibration.milliseconds(150)
print((time.process_time() - all_) / (time.thread_time() - own))
"""


def test_calibration_counts_no_thread_of_blas() -> None:
    """With as many as there might be on a large machine."""
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "8", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", BURNT], capture_output=True, text=True, check=True, env=env)
    assert float(run.stdout) < 1.2  # with a product by BLAS it is 1.8 to 2


def test_calibration_counts_no_other_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What threads of BLAS do after the work of the caller is no part of it."""
    monkeypatch.setattr("time.process_time", lambda: 0.0)
    assert calibration.milliseconds(2) > 0


def test_people_are_at_the_ends_of_every_sum() -> None:
    weights = np.array([[1.0, -2.0, 0.0], [0.5, 0.0, 3.0]])
    low, high = np.array([-1.0, -2.0, 0.0]), np.array([1.0, 4.0, 5.0])
    people = errors.people_of(low, high, weights, 100)
    assert people.shape == (100, 3)
    assert ((people >= low) & (people <= high)).all()
    sums = people @ weights.T
    assert sums.max(axis=0).tolist() == [5.0, 15.5]
    assert sums.min(axis=0).tolist() == [-9.0, -0.5]
    assert len(np.unique(people, axis=0)) > 60  # and not those alone


def test_a_network_is_judged_at_extremes_and_more() -> None:
    model = errors.square_network()
    inputs = errors.inputs_of(model, 2_000)
    assert inputs.shape == (2_000, 64)
    assert {row.tobytes() for row in model.samples} <= {row.tobytes() for row in inputs}
    assert (np.abs(inputs) <= 1).all()
    assert np.linalg.norm(inputs, axis=1).max() <= model.radius


def test_an_error_beyond_its_bar_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[int] = []

    def worst(people: int) -> float:
        asked.append(people)
        return people * 1e-7

    monkeypatch.setattr(errors, "KINDS", {"quick": (worst, 1e-4), "network": (worst, 3e-4)})
    assert errors.measure([], 1_001, 7) == 1
    assert asked == [1_001, 7]
    lines = capsys.readouterr().out.splitlines()
    assert "MISSED" in lines[0] and "met" in lines[1]
    assert errors.measure(["network"], 1_001, 7) == 0


def test_the_naive_peer_gives_the_sums() -> None:
    draw = np.random.default_rng(1)
    peer = peers.naive_product(draw.normal(size=(3, 5)), draw.uniform(-3, 3, (2, 5)))
    peer.once()
    assert 0 < max(peer.errors) < 1e-5
    assert peer.precise


def test_without_tenseal_its_rows_are_told_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "tenseal", None)
    assert list(peers.products_by_tenseal(np.eye(2), np.eye(2))) == []
    assert "not compared" in peers.version()


@pytest.mark.parametrize(
    ("mode", "name", "milliseconds", "error", "told", "missed"),
    [
        ("rotating", "TenSEAL", 70.0, 1e-6, "met", False),
        ("rotating", "TenSEAL", 69.9, 1e-6, "MISSED", True),
        ("rotating", "naive", 89.9, 1e-6, "MISSED", True),
        ("masked", "TenSEAL", 89.9, 1e-6, "MISSED", True),
        ("masked", "TenSEAL", 1.0, 2e-4, "less precise", False),
        ("masked", "naive", 1.0, 1e-6, "no bar", False),
    ],
)
def test_a_peer_is_judged(
    mode: str, name: str, milliseconds: float, error: float, told: str, missed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = peers.Peer(f"{name} of n", lambda values: values, np.eye(1), np.eye(1), [error])
    ours, theirs = panel.Row(mode, lambda: None, [1.0, 2.0]), panel.Row(peer.name, peer.once, [milliseconds])
    assert panel._times(ours, peer, theirs) is missed
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "seconds", "told", "code"),
    [
        ("Poor Metabolizer", 5.0, "wrong: 0", 0),
        ("Normal Metabolizer", 5.0, "wrong: 1", 1),
        ("Poor Metabolizer", 0.0, "(bar 0)", 1),
    ],
)
def test_phenotypes_are_judged(
    said: str,
    seconds: float,
    told: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = ("CYP2C19", "*2/*2", "", said, "Poor Metabolizer")
    text = "\n".join(
        "\t".join(one) for one in (("gene", "diplotype", "activity_score", "phenotype", "lookup_key"), row)
    )
    (tmp_path / "CYP2C19.tsv.gz").write_bytes(gzip.compress(text.encode()))
    monkeypatch.setattr(phenotypes, "BAR_SECONDS", seconds)
    monkeypatch.setattr(sys, "argv", ["phenotypes", str(tmp_path)])
    assert phenotypes.main() == code
    printed = capsys.readouterr().out
    assert "rows: 1 of 1 genes" in printed and told in printed


@pytest.mark.parametrize("arguments", [[], ["nowhere"]])
def test_without_tables_of_diplotypes_nothing_is_met(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["phenotypes", *arguments])
    assert phenotypes.main() == 1
    assert "in FOLDER" in capsys.readouterr().out


def test_the_page_says_which_benchmarks_are_run() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    listed = re.search(r"^BENCHMARKS := (.*)$", makefile, re.MULTILINE)
    assert listed
    run = listed[1].split()
    asked_for = re.search(r"All but these are run by it:\s(.*?)\.\s", page, re.DOTALL)
    assert asked_for
    by_hand = re.findall(r"`(\w+)`", asked_for[1])
    programs = {file.stem for file in (ROOT / "benchmarks").glob("*.py") if "__main__" in file.read_text()}
    assert not set(run) & set(by_hand)
    assert {*run, *by_hand} == programs
    assert set(re.findall(r"python -m benchmarks\.(\w+)", page)) == programs - {
        "exposure_ratios"
    }  # of pgx/phenoconversion


def test_people_go_on_when_a_vault_makes_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(lifetime=Lifetime(openings=2))
    monkeypatch.setattr(errors, "Vault", lambda panel, mode: Vault(panel, mode=mode, shelf=shelf))
    assert 0 < errors.of_panel(panel.synthetic_panel(), "rotating", 5) < 1e-4
