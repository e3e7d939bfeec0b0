"""An engine that is down, slow or not ours: a card that says so at the hook, an OperationOutcome at `$assess`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

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
