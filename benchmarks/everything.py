"""`Patient/$everything` of a record of about 170 resources over HTTP, one call at a time, among other records.

    .venv/bin/python -m benchmarks.everything FOLDER [CALLS]

FOLDER holds transaction Bundles (`*.json` or `*.json.gz`), one patient each; all are stored, and the one whose answer
is nearest to 170 resources is asked for. Bar: the median takes at most 25 ms. Exit code 1 when it is missed.
"""

from __future__ import annotations

import gzip
import statistics
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.roads.gateway import Running, ready, running

BAR_MS, RESOURCES = 25.0, 170
WARM_UP = 10


def main() -> int:
    folder, calls = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as data, running(Path(data) / "data") as gateway:
        ready(gateway)
        ids = [gateway.post_record(_text(file)) for file in sorted(folder.glob("*.json*"))]
        sizes = {id_: len(_call(gateway, id_).json()["entry"]) for id_ in ids}
        nearest = min(sizes, key=lambda id_: abs(sizes[id_] - RESOURCES))
        return report(gateway, nearest, sizes[nearest], calls)


def report(gateway: Running, id_: str, size: int, calls: int) -> int:
    walls = []
    for number in range(calls + WARM_UP):
        start = time.perf_counter()
        answer = _call(gateway, id_)
        if number >= WARM_UP:
            walls.append((time.perf_counter() - start) * 1000)
    median = statistics.median(walls)
    slowest = statistics.quantiles(walls, n=20)[-1]
    print(f"$everything of {size} resources, {len(answer.content):,} bytes, {calls} calls")
    print(f"median {median:.1f} ms (bar {BAR_MS:.0f}), 95th percentile {slowest:.1f} ms")
    return int(median > BAR_MS)


def _call(gateway: Running, id_: str) -> requests.Response:
    answer = gateway.http.get(f"{gateway.base}/Patient/{id_}/$everything")
    assert answer.status_code == 200, answer.text
    return answer


def _text(file: Path) -> str:
    data = file.read_bytes()
    return (gzip.decompress(data) if file.suffix == ".gz" else data).decode()


if __name__ == "__main__":
    sys.exit(main())
