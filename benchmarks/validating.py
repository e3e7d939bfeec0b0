"""The validator: resources a CPU-second, beside fhir.resources and beside reading the JSON alone.

    .venv/bin/python -m benchmarks.validating [FOLDER]

Structure, required bindings, every error-severity invariant, narratives and contained resources, on the 77 resources
of the prefetch of `benchmarks.patient_view`; of FOLDER, transaction Bundles (`*.json`, `*.json.gz`) as well. All rows
are of one process and one run. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import calibration, patients
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate

ROUNDS = 15
PREFETCH_BAR, BUNDLES_BAR = 40_000, 10_000


def main() -> int:
    """Measure, print the table, and say by the exit code whether the bars were met."""
    _, record = patients.patient(0, datetime.now(UTC).date())
    sent = [json.dumps(resource).encode() for found in record.values() for resource in found]
    read = [codec.decode(data) for data in sent]
    assert not any(map(validate, read))
    classes = {kind: _peer(kind) for kind in record}
    ours = _rate(lambda: [validate(resource) for resource in read], len(read))
    print(f"{'calibration (fixed workload), CPU ms':<52}{calibration.milliseconds():>10.2f}")
    print(f"{'resources a CPU-second':<52}")
    print(f"{'  JSON read, not judged':<52}{_rate(lambda: [codec.decode(data) for data in sent], len(sent)):>10,.0f}")
    parsed = [json.loads(data) for data in sent]
    peer = _rate(lambda: [classes[one["resourceType"]].model_validate(one) for one in parsed], len(parsed))
    print(f"{'  fhir.resources (R4B: structure)':<52}{peer:>10,.0f}")
    met = _line("  judged, prefetch of 77 resources", ours, PREFETCH_BAR)
    if len(sys.argv) > 1:
        bundles = [codec.decode(data) for data in _bundles(Path(sys.argv[1]))]
        resources = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
        figure = _rate(lambda: [validate(resource) for resource in resources], len(resources), rounds=3)
        met &= _line(f"  judged, {len(bundles)} Bundles of {len(resources)} resources", figure, BUNDLES_BAR)
    return 0 if met else 1


def _line(title: str, figure: float, bar: float) -> bool:
    print(f"{title:<52}{figure:>10,.0f}   bar {bar:,}   {'met' if figure >= bar else 'MISSED'}")
    return figure >= bar


def _rate(work: Callable[[], Any], count: int, rounds: int = ROUNDS) -> float:
    """Of `count` things done by `work`, how many a CPU-second, the best of some rounds."""
    spent = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return count / min(spent)


def _peer(kind: str) -> Any:
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)


def _bundles(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.json*")):
        data = path.read_bytes()
        yield gzip.decompress(data) if path.suffix == ".gz" else data


if __name__ == "__main__":
    sys.exit(main())
