"""How fast resources are judged: `python -m tests.fhir.judging_speed SHARED` prints two figures as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate


def seconds(resources: list[dict[str, Any]]) -> float:
    """CPU time of judging all of them once, the best of some rounds."""
    rounds = []
    for _ in range(30):
        begun = time.process_time()
        assert not any(map(validate, resources))
        rounds.append(time.process_time() - begun)
    return min(rounds)


def measure(shared: Path) -> dict[str, float]:
    prefetch = codec.decode((shared / "data/cds-hooks/request_patient_view_50k.json").read_bytes())["prefetch"]
    bundles = [value for value in prefetch.values() if value["resourceType"] == "Bundle"]
    resources = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    observations = [resource for resource in resources if resource["resourceType"] == "Observation"]
    return {
        "observations per CPU-second": len(observations) / seconds(observations),
        "prefetch of 51 KB, CPU-milliseconds": 1000 * seconds(list(prefetch.values())),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]))) + "\n")
