"""Search by patient and code over HTTP, in a database of many Observations and in one of ten times as many.

    .venv/bin/python -m benchmarks.fhir_search [SEARCHES] [RESOURCES]

RESOURCES (100,000) is the size of the smaller database. Both are filled straight through the tables, with the index
rows that storing makes; the searches go to a gateway as it is served. CPU is that of the gateway's processes, read from
the kernel, so that neither the client nor the machine's other work counts. Bars: at least 400 searches a CPU-second at
the smaller size, and at the greater one at most 1.5 times the CPU of the smaller. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Connection, create_engine, insert

from benchmarks import calibration
from benchmarks.patient_view import cpu_seconds
from fhirtwin.settings import Settings
from fhirtwin.store import Store, index
from fhirtwin.store.schema import resource, resource_version
from fhirtwin.store.search_tables import INDEXES
from tests.roads.gateway import ready, running

BAR_PER_SECOND, BAR_SLOWER = 400.0, 1.5
CODES = 50
OF_A_PATIENT = 100
BATCH = 5_000
WARM_UP = 200


def main() -> int:
    """Run, print the table, and say by the exit code whether the bars were met."""
    searches = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    print(f"{'calibration (fixed workload), CPU ms':<52}{calibration.milliseconds():>9.2f}")
    small, large = (measured(resources, searches) for resources in (size, 10 * size))
    met = small >= BAR_PER_SECOND and small / large <= BAR_SLOWER
    print(f"{f'searches a CPU-second, {size:,} resources':<52}{small:>9.0f}   bar {BAR_PER_SECOND:.0f}")
    print(f"{f'searches a CPU-second, {10 * size:,} resources':<52}{large:>9.0f}")
    print(f"{'times slower at ten times the data':<52}{small / large:>9.2f}   bar {BAR_SLOWER}")
    print("met" if met else "MISSED")
    return 0 if met else 1


def measured(resources: int, searches: int) -> float:
    """Searches a CPU-second of a gateway with that many resources."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill(data, resources)
        with running(data) as gateway:
            ready(gateway)
            patients = resources // OF_A_PATIENT
            base = f"{gateway.base}/Observation"
            asked = [
                f"{base}?patient=p{number * 7919 % patients}&code=http://loinc.org|c{number % CODES}"
                for number in range(searches + WARM_UP)
            ]
            for url in asked[:WARM_UP]:
                search(gateway.http, url)
            before, _ = cpu_seconds(gateway.process.pid)
            for url in asked[WARM_UP:]:
                search(gateway.http, url)
            after, _ = cpu_seconds(gateway.process.pid)
            return searches / (after - before)


def search(http: requests.Session, url: str) -> None:
    answer = http.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == OF_A_PATIENT // CODES


def fill(data: Path, resources: int) -> None:
    """Make a database with that many Observations, each patient with `OF_A_PATIENT` of them."""
    data.mkdir(mode=0o700)
    settings = Settings(data=data)
    Store.open(settings).close()
    engine = create_engine(settings.database)
    with engine.begin() as connection:
        for start in range(0, resources, BATCH):
            add(connection, range(start, min(start + BATCH, resources)))
    engine.dispose()


def add(connection: Connection, numbers: range) -> None:
    """Store Observations by number, with what storing writes into the index."""
    kept = [(number, observation(number)) for number in numbers]
    common = {"type": "Observation", "version": 1, "deleted": False}
    connection.execute(
        insert(resource_version),
        [
            {**common, "id": one["id"], "last_updated": "2026-01-01T00:00:00.000Z", "data": json.dumps(one).encode()}
            for _, one in kept
        ],
    )
    connection.execute(
        insert(resource),
        [
            {**common, "id": one["id"], "number": number + 1, "last_updated": 0, "patient_origin": "", "patient_id": ""}
            for number, one in kept
        ],
    )
    made = [(number + 1, index.rows(one, "")) for number, one in kept]
    tables = ("tokens", "strings", "dates", "references", "uris", "numbers", "quantities")
    for table, name in zip(INDEXES, tables, strict=True):
        columns = [column.name for column in table.columns]
        rows = [dict(zip(columns, row, strict=True)) for row in _rows(made, name)]
        if rows:
            connection.execute(insert(table), rows)


def _rows(made: list[tuple[int, Any]], name: str) -> Iterator[tuple[Any, ...]]:
    for number, rows in made:
        for place, (parameter, *values) in enumerate(sorted(getattr(rows, name), key=repr)):
            yield (number, parameter, place, *values)


def observation(number: int) -> dict[str, Any]:
    """A laboratory result such as records hold."""
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"},
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": f"c{number % CODES}", "display": "A result"}]},
        "subject": {"reference": f"Patient/p{number // OF_A_PATIENT}"},
        "effectiveDateTime": f"20{number % 20:02}-0{number % 9 + 1}-1{number % 10}T08:00:00+01:00",
        "valueQuantity": {
            "value": 50 + number % 100,
            "unit": "mg/dL",
            "system": "http://unitsofmeasure.org",
            "code": "mg/dL",
        },
    }


if __name__ == "__main__":
    sys.exit(main())
