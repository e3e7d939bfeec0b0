"""The whole `patient-view` call over HTTP: 51 KB of prefetch, another patient at each call, validated, sealed, stored.

    .venv/bin/python -m benchmarks.patient_view [CALLS]

Bars: gateway CPU at most 20 ms a call; 95th percentile at most 100 ms on an idle machine, one call at a time. The
gateway's CPU is that of its process and its workers, read from the kernel; the engine's is shown beside it. Exit code 1
when a bar is missed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks import calibration, patients
from benchmarks.processes import cpu_seconds
from fhirtwin.timing import STAGES
from tests.roads.gateway import Running, ready, running

CPU_BAR_MS, P95_BAR_MS = 20.0, 100.0
LEAST_RESOURCES, LEAST_BYTES = 75, 51_000
WARM_UP = 20
EHR = "https://ehr.example/fhir"


def main() -> int:
    """Run, print the table, and say by the exit code whether the bars were met."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as gateway:
        ready(gateway)
        return report(gateway, calls)


def report(gateway: Running, calls: int) -> int:
    """Call the service `calls` times and print where the time went."""
    today = datetime.now(UTC).date()
    services = gateway.http.get(f"{gateway.host}/cds-services").json()["services"]
    service = next(s for s in services if s["id"] == "twin-patient-view")
    url = f"{gateway.host}/cds-services/{service['id']}"
    bodies = [patients.request(number, today, service["prefetch"], EHR) for number in range(calls + WARM_UP)]
    resources = sum(len(found) for found in patients.patient(0, today)[1].values())
    for body in bodies[:WARM_UP]:
        _call(gateway.http, url, body)

    gateway_before, engine_before = cpu_seconds(gateway.process.pid)
    walls: list[float] = []
    stages: dict[str, list[float]] = {}
    for body in bodies[WARM_UP:]:
        start = time.perf_counter()
        answer = _call(gateway.http, url, body)
        walls.append((time.perf_counter() - start) * 1000)
        for part in answer.headers["Server-Timing"].split(", "):
            name, _, duration = part.partition(";dur=")
            stages.setdefault(name, []).append(float(duration))
    gateway_after, engine_after = cpu_seconds(gateway.process.pid)

    cpu = (gateway_after - gateway_before) / calls * 1000
    p95 = statistics.quantiles(walls, n=20)[18]
    print(
        f"{calls} calls, {len(bodies[WARM_UP]) / 1000:.1f} KB, {resources} resources each, another patient at each call"
    )
    print(f"{'calibration (fixed workload), CPU ms':<44}{calibration.milliseconds():>9.2f}")
    for name in (*STAGES, *sorted(set(stages) - set(STAGES))):
        if name in stages:
            print(f"{'  stage ' + name + ', median wall ms':<44}{statistics.median(stages[name]):>9.2f}")
    print(f"{'engine CPU ms a call':<44}{(engine_after - engine_before) / calls * 1000:>9.2f}")
    print(f"{'wall ms, median':<44}{statistics.median(walls):>9.2f}")
    ok = resources >= LEAST_RESOURCES and min(map(len, bodies)) >= LEAST_BYTES
    if not ok:
        print(f"the calls are too small: at least {LEAST_RESOURCES} resources and {LEAST_BYTES} bytes are wanted")
    for title, figure, bar in (
        ("gateway CPU ms a call", cpu, CPU_BAR_MS),
        ("wall ms, 95th percentile", p95, P95_BAR_MS),
    ):
        ok &= figure <= bar
        print(f"{title:<44}{figure:>9.2f}   bar {bar:.0f}   {'met' if figure <= bar else 'MISSED'}")
    return 0 if ok else 1


def _call(http: requests.Session, url: str, body: bytes) -> requests.Response:
    answer = http.post(url, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    assert sum("RiskAssessment" in str(card.get("links")) for card in cards) >= 2, cards
    return answer


if __name__ == "__main__":
    sys.exit(main())
