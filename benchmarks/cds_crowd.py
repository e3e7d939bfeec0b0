"""`patient-view` for a crowd: callers who open one chart after another without a pause, each time another patient's.

    .venv/bin/python -m benchmarks.cds_crowd [CALLERS] [SECONDS]

Bars for 20 callers: 95th percentile at most 500 ms, 99th at most 1 s, and every call answered with its risks. The
callers run on the same machine, so a gateway with cores of its own is quicker. Exit code 1 when a bar is missed.

Source of the 500 ms: https://cds-hooks.hl7.org/2.0/#performance
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks import calibration, patients
from benchmarks.processes import cpu_seconds
from tests.roads.gateway import Running, ready, running

P95_BAR_MS, P99_BAR_MS = 500.0, 1000.0
CALLERS, SECONDS = 20, 60.0
RECORDS = 200
"""Different records; who comes after that has the record of one before, and another id."""
EHR = "https://ehr.example/fhir"


@dataclass
class Tally:
    """What a caller saw: milliseconds of each answer, and in words what was no answer."""

    walls: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> int:
    """Run, print the table, and say by the exit code whether the bars were met."""
    callers = int(sys.argv[1]) if len(sys.argv) > 1 else CALLERS
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as gateway:
        ready(gateway)
        return report(gateway, callers, seconds)


def report(gateway: Running, callers: int, seconds: float) -> int:
    """Let the callers call for so long, and print what they saw."""
    bodies = _bodies(gateway)
    url = f"{gateway.host}/cds-services/twin-patient-view"
    _crowd(url, bodies, 4, 2.0)  # warm up
    spent = cpu_seconds(gateway.process.pid)[0]
    start = time.monotonic()
    seen = _crowd(url, bodies, callers, seconds)
    took = time.monotonic() - start
    spent = cpu_seconds(gateway.process.pid)[0] - spent
    walls = [wall for one in seen for wall in one.walls]
    errors = [error for one in seen for error in one.errors]
    print(f"{callers} callers for {took:.0f} s, {len(walls) + len(errors)} calls, another patient at each")
    _row("calibration (fixed workload), CPU ms", calibration.milliseconds())
    if len(walls) < 2:
        print(f"hardly anything was answered: {errors[:3]}")
        return 1
    cuts = statistics.quantiles(walls, n=100)
    _row("answers a second", len(walls) / took)
    _row("gateway CPU ms a call", spent / len(walls) * 1000)
    _row("wall ms, median", cuts[49])
    _row("wall ms, longest", max(walls))
    met = [
        _bar("wall ms, 95th percentile", cuts[94], P95_BAR_MS),
        _bar("wall ms, 99th percentile", cuts[98], P99_BAR_MS),
        _bar("calls without their risks", len(errors), 0),
    ]
    for error in sorted(set(errors))[:5]:
        print(f"  {error}")
    return 0 if all(met) else 1


def _bodies(gateway: Running) -> Iterator[bytes]:
    """Calls without end, each about another patient. One caller at a time may take the next."""
    services = gateway.http.get(f"{gateway.host}/cds-services").json()["services"]
    templates = next(s for s in services if s["id"] == "twin-patient-view")["prefetch"]
    today = datetime.now(UTC).date()
    records = [patients.request(number, today, templates, EHR) for number in range(RECORDS)]
    return (
        records[number % RECORDS].replace(b"bench-%d" % (number % RECORDS), b"bench-%d" % number)
        for number in itertools.count()
    )


def _crowd(url: str, bodies: Iterator[bytes], callers: int, seconds: float) -> list[Tally]:
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(callers) as pool:
        under_way = [pool.submit(_caller, url, bodies, until) for _ in range(callers)]
        return [one.result() for one in under_way]


def _caller(url: str, bodies: Iterator[bytes], until: float) -> Tally:
    seen = Tally()
    with requests.Session() as http:
        while time.monotonic() < until:
            body = next(bodies)
            start = time.perf_counter()
            wrong = _call(http, url, body)
            if wrong:
                seen.errors.append(wrong)
            else:
                seen.walls.append((time.perf_counter() - start) * 1000)
    return seen


def _call(http: requests.Session, url: str, body: bytes) -> str:
    """What was wrong with the answer; empty when nothing was."""
    try:
        answer = http.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30)
    except requests.RequestException as error:
        return type(error).__name__
    if answer.status_code != 200:
        return f"status {answer.status_code}"
    return "" if answer.content.count(b"/RiskAssessment/") >= 2 else "a risk is missing"


def _row(title: str, figure: float) -> None:
    print(f"{title:<44}{figure:>9.2f}")


def _bar(title: str, figure: float, bar: float) -> bool:
    print(f"{title:<44}{figure:>9.2f}   bar {bar:.0f}   {'met' if figure <= bar else 'MISSED'}")
    return figure <= bar


if __name__ == "__main__":
    sys.exit(main())
