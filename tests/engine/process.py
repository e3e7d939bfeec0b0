"""Starts real engine processes for tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fhirtwin import keyfile
from fhirtwin.courier import Courier
from fhirtwin.errors import EngineUnavailable

START_SECONDS = 30.0
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True)
class RunningEngine:
    url: str
    key: bytes
    key_file: Path
    process: subprocess.Popen[bytes]

    @property
    def ca_file(self) -> str | None:
        """Of its certificate, which lies beside the secret."""
        return str(self.key_file.parent / "ca.pem") if self.url.startswith("https") else None

    def courier(self, **changes: object) -> Courier:
        given = {"url": self.url, "key": self.key, "timeout": 5.0, "ca_file": self.ca_file} | changes
        return Courier(**given)  # type: ignore[arg-type]

    @property
    def processes(self) -> list[int]:
        """The engine and its workers."""
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]


def serving(folder: Path) -> tuple[str, ...]:
    """Options of an engine that serves what is published in `folder`/models."""
    return "--models", str(folder / "models"), "--authors", str(folder / "authors.json")


@contextmanager
def running_engine(
    folder: Path,
    *options: str,
    url: str = "",
    listen: str = "",
    tenants: Path | None = None,
    tenant: str = "one",
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningEngine]:
    """`fhirtwin engine` as a process of one worker, on a Unix socket in `folder` unless told otherwise."""
    key_file = tenants / f"{tenant}.key" if tenants else folder / "engine.key"
    key = bytes.fromhex(keyfile.read_or_make(key_file))
    url = url or f"unix:{folder / 'engine.sock'}"
    command = [sys.executable, "-m", "fhirtwin", "engine", "--listen", listen or url]
    command += ["--tenants", str(tenants)] if tenants else ["--engine-key", str(key_file)]
    command += [] if "--workers" in options else ["--workers", "1"]
    scrubbed = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen([*command, *options], env=scrubbed | dict(environment or {}), cwd=root)
    engine = RunningEngine(url, key, key_file, process)
    try:
        wait_until_ready(engine)
        yield engine
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(engine: RunningEngine) -> None:
    courier = engine.courier(timeout=1.0)
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return courier.ready()
        except EngineUnavailable:
            assert engine.process.poll() is None, f"the engine stopped with exit code {engine.process.returncode}"
            assert time.monotonic() < deadline, "the engine did not start"
            time.sleep(0.05)
        finally:
            courier.close()
