"""What it costs a gateway to import a whole genome over HTTP: time, memory of its processes, and what readers feel.

    .venv/bin/python -m benchmarks.vcf_import [ROWS]

Bar: 5 million rows, gzipped, in at most 60 s, and no process of the gateway above 200 MB. Exit code 1 when it is
missed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests

from benchmarks.vcf import BAR_MB, BAR_SECONDS, write
from tests.roads.gateway import Running, maria, ready, running

STATED = {"sample": "SAMPLE", "absent-is-reference": "true"}


def main() -> int:
    """Run, print the table, and say by the exit code whether the bars were met."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as gateway:
        ready(gateway)
        patient = gateway.post_record(maria())
        path = Path(folder) / "genome.vcf.gz"
        write(path, rows)
        before = _highest_mb(gateway.process.pid)
        readers = _Readers(gateway, patient)
        seconds = _import(gateway, patient, path)
        felt = readers.stop()
        after = _highest_mb(gateway.process.pid)
    print(f"| sent, read, called, stored | {seconds:.1f} s (bar {BAR_SECONDS:.0f}) |")
    print(f"| memory of the largest process at its highest | {after} MB (before: {before} MB; bar {BAR_MB:.0f}) |")
    print(f"| reads of a Patient meanwhile | median {statistics.median(felt):.0f} ms, longest {max(felt):.0f} ms |")
    return int(seconds > BAR_SECONDS or after > BAR_MB)


def _import(gateway: Running, patient: str, path: Path) -> float:
    url, began = f"{gateway.base}/Patient/{patient}/$import-vcf", time.perf_counter()
    with path.open("rb") as file:
        answer = gateway.http.post(url, params=STATED, data=file, headers={"Content-Type": "text/vcf"}, timeout=600)
    answer.raise_for_status()
    return time.perf_counter() - began


class _Readers:
    """One who reads a Patient twenty times a second."""

    def __init__(self, gateway: Running, patient: str) -> None:
        self._url, self._http = f"{gateway.base}/Patient/{patient}", requests.Session()
        self._http.headers.update(gateway.http.headers)
        self._over, self._felt = threading.Event(), list[float]()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._over.wait(0.05):
            began = time.perf_counter()
            self._http.get(self._url).raise_for_status()
            self._felt.append((time.perf_counter() - began) * 1000)

    def stop(self) -> list[float]:
        self._over.set()
        self._thread.join()
        return self._felt


def _highest_mb(root: int) -> int:
    """The most memory that one process of a tree ever had."""
    found: dict[int, tuple[int, int]] = {}
    for folder in Path("/proc").iterdir():
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
            found[int(folder.name)] = int(status["PPid"]), int(status["VmHWM"].split()[0])
        except (OSError, ValueError, KeyError):
            continue  # not a process, or one that is gone
    tree = {root}
    while more := {pid for pid, (parent, _) in found.items() if parent in tree} - tree:
        tree |= more
    return max(highest for pid, (_, highest) in found.items() if pid in tree) // 1024


if __name__ == "__main__":
    sys.exit(main())
