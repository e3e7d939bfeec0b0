"""The engine that `fhirtwin serve` starts: what it is given, and that it does not outlive its gateway."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fhirtwin.serving.engine_beside import ENGINE_ENVIRONMENT
from tests.roads.gateway import ready, running
from tests.roads.test_broken_engine import engine_pids


def test_the_engine_sees_nothing_of_the_gateways_environment(tmp_path: Path) -> None:
    env = {"FHIRTWIN_MAX_COUNT": "77", "HOSPITAL_DATABASE_PASSWORD": "hunter2-hunter2"}
    with running(tmp_path / "data", env=env) as gateway:
        ready(gateway)
        pids = engine_pids(gateway)
        assert pids
        for pid in pids:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            names = {entry.partition(b"=")[0].decode() for entry in environment.split(b"\0") if entry}
            assert names <= {*ENGINE_ENVIRONMENT, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}


def test_the_engine_stops_when_its_gateway_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        ready(gateway)
        pids = engine_pids(gateway)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
        _gone(pids)


def _gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "a process outlived the one that started it"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_no_worker_of_a_killed_engine_stays(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        ready(gateway)
        first, *workers = engine_pids(gateway)
        assert workers
        os.kill(first, signal.SIGKILL)
        _gone(workers)
        ready(gateway)


def test_a_second_gateway_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        command = [sys.executable, "-m", "fhirtwin", "serve", "--open", "--port", "0", "--data", str(gateway.data)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert "A gateway runs on" in second.stderr
        assert (gateway.data / "running.json").exists()
    assert not (tmp_path / "data" / "running.json").exists()
