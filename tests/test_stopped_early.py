"""A gateway or an engine that is told to stop while its workers still load stops, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fhirtwin import keyfile
from fhirtwin.machine import free_port
from tests.conftest import ROOT

STOPS_WITHIN = 20.0


def _workers(process: subprocess.Popen[bytes]) -> list[int]:
    """What it has forked: children of its own command line."""
    own = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(one) for one in children if Path(f"/proc/{one}/cmdline").read_bytes() == own]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["serve", "engine"])
def test_a_signal_before_the_worker_is_ready_ends_all(tmp_path: Path, command: str, number: int) -> None:
    keyfile.make(tmp_path / "key")
    options = {
        "serve": [
            "--open",
            "--data",
            f"{tmp_path}/data",
            "--port",
            f"{free_port('127.0.0.1')}",
            "--engine",
            "unix:/none",
        ],
        "engine": ["--listen", f"unix:{tmp_path}/s", "--workers", "1"],
    }
    words = [command, *options[command], "--engine-key", str(tmp_path / "key")]
    process = subprocess.Popen([sys.executable, "-m", "fhirtwin", *words], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while not (workers := _workers(process)):
            assert process.poll() is None and time.monotonic() < deadline, "it did not start a worker"
            time.sleep(0.005)
        time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(STOPS_WITHIN) in (0, 1)
    finally:
        for one in (*workers, process.pid):
            if process.poll() is None:
                os.kill(one, signal.SIGKILL)
        process.wait()
    assert not any(Path(f"/proc/{one}").exists() for one in workers)
