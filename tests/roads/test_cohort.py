"""`fhirtwin cohort` as a user runs it: real processes, a real engine, killed in the middle, lied to, and on Ray."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from werkzeug.serving import make_server

from fhirtwin import keyfile
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import BATCH
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.predictors import registry
from tests.cohort.people import DAY, line, settled
from tests.roads.gateway import maria, ready, running

BLOCKS = 3
PEOPLE = (BLOCKS - 1) * (2 * BATCH.slots - 16) + 100


def command(folder: Path, source: Path | str, out: Path, *options: str) -> list[str]:
    given = ["--input", str(source), "--out", str(out), "--data", str(folder / "data"), "--date", DAY.isoformat()]
    return [sys.executable, "-m", "fhirtwin", "cohort", *given, *options]


def cohort(folder: Path, source: Path | str, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, source, out, *options), capture_output=True, text=True, timeout=300, check=False
    )


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many that there are several batches, with sums that noise cannot move; a line is broken, one twice there."""
    file = tmp_path_factory.mktemp("people") / "people.ndjson"
    lines = [line(number, DAY) for number in islice(settled(), PEOPLE)]
    lines[5000] = b'{"patient": "Patient/secret-name", broken}\n'
    lines[9] = lines[8]
    file.write_bytes(b"".join(lines))
    return file


@pytest.fixture(scope="module")
def whole(people: Path) -> Path:
    """What a run in one go gives."""
    out = people.parent / "whole" / "out.ndjson"
    out.parent.mkdir()
    done = cohort(
        out.parent, people, out, "--assessments", str(out.parent / "ra.ndjson"), "--origin", "https://e.example"
    )
    assert done.returncode == 1, done.stderr
    assert f"2 of {PEOPLE} were refused" in done.stderr
    return out


def test_everybody_has_a_row_or_a_reason(people: Path, whole: Path) -> None:
    found = rows(whole)
    assert len(found) == PEOPLE - 2
    assert len({row["patient"] for row in found}) == len(found)
    assert [row["line"] for row in found] == [n for n in range(1, PEOPLE + 1) if n not in (10, 5001)]
    refused = rows(whole.with_name("out.ndjson.refused.ndjson"))
    assert [one["line"] for one in refused] == [10, 5001]
    assert "secret" not in json.dumps(refused)
    assert {row["model"] for row in found} == {Batch(registry.panel(registry.all_predictors())).digest}
    assert any(one["reasons"] for row in found for one in row["refused"])
    for row in found:
        said = {result["predictor"] for result in row["results"]} | {one["predictor"] for one in row["refused"]}
        assert said == {"prevent-base", "kfre-4-variable"}
    reports = rows(whole.with_name("ra.ndjson"))
    assert len(reports) == sum(len({r["predictor"] for r in row["results"]}) for row in found)
    assert reports[0]["subject"]["reference"] == found[0]["patient"]
    assert not list(whole.parent.glob("*.part")) and not list(whole.parent.glob("*.journal"))


@pytest.mark.parametrize("when", ["before a block is done", "after the first block"])
def test_killed_and_run_again_it_gives_the_same(people: Path, whole: Path, tmp_path: Path, when: str) -> None:
    out = tmp_path / "out.ndjson"
    options = ("--assessments", str(tmp_path / "ra.ndjson"), "--origin", "https://e.example")
    wanted = ["before a block is done", "after the first block"].index(when)
    process = subprocess.Popen(command(tmp_path, people, out, *options), stderr=subprocess.DEVNULL)
    journal = tmp_path / "out.ndjson.journal"
    try:
        deadline = time.monotonic() + 120
        while not journal.exists() or journal.read_bytes().count(b'"block"') < wanted:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not out.exists()
    again = cohort(tmp_path, people, out, *options)
    assert again.returncode == 1, again.stderr
    for name in ("out.ndjson", "out.ndjson.refused.ndjson", "ra.ndjson"):
        assert (tmp_path / name).read_bytes() == (whole.parent / name).read_bytes()


