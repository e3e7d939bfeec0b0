"""FHIR servers that are measured: each started as its users start it, on loopback, with a fresh database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from benchmarks.processes import cpu_seconds
from tests.roads.gateway import ready, running


@dataclass(frozen=True)
class Server:
    """One that answers at `base`; `pid` is the process that was started."""

    name: str
    base: str
    pid: int

    def cpu(self) -> float:
        """CPU seconds that its processes spent until now, the engine's apart."""
        return cpu_seconds(self.pid)[0]


@contextmanager
def fhirtwin(folder: Path) -> Iterator[Server]:
    """The gateway, with its engine beside it, which is idle here."""
    with running(folder / "data") as gateway:
        ready(gateway)
        yield Server("fhirtwin", gateway.base, gateway.process.pid)


@contextmanager
def floor(folder: Path) -> Iterator[Server]:
    """The least that Flask and SQLite can do: `benchmarks.floor`."""
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--factory"]
    command += ["--blocking-threads", "4", "--no-log", "benchmarks.floor:create_app"]
    port = _free_port()
    environment = {**os.environ, "FLOOR_DATABASE": str(folder / "floor.sqlite")}
    with _process([*command, "--port", str(port)], folder, environment) as process:
        yield _answering(Server("floor", f"http://127.0.0.1:{port}/fhir", process.pid))


@contextmanager
def sekmet(folder: Path, program: Path) -> Iterator[Server]:
    """sekmet-fhir, a FHIR R4 server in Python (FastAPI, SQLite, fhir.resources), without its log of requests."""
    (folder / "settings.yaml").write_text("log_inbound: false\n")
    port = _free_port()
    command = [str(program.absolute()), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with _process(command, folder, dict(os.environ)) as process:
        yield _answering(Server("sekmet-fhir", f"http://127.0.0.1:{port}/fhir", process.pid))


@contextmanager
def _process(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path) if "granian" in command[0] else ""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answering(server: Server) -> Server:
    deadline = time.monotonic() + 60
    while True:
        try:
            if requests.get(f"{server.base}/metadata", timeout=5).ok:
                return server
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, f"{server.name} does not answer at {urlsplit(server.base).netloc}"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
