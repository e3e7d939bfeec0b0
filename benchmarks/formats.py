"""What XML costs beside JSON: resources read and written a CPU-second, and whole creates over the FHIR door.

    .venv/bin/python -m benchmarks.formats

The resources of made-up patients (`benchmarks.patients`). Rows run interleaved in one process; the best round of each
counts. The parser alone is expat with handlers that do nothing: what no reader in Python can undercut.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks import calibration, patients
from fhirtwin.fhir import codec, xml
from fhirtwin.fhir.validator import validate
from fhirtwin.fhir.xml.document import parser
from tests import parts

DAY = date(2026, 1, 1)
ROUNDS = 15
CREATED = 60


@dataclass
class Row:
    name: str
    once: Callable[[], object]
    count: int
    best: float = float("inf")

    def run(self) -> None:
        begun = time.process_time()
        self.once()
        self.best = min(self.best, time.process_time() - begun)


def parse_alone(data: bytes) -> None:
    def start(_: str, __: dict[str, str]) -> None:
        pass

    def end(_: str) -> None:
        pass

    reader = parser()
    reader.StartElementHandler, reader.EndElementHandler = start, end
    reader.Parse(data, True)


def measure(folder: Path) -> None:
    made = [one for number in range(3) for kind in patients.patient(number, DAY)[1].values() for one in kind]
    in_json = [json.dumps(resource, separators=(",", ":")).encode() for resource in made]
    resources = [codec.decode(data) for data in in_json]
    in_xml = [xml.encode(resource) for resource in resources]
    services = parts.services(folder)
    client = parts.application(services).test_client()

    def create(bodies: list[bytes], content_type: str) -> Callable[[], None]:
        headers = {"Content-Type": content_type, "Accept": "application/fhir+json"}

        def once() -> None:
            for resource, data in zip(resources[:CREATED], bodies, strict=False):
                answer = client.post(f"/fhir/{resource['resourceType']}", data=data, headers=headers)
                assert answer.status_code == 201

        return once

    every = len(made)
    rows = [
        Row("JSON read", lambda: [codec.decode(data) for data in in_json], every),
        Row("XML read", lambda: [xml.decode(data) for data in in_xml], every),
        Row("the parser of XML alone", lambda: [parse_alone(data) for data in in_xml], every),
        Row("JSON written", lambda: [codec.encode(resource) for resource in resources], every),
        Row("XML written", lambda: [xml.encode(resource) for resource in resources], every),
        Row("validated", lambda: [validate(resource) for resource in resources], every),
        Row("created over the door, JSON", create(in_json, "application/fhir+json"), CREATED),
        Row("created over the door, XML", create(in_xml, "application/fhir+xml"), CREATED),
    ]
    for _ in range(ROUNDS):
        for row in rows:
            row.run()
    services.store.close()
    print(f"calibration: {calibration.milliseconds():.3f} ms of CPU for a fixed piece of work\n")
    print(f"{every} resources, {sum(map(len, in_json)):,} bytes of JSON, {sum(map(len, in_xml)):,} of XML")
    print(f"{'':30} {'resources per CPU-second':>25}")
    for row in rows:
        print(f"{row.name:30} {row.count / row.best:25,.0f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name))
