"""An engine that is down, slow or not ours: a card that says so at the hook, an OperationOutcome at `$assess`."""

from __future__ import annotations

import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirtwin import keyfile
from tests.roads.gateway import Running, maria, ready, running


def engine_pids(gateway: Running) -> list[int]:
    """The engine's processes below the gateway's."""
    found, pending = [], [gateway.process.pid]
    while pending:
        pid = pending.pop()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        found += [pid] if b"engine" in command else []
        for task in Path(f"/proc/{pid}/task").iterdir():
            pending += [int(child) for child in (task / "children").read_text().split()]
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    env = {"FHIRTWIN_ENGINE_TIMEOUT_SECONDS": "0.5"}
    with running(tmp_path_factory.mktemp("engine") / "data", env=env) as started:
        ready(started)
        yield started, started.post_record(maria())


def _told_and_nothing_stored(gateway: Running, patient: str) -> None:
    started = time.monotonic()
    answer = gateway.call(patient, gateway.prefetch(patient))
    assert time.monotonic() - started < 5
    assert answer.status_code == 200
    cards = answer.json()["cards"]
    assert any("engine" in (card["summary"] + card.get("detail", "")).lower() for card in cards)
    assessed = gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess")
    assert assessed.status_code in (502, 503)
    assert assessed.json()["resourceType"] == "OperationOutcome"
    assert gateway.http.get(f"{gateway.base}/RiskAssessment", params={"patient": patient}).json()["total"] == 0
    assert gateway.http.get(f"{gateway.host}/health/ready").status_code == 503


def test_a_hanging_engine_is_told(alone: tuple[Running, str]) -> None:
    gateway, patient = alone
    pids = engine_pids(gateway)
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        _told_and_nothing_stored(gateway, patient)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    ready(gateway)


def test_a_killed_engine_is_told_and_started_again(alone: tuple[Running, str]) -> None:
    gateway, patient = alone
    for pid in engine_pids(gateway):
        os.kill(pid, signal.SIGKILL)
    _told_and_nothing_stored(gateway, patient)
    ready(gateway)
    cards = gateway.call(patient, gateway.prefetch(patient)).json()["cards"]
    assert any("RiskAssessment" in str(card.get("links")) for card in cards)


def test_what_a_late_engine_says_is_not_stored_after_it_was_called_missing(tmp_path: Path) -> None:
    env = {"FHIRTWIN_ENGINE_TIMEOUT_SECONDS": "20", "FHIRTWIN_CDS_BUDGET_SECONDS": "1"}
    with running(tmp_path / "data", env=env) as gateway:
        ready(gateway)
        patient = gateway.post_record(maria())
        prefetch, pids = gateway.prefetch(patient), engine_pids(gateway)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            answer = gateway.call(patient, prefetch)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        assert answer.status_code == 503 and "is missing" in answer.text
        ready(gateway)
        time.sleep(2)  # the handler that was cut off has its answer by now
        stored = f"{gateway.base}/RiskAssessment?patient={patient}"
        assert gateway.http.get(stored).json()["total"] == 0
        assert gateway.call(patient, prefetch).status_code == 200
        assert gateway.http.get(stored).json()["total"] > 0


OLDER = "import fhirtwin; fhirtwin.__version__ = '0.0.9'; from fhirtwin.cli import main; main()"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Running, str, Path]]:
    """A gateway whose engine is to be at a socket of the test's; its record, the socket's path."""
    socket_path = tmp_path / "engine.sock"
    keyfile.make(tmp_path / "engine.key")
    options = ("--open", "--engine", f"unix:{socket_path}", "--engine-key", str(tmp_path / "engine.key"))
    with running(tmp_path / "data", *options, env={"FHIRTWIN_ENGINE_TIMEOUT_SECONDS": "0.5"}) as started:
        yield started, started.post_record(maria()), socket_path


def test_an_older_engine_is_told(elsewhere: tuple[Running, str, Path]) -> None:
    gateway, patient, path = elsewhere
    options = ["--listen", f"unix:{path}", "--engine-key", str(path.parent / "engine.key")]
    engine = subprocess.Popen([sys.executable, "-c", OLDER, "engine", *options])
    try:
        deadline = time.monotonic() + 20
        while "0.0.9" not in gateway.http.get(f"{gateway.host}/health/ready").text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        _told_and_nothing_stored(gateway, patient)
        assert "0.0.9" in gateway.http.get(f"{gateway.base}/Patient/{patient}/$assess").text
    finally:
        engine.terminate()
        engine.wait(timeout=10)


def test_an_engine_that_answers_garbage_is_told(elsewhere: tuple[Running, str, Path]) -> None:
    gateway, patient, path = elsewhere

    class Garbage(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            body = os.urandom(65_805)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with socketserver.ThreadingUnixStreamServer(str(path), Garbage) as engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        _told_and_nothing_stored(gateway, patient)
        engine.shutdown()