def test_nothing_of_a_killed_run_is_left_running(people: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(command(tmp_path, people, tmp_path / "out"), stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    while not any(map(_is_worker, found := children.read_text().split())) or not _engines(process.pid):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(_runs(int(pid)) for pid in found):
        assert time.monotonic() < deadline + 30
        time.sleep(0.1)


def _is_worker(pid: str) -> bool:
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def test_the_same_command_twice_overwrites_nothing(people: Path, whole: Path) -> None:
    before = whole.read_bytes()
    again = cohort(whole.parent, people, whole)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert whole.read_bytes() == before


class Liar(Evaluator):
    """Answers rightly a few times, then adds to what it says of all patients."""

    def __init__(self, right: int) -> None:
        panel = registry.panel(registry.all_predictors())
        super().__init__(panel, circuits=[Batch(panel)])
        self.left = right

    def evaluate(self, features: SealedFeatures, keys_digest: bytes, tenant: str = "") -> SealedScores:
        answer = super().evaluate(features, keys_digest, tenant)
        self.left -= 1
        if self.left >= 0:
            return answer
        ring, one = Ring(BATCH), BATCH.answer_bytes
        first = ring.load(answer.sealed_sums[:one], BATCH.product_scale, primes=1)
        ring.add_plain(first, ring.encode(np.full(BATCH.slots, 0.3 + 0.3j), BATCH.product_scale))
        return SealedScores(
            answer.profile, answer.panel_digest, answer.request_id, ring.save(first) + answer.sealed_sums[one:]
        )


@contextmanager
def engine(folder: Path, evaluator: Evaluator) -> Iterator[tuple[str, ...]]:
    """An engine in this process, on a socket; gives the options that name it."""
    key = folder / "shared.key"
    keyfile.make(key)
    server = make_server("127.0.0.1", 0, create_app(evaluator, bytes.fromhex(keyfile.read(key))))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "--engine", f"http://127.0.0.1:{server.server_port}", "--engine-key", str(key)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_engine_that_begins_to_lie_is_quarantined_and_no_row_of_its_passes_for_good(
    people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with engine(tmp_path, Liar(right=1)) as named:
        found = cohort(tmp_path, people, out, *named, "--workers", "1")
        assert found.returncode == 1
        assert "quarantine" in found.stderr
        assert "not to be believed" in found.stderr
        assert not out.exists()
        assert len(rows(tmp_path / "out.doubted")) == 4079
        again = cohort(tmp_path, people, out, *named)
        assert again.returncode == 1
        assert "quarantine lift" in again.stderr
        assert not out.exists()
    shown = subprocess.run(
        [sys.executable, "-m", "fhirtwin", "quarantine", "show", "--data", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "wrong: 1" in shown.stdout
    assert "In quarantine" in shown.stdout


def test_an_engine_without_the_batch_is_told_with_what_to_do(people: Path, tmp_path: Path) -> None:
    panel = registry.panel(registry.all_predictors())
    with engine(tmp_path, Evaluator(panel)) as named:
        found = cohort(tmp_path, people, tmp_path / "out", *named)
    assert found.returncode == 1
    assert "fhirtwin engine --batch" in found.stderr


def test_an_engine_that_dies_is_waited_for(people: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    process = subprocess.Popen(
        command(tmp_path, people, out, "--workers", "1", "--origin", "https://e.example"),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "out.ndjson.journal").exists() or not (found := _engines(process.pid)):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    while (tmp_path / "out.ndjson.journal").read_bytes().count(b'"block"') < 1:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1, told
    assert out.read_bytes() == whole.read_bytes()


def _engines(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in children if b"engine" in Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")]


def test_prepared_first_and_scored_then_it_is_the_same_as_in_one_go(tmp_path: Path) -> None:
    from benchmarks import patients

    source = tmp_path / "records.ndjson"
    with source.open("w") as file:
        for number in range(20):
            entries = [{"resource": one} for found in patients.patient(number, DAY)[1].values() for one in found]
            file.write(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}) + "\n")
    at_once = cohort(tmp_path, source, tmp_path / "at-once")
    assert at_once.returncode == 0, at_once.stderr
    assert cohort(tmp_path, source, tmp_path / "vectors", "--prepare").returncode == 0
    assert cohort(tmp_path, tmp_path / "vectors", tmp_path / "then").returncode == 0
    for one, other in zip(rows(tmp_path / "at-once"), rows(tmp_path / "then"), strict=True):
        assert (one["patient"], one["refused"]) == (other["patient"], other["refused"])
        for left, right in zip(one["results"], other["results"], strict=True):
            assert abs(left["percent"] - right["percent"]) <= 0.11, "the last digit may differ between two sealings"
    one_model = cohort(tmp_path, tmp_path / "vectors", tmp_path / "one", "--models", "kfre-4-variable")
    assert one_model.returncode == 0
    assert {r["predictor"] for row in rows(tmp_path / "one") for r in row["results"]} == {"kfre-4-variable"}


def test_patients_of_a_store_are_scored_beside_a_running_gateway(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(tmp_path / "data") as gateway:
        ready(gateway)
        id_ = gateway.post_record(maria())
        nobody = gateway.http.put(
            f"{gateway.base}/Patient/nobody", json={"resourceType": "Patient", "id": "nobody", "gender": "female"}
        )
        assert nobody.status_code == 201
        today = ["--input", "store", "--out", str(out), "--data", str(tmp_path / "data")]
        found = subprocess.run(
            [sys.executable, "-m", "fhirtwin", "cohort", *today, "--assessments", str(tmp_path / "ra")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        assessed = gateway.http.get(f"{gateway.base}/Patient/{id_}/$assess").json()
    first, second = rows(out)
    assert first["patient"] == f"Patient/{id_}"
    assert first["twinVersion"] >= 1
    reports = [one["resource"] for one in assessed["entry"] if one["resource"]["resourceType"] == "RiskAssessment"]
    alone = [p["probabilityDecimal"] for report in reports for p in report["prediction"]]
    assert [r["percent"] for r in first["results"]] == pytest.approx(alone, abs=0.11)
    assert {one["identifier"][0]["value"] for one in rows(tmp_path / "ra")} == {
        report["identifier"][0]["value"] for report in reports
    }
    assert second["results"] == []
    assert all("age is missing" in one["reasons"] for one in second["refused"])


def test_on_a_ray_cluster_it_is_the_same(people: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    options = ("--assessments", str(tmp_path / "ra.ndjson"), "--origin", "https://e.example")
    found = cohort(tmp_path, people, out, *options, "--ray", "local", "--workers", "2")
    assert found.returncode == 1, found.stderr
    assert f"2 of {PEOPLE} were refused" in found.stderr
    for name in ("out.ndjson", "out.ndjson.refused.ndjson", "ra.ndjson"):
        assert (tmp_path / name).read_bytes() == (whole.parent / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--models", "luck"), "no model luck"),
        (("--date", "2999-01-01"), "future"),
        (("--date", "soon"), "YYYY-MM-DD"),
        (("--prepare", "--assessments", "x"), "leave one of the two out"),
        (("--ray", "host:1"), "--engine https"),
        (("--engine", "ftp://x", "--engine-key", "KEY"), "engine's address"),
    ],
)
def test_what_is_typed_wrong_is_told(people: Path, tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    keyfile.make(tmp_path / "key")
    given = [str(tmp_path / "key") if one == "KEY" else one for one in options]
    found = cohort(tmp_path, people, tmp_path / "out", *given)
    assert found.returncode != 0
    assert told in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "out").exists()
