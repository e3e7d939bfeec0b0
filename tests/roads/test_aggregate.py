"""The parties of a study as processes of their own, which hand each other files and nothing else."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fhirtwin.keyfile import SHORTEST_PASSPHRASE
from tests.aggregate import pooled
from tests.studies.builders import SITES

PASSPHRASE = "correct horse battery staple"


class World:
    """A folder, and the command in it."""

    def __init__(self, folder: Path, plan: dict[str, Any]) -> None:
        self.folder = folder
        (folder / "plan.json").write_text(json.dumps(plan))
        self.secret("pass", PASSPHRASE)
        self.data = pooled.write(folder, pooled.rows())

    def secret(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o600)

    def run(self, *words: str, wrong: str = "") -> str:
        command = [sys.executable, "-m", "fhirtwin", "aggregate", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        if wrong:
            assert done.returncode == 1, (done.stdout, done.stderr)
            assert wrong in done.stderr
        else:
            assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def new(self) -> None:
        self.run("new", "plan.json", "--folder", "study", "--passphrase-file", "pass")

    def seal(self, site: int, suffix: str = "1", *more: str, wrong: str = "") -> str:
        name = SITES[site]
        out, invitation = f"{name}.{suffix}", f"study/invitations/{name}.json"
        words = ("study/study.json", self.data[site].name, "--invitation", invitation, "--out", out, *more)
        self.run("seal", *words, wrong=wrong)
        return out

    def open(self, total: str, wrong: str = "") -> str:
        return self.run("open", "study", total, "--passphrase-file", "pass", wrong=wrong)


def plan(**changes: Any) -> dict[str, Any]:
    column = {"name": "age", "low": 18, "high": 110, "step": 1}
    return {"name": "s", "kind": "mean", "sites": list(SITES), "columns": [column]} | changes


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, plan())


def test_a_mean_from_rows_of_four_sites(world: World) -> None:
    world.new()
    shown = world.run("show", "study/study.json")
    assert "a total needs 3 of them" in shown and "in at most 1 round of 4 numbers" in shown
    sealed = [world.seal(site) for site in range(4)]
    assert world.run("add", "study/study.json", *sealed, "--out", "total").split() == list(SITES)
    found = json.loads(world.open("total"))
    everybody = np.concatenate(pooled.rows())[:, 0]
    assert (found["rows"], found["contributors"]) == (len(everybody), 4)
    assert found["columns"]["age"]["mean"] == pytest.approx(everybody.mean(), rel=1e-14)
    assert json.loads((world.folder / "study" / "result.json").read_text()) == found
    assert not (world.folder / "study" / "coordinator.key").exists()
    world.open("total", wrong="is done")


def test_a_logistic_regression_in_rounds(tmp_path: Path) -> None:
    outcome = {"name": "ill", "low": 0, "high": 1, "step": 1}
    world = World(tmp_path, plan(kind="logistic", outcome=outcome, penalty=2.0))
    world.new()
    more: tuple[str, ...] = ()
    for number in range(1, 12):
        sealed = [world.seal(site, str(number), *more) for site in range(4)]
        world.run("add", "study/study.json", *sealed, "--out", f"total-{number}", *more)
        said = world.open(f"total-{number}")
        if said.startswith("{"):
            break
        if number == 2:
            world.open("total-1", wrong="another round")
            world.seal(0, "late", "--round", "study/round-2.json", wrong="sealed for round 2 of s already")
        more = ("--round", f"study/round-{number + 1}.json")
    found, everybody = json.loads(said), np.concatenate(pooled.rows())
    model = LogisticRegression(C=0.5, tol=1e-14, solver="newton-cholesky").fit(everybody[:, :1], everybody[:, 3])
    assert found["coefficients"]["age"] == pytest.approx(model.coef_[0, 0], rel=1e-8)


def test_a_logistic_regression_with_noise_in_exactly_its_rounds(tmp_path: Path) -> None:
    outcome = {"name": "ill", "low": 0, "high": 1, "step": 1}
    noisy = {"epsilon": 10.0}
    (tmp_path / "wrong").mkdir()
    refused = World(tmp_path / "wrong", plan(kind="logistic", outcome=outcome, noise=noisy))
    refused.run("new", "plan.json", "--folder", "study", "--passphrase-file", "pass", wrong="set most_rounds")
    world = World(tmp_path, plan(kind="logistic", outcome=outcome, noise=noisy, most_rounds=4))
    world.new()
    shown = world.run("show", "study/study.json")
    assert "epsilon 10, of all rounds together" in shown and "and no number of rows" in shown
    assert "in at most 4 rounds of 6 numbers" in shown
    more: tuple[str, ...] = ()
    for number in range(1, 5):
        sealed = [world.seal(site, str(number), *more) for site in range(4)]
        world.run("add", "study/study.json", *sealed, "--out", f"total-{number}", *more)
        said = world.open(f"total-{number}")
        assert said.startswith("{") == (number == 4)
        more = ("--round", f"study/round-{number + 1}.json")
    found, everybody = json.loads(said), np.concatenate(pooled.rows())
    model = LogisticRegression(C=np.inf, tol=1e-14, solver="newton-cholesky").fit(everybody[:, :1], everybody[:, 3])
    assert found["noise"]["epsilon_of_rounds"] == pytest.approx([10 / 6, 10 / 6, 10 / 6, 5])
    assert "rows" not in found and found["rounds"] == 4
    error = abs(found["coefficients"]["age"] - model.coef_[0, 0])
    assert 0 < error < 15 * found["noise_of_coefficients"]["age"] < 0.1
    world.open("total-4", wrong="is done")


def test_what_a_site_hands_over_holds_nothing_of_its_rows_or_secrets(world: World) -> None:
    world.new()
    sealed = (world.folder / world.seal(0)).read_bytes()
    rows = pooled.rows()[0][:, 0]
    counts = 2 * rows - 128
    numbers = [len(rows), rows.sum(), counts.sum(), (counts**2).sum()]
    for number in numbers:
        for shown in (np.float64(number).tobytes(), np.int64(number).tobytes(), str(int(number)).encode()):
            assert len(shown) < 4 or shown not in sealed
    invitation = json.loads((world.folder / "study" / "invitations" / "north.json").read_text())
    for name in ("shared", "own"):
        assert bytes.fromhex(invitation[name]) not in sealed and invitation[name].encode() not in sealed


def test_secrets_are_files_that_nobody_else_reads(world: World) -> None:
    world.new()
    study = world.folder / "study"
    for path in (study / "coordinator.key", *(study / "invitations").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(study.stat().st_mode) == 0o700
    (study / "invitations" / "north.json").chmod(0o644)
    world.seal(0, wrong="can be read by others")


def test_the_key_opens_under_its_passphrase_alone(world: World) -> None:
    world.new()
    total = [world.seal(site) for site in range(3)]
    world.run("add", "study/study.json", *total, "--out", "total")
    world.secret("other", "another passphrase")
    world.run("open", "study", "total", "--passphrase-file", "other", wrong="the passphrase is wrong")
    world.secret("short", "x" * (SHORTEST_PASSPHRASE - 1))
    short = ("new", "plan.json", "--folder", "again", "--passphrase-file", "short")
    world.run(*short, wrong="at least 16 characters")
    assert not (world.folder / "again").exists()
    assert json.loads(world.open("total"))["contributors"] == 3


def test_totals_that_are_not_what_they_say_end_the_study_at_the_third(world: World) -> None:
    world.new()
    sealed = [world.seal(site) for site in range(4)]
    world.run("add", "study/study.json", *sealed, "--out", "total")
    right = (world.folder / "total").read_bytes()
    wrong = bytearray(right)
    wrong[-40_000] ^= 0x10
    (world.folder / "wrong").write_bytes(wrong)
    world.open("wrong", wrong="not the sum of the contributions")
    world.open("wrong", wrong="not the sum of the contributions")
    world.open("wrong", wrong="the key of the study is erased")
    world.open("total", wrong="is done")
    assert not (world.folder / "study" / "coordinator.key").exists()


def test_a_site_seals_once_a_round_and_only_for_studies_it_accepts(world: World) -> None:
    world.new()
    world.seal(0, "1", "--at-least", "4", wrong="you want at least 4")
    world.seal(0)
    world.seal(0, "2", wrong="already. --again")
    world.seal(0, "1", "--again", wrong="exists already")
    world.seal(0, "2", "--again")
    world.run("add", "study/study.json", "north.1", "north.2", "--out", "total", wrong="counts once")


def test_a_round_is_believed_from_the_coordinator_alone(tmp_path: Path) -> None:
    outcome = {"name": "ill", "low": 0, "high": 1, "step": 1}
    world = World(tmp_path, plan(kind="logistic", outcome=outcome))
    world.new()
    sealed = [world.seal(site) for site in range(3)]
    world.run("add", "study/study.json", *sealed, "--out", "total")
    world.open("total")
    path = world.folder / "study" / "round-2.json"
    told = json.loads(path.read_text())
    for change in ({"coefficients": [0.5, 0.5]}, {"number": 3}):
        (world.folder / "changed.json").write_text(json.dumps(told | change))
        world.seal(0, "2", "--round", "changed.json", wrong="not signed by the coordinator")
    (world.folder / "changed.json").write_text(json.dumps(told | {"study": "00" * 32}))
    world.seal(0, "2", "--round", "changed.json", wrong="another study")


def test_values_outside_bounds_are_refused_and_nothing_is_written(world: World) -> None:
    world.new()
    world.data[0].write_text("age\n" + "50\n" * 20 + "111\n")
    world.seal(0, wrong="Row 21: a value of age lies outside 18 to 110")
    assert not (world.folder / "north.1").exists()
    world.data[0].write_text("age\n" + "50\n" * 20)
    world.seal(0)
