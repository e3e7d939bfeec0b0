"""A plain CDS Hooks call: 51 KB of prefetch, validated to the last element, and a service that says hello.

    .venv/bin/python -m benchmarks.cds_call [CALLS] [--healthchain PYTHON]

Beside it, in the same run and on the same web server, plain Flask that reads the same JSON and writes the same card
without checking anything. Bar: CPU a call at most 1.3 times plain Flask's and 2.5 ms. Exit code 1 when it is missed.

PYTHON is that of an environment with HealthChain and uvicorn in it; then it answers the same calls in the same run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks import calibration, cds_doors, patients
from benchmarks.processes import cpu_seconds
from benchmarks.servers import Server, _free_port, _process

ROUNDS, WARM_UP = 10, 30
FACTOR, MORE_MS = 1.3, 2.5
LEAST_BYTES, LEAST_RESOURCES = 51_000, 75

HEALTHCHAIN = """
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import CDSResponse, Card, Source

cds = CDSHooksService()


@cds.hook("patient-view", id="hello", title="Hello", description="Says hello.", usage_requirements="None.")
def hello(request: CDSRequest) -> CDSResponse:
    made = Card(summary="Hello", indicator="info", source=Source(label="Benchmark"), detail=str(len(request.prefetch)))
    return CDSResponse(cards=[made])


app = HealthChainAPI(title="Benchmark")
app.register_service(cds)
"""
"""The peer's application: it runs in an environment of its own, where nothing of this project is."""


@contextmanager
def served(name: str, factory: str, folder: Path) -> Iterator[Server]:
    """One application on granian, one worker, four threads, until the block ends."""
    port = _free_port()
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--factory"]
    command += ["--blocking-threads", "4", "--no-log", "--port", str(port), factory]
    with _process(command, folder, {**os.environ, "BENCH_FOLDER": str(folder)}) as process:
        server = Server(name, f"http://127.0.0.1:{port}/cds-services", process.pid)
        _wait(server.base, process)
        yield server


@contextmanager
def peer(python: str, folder: Path) -> Iterator[Server]:
    """HealthChain on uvicorn, one worker, until the block ends; its discovery is not where CDS Hooks has it."""
    (folder / "peer.py").write_text(HEALTHCHAIN)
    port = _free_port()
    command = [
        python,
        "-m",
        "uvicorn",
        "--app-dir",
        str(folder),
        "--log-level",
        "error",
        "--port",
        str(port),
        "peer:app",
    ]
    with _process(command, folder, dict(os.environ)) as process:
        base = f"http://127.0.0.1:{port}/cds"
        _wait(f"{base}/cds-discovery", process)
        yield Server("HealthChain", f"{base}/cds-services", process.pid)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        assert process.poll() is None, f"what should answer at {address} ended"
        assert time.monotonic() < deadline, f"nothing answers at {address}"
        time.sleep(0.1)


def main() -> int:
    """Call all in turns, print the table, and say by the exit code whether the bar was met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("calls", type=int, nargs="?", default=500)
    parser.add_argument("--healthchain", metavar="PYTHON", default="")
    asked = parser.parse_args()
    today = datetime.now(UTC).date()
    bodies = [patients.request(n, today, cds_doors.TEMPLATES, "https://ehr.example/fhir") for n in range(40)]
    resources = sum(len(found) for found in patients.patient(0, today)[1].values())
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        servers = [
            stack.enter_context(served("fhirtwin", "benchmarks.cds_doors:door", folders[0])),
            stack.enter_context(served("plain Flask", "benchmarks.cds_doors:plain", folders[1])),
        ]
        if asked.healthchain:
            servers.append(stack.enter_context(peer(asked.healthchain, folders[2])))
        return report(servers, bodies, asked.calls, resources)


def report(servers: list[Server], bodies: list[bytes], calls: int, resources: int) -> int:
    """Measure in rounds, so that what else the machine does falls on all; ours is the first, plain Flask the second."""
    sessions = {server.name: requests.Session() for server in servers}
    walls: dict[str, list[float]] = {server.name: [] for server in servers}
    spent: dict[str, list[float]] = {server.name: [] for server in servers}
    for server in servers:
        _calls(server, sessions[server.name], bodies, WARM_UP, [])
    for _ in range(ROUNDS):
        for server in servers:
            before = cpu_seconds(server.pid)[0]
            _calls(server, sessions[server.name], bodies, calls // ROUNDS, walls[server.name])
            spent[server.name].append((cpu_seconds(server.pid)[0] - before) / (calls // ROUNDS) * 1000)
    print(f"{calls} calls each, {min(map(len, bodies)) / 1000:.1f} KB, {resources} resources")
    print(f"{'calibration (fixed workload), CPU ms':<44}{calibration.milliseconds():>9.2f}")
    for server in servers:
        print(f"{server.name + ', CPU ms a call':<44}{statistics.mean(spent[server.name]):>9.2f}")
        print(f"{server.name + ', wall ms, median':<44}{statistics.median(walls[server.name]):>9.2f}")
    figure, plain = (statistics.mean(spent[server.name]) for server in servers[:2])
    bar = FACTOR * plain + MORE_MS
    enough = resources >= LEAST_RESOURCES and min(map(len, bodies)) >= LEAST_BYTES
    verdict = "met" if figure <= bar and enough else "MISSED"
    print(f"{'CPU ms a call':<44}{figure:>9.2f}   bar {FACTOR} x plain Flask + {MORE_MS} ms = {bar:.2f}   {verdict}")
    return 0 if verdict == "met" else 1


def _calls(server: Server, http: requests.Session, bodies: list[bytes], count: int, walls: list[float]) -> None:
    for number in range(count):
        start = time.perf_counter()
        answer = http.post(
            f"{server.base}/hello", data=bodies[number % len(bodies)], headers={"Content-Type": "application/json"}
        )
        walls.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200, answer.text
        assert answer.json()["cards"][0]["summary"] == "Hello"


if __name__ == "__main__":
    sys.exit(main())
