"""A plain CDS Hooks call: 51 KB of prefetch, validated to the last element, and a service that says hello.

    .venv/bin/python -m benchmarks.cds_call [CALLS]

Beside it, in the same run and on the same web server, plain Flask that reads the same JSON and writes the same card
without checking anything. Bar: CPU a call at most 1.3 times plain Flask's and 2.5 ms. Exit code 1 when it is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks import calibration, cds_doors, patients
from benchmarks.processes import cpu_seconds
from benchmarks.servers import Server, _free_port, _process

ROUNDS, WARM_UP = 10, 30
FACTOR, MORE_MS = 1.3, 2.5
LEAST_BYTES, LEAST_RESOURCES = 51_000, 75


@contextmanager
def served(name: str, factory: str, folder: Path) -> Iterator[Server]:
    """One application on granian, one worker, four threads, until the block ends."""
    port = _free_port()
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--factory"]
    command += ["--blocking-threads", "4", "--no-log", "--port", str(port), factory]
    with _process(command, folder, {**os.environ, "BENCH_FOLDER": str(folder)}) as process:
        server = Server(name, f"http://127.0.0.1:{port}/cds-services", process.pid)
        _wait(server, process)
        yield server


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if requests.get(server.base, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        assert process.poll() is None, f"{server.name} ended"
        assert time.monotonic() < deadline, f"{server.name} does not answer"
        time.sleep(0.1)


def main() -> int:
    """Call both in turns, print the table, and say by the exit code whether the bar was met."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    today = datetime.now(UTC).date()
    bodies = [patients.request(n, today, cds_doors.TEMPLATES, "https://ehr.example/fhir") for n in range(40)]
    resources = sum(len(found) for found in patients.patient(0, today)[1].values())
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        ours = served("fhirtwin", "benchmarks.cds_doors:door", Path(one))
        least = served("plain Flask", "benchmarks.cds_doors:plain", Path(other))
        with ours as door, least as plain:
            return report(door, plain, bodies, calls, resources)


def report(door: Server, plain: Server, bodies: list[bytes], calls: int, resources: int) -> int:
    """Measure in rounds, so that what else the machine does falls on both."""
    sessions = {server.name: requests.Session() for server in (door, plain)}
    walls: dict[str, list[float]] = {server.name: [] for server in (door, plain)}
    spent: dict[str, list[float]] = {server.name: [] for server in (door, plain)}
    for server in (door, plain):
        _calls(server, sessions[server.name], bodies, WARM_UP, [])
    for _ in range(ROUNDS):
        for server in (door, plain):
            before = cpu_seconds(server.pid)[0]
            _calls(server, sessions[server.name], bodies, calls // ROUNDS, walls[server.name])
            spent[server.name].append((cpu_seconds(server.pid)[0] - before) / (calls // ROUNDS) * 1000)
    print(f"{calls} calls each, {min(map(len, bodies)) / 1000:.1f} KB, {resources} resources")
    print(f"{'calibration (fixed workload), CPU ms':<44}{calibration.milliseconds():>9.2f}")
    for server in (door, plain):
        print(f"{server.name + ', CPU ms a call':<44}{statistics.mean(spent[server.name]):>9.2f}")
        print(f"{server.name + ', wall ms, median':<44}{statistics.median(walls[server.name]):>9.2f}")
    bar = FACTOR * statistics.mean(spent[plain.name]) + MORE_MS
    figure = statistics.mean(spent[door.name])
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
