"""The FHIR door on SQLite and on PostgreSQL: operations per CPU-second of the gateway's processes, in one run.

    .venv/bin/python -m benchmarks.databases [--synthea FOLDER]

Over HTTP, one caller: transaction Bundles (validated, indexed, with history and twins), create, read, search by patient
and code among what was stored. `--synthea` takes a folder of Synthea's transaction Bundles (`*.json`, `*.json.gz`);
without it the records are made up. PostgreSQL comes from a wheel, with its files in memory where there is room; what it
spends itself is not counted. The wall time a call is shown beside.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import calibration, patients
from benchmarks.processes import cpu_seconds
from tests import parts, postgresql
from tests.roads.gateway import FHIR, Running, ready, running

MADE_UP, CALLS = 30, 600
EHR = "https://ehr.example/fhir"
Call = tuple[str, str, bytes | None]
Figure = tuple[float, float]
"""Operations per CPU-second; milliseconds of wall time a call."""


def main() -> int:
    """Run on both and print the table."""
    parser = argparse.ArgumentParser(description="The FHIR door on SQLite and on PostgreSQL.")
    parser.add_argument("--synthea", type=Path, help="folder of Synthea's transaction Bundles")
    bundles = list(_bundles(parser.parse_args().synthea))
    with postgresql.server() as server, server.database() as url, tempfile.TemporaryDirectory() as folder:
        table = {}
        for name, address in (("SQLite", ""), ("PostgreSQL", url)):
            with running(Path(folder) / name, env={"FHIRTWIN_DATABASE_URL": address}) as gateway:
                ready(gateway)
                table[name] = _measured(gateway, bundles)
    print(f"{'calibration (fixed workload), CPU ms':<44}{calibration.milliseconds():>9.2f}")
    print(f"{'operations per CPU-second (wall ms a call)':<44}{'SQLite':>18}{'PostgreSQL':>18}")
    for row in table["SQLite"]:
        print(f"{row:<44}" + "".join(f"{rate:>9.0f} ({wall:>5.1f})" for rate, wall in (table[n][row] for n in table)))
    return 0


def _measured(gateway: Running, bundles: list[bytes]) -> dict[str, Figure]:
    resources = sum(len(json.loads(bundle)["entry"]) for bundle in bundles)
    found: dict[str, Figure] = {}
    found["transaction Bundles, resources"] = _rate(gateway, (("POST", "", bundle) for bundle in bundles), resources)
    held = gateway.http.get(f"{gateway.base}/Observation?_count=1000").json()["entry"]
    stored = [entry["resource"] for entry in held]
    sent = parts.body(parts.observation(stored[0]["subject"]["reference"]))
    found["create Observation"] = _rate(gateway, (("POST", "/Observation", sent) for _ in range(CALLS)), CALLS)
    chosen = [stored[number % len(stored)] for number in range(CALLS)]
    found["read"] = _rate(gateway, (("GET", f"/Observation/{one['id']}", None) for one in chosen), CALLS)
    searches = (("GET", _search(one), None) for one in chosen)
    found["search patient + code"] = _rate(gateway, searches, CALLS)
    return found


def _rate(gateway: Running, calls: Iterable[Call], count: int) -> Figure:
    before, begun, made = cpu_seconds(gateway.process.pid)[0], time.perf_counter(), 0
    for method, path, body in calls:
        headers = {"Content-Type": FHIR, "Prefer": "return=minimal"} if body else {}
        answer = gateway.http.request(method, gateway.base + path, data=body, headers=headers)
        assert answer.ok, (method, path, answer.text[:500])
        made += 1
    wall = (time.perf_counter() - begun) / made * 1000
    return count / (cpu_seconds(gateway.process.pid)[0] - before), wall


def _search(observation: dict[str, Any]) -> str:
    coding = observation["code"]["coding"][0]
    code = f"{coding['system']}%7C{coding['code']}"
    return f"/Observation?patient={observation['subject']['reference']}&code={code}&_count=20"


def _bundles(folder: Path | None) -> Iterator[bytes]:
    if folder is None:
        yield from map(_made_up, range(MADE_UP))
        return
    for path in sorted(folder.glob("*.json*")):
        data = path.read_bytes()
        yield gzip.decompress(data) if path.suffix == ".gz" else data


def _made_up(number: int) -> bytes:
    resources = [one for found in patients.patient(number, datetime.now(UTC).date())[1].values() for one in found]
    return parts.body(parts.transaction(*(parts.entry("PUT", f"{r['resourceType']}/{r['id']}", r) for r in resources)))


if __name__ == "__main__":
    sys.exit(main())
