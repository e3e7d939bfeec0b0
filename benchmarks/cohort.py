"""`fhirtwin cohort` from prepared vectors to one row a patient, and to RiskAssessments: CPU time of all its processes.

    python -m benchmarks.cohort [--people 40000] [--workers 1] [--ray]

People are made up. The engine alone is measured in this process, the least of many rounds; the command as a user runs
it, once with rows alone and once with RiskAssessments, by the kernel's count of CPU time: reading, sealing, the engine,
opening, writing, all in. What starting costs is measured on one person and taken off; both are told. A core
does so many patients a second as the command would have done had it one core for all of its processes. Exits 1 when a
bar is missed.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.cohort_people import line
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.predictors import registry
from fhirtwin.vault import BatchVault

DAY = date(2026, 6, 1)


@dataclass
class Spent:
    cpu: float
    wall: float
    largest_mb: float


def cohort(folder: Path, source: Path, out: str, *options: str) -> Spent:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    given = ["--input", str(source), "--out", str(folder / out), "--data", str(folder / "data"), "--date", str(DAY)]
    # time.process_time of the children's children is in RUSAGE_CHILDREN once they were waited for.
    watched = [sys.executable, "-m", "benchmarks.cohort", "--watch", sys.executable, "-m", "fhirtwin", "cohort"]
    done = subprocess.run([*watched, *given, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(cpu, time.perf_counter() - start, float(done.stdout.rsplit(maxsplit=1)[-1]))


def watch(command: list[str]) -> int:
    """Run a command, and say how much memory its processes held together at most, in MB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    most = 0.0
    while process.poll() is None:
        most = max(most, held_mb(process.pid))
        time.sleep(0.1)
    print(f"{most:.0f}")
    return process.returncode


def held_mb(pid: int) -> float:
    """Memory of a process and all below it, shared pages by their share."""
    total, pending = 0.0, [pid]
    while pending:
        one = pending.pop()
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                pending += map(int, (task / "children").read_text().split())
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(text.split("Pss:", 1)[1].split()[0]) / 1000
        except (OSError, IndexError):
            continue  # it has ended, or lets nobody look: the workers do not
    return total


def engine_alone(rounds: int) -> tuple[float, int]:
    """Microseconds a patient and model, and how many models."""
    panel = registry.panel(registry.all_predictors())
    circuit = Batch(panel)
    vault, evaluator = BatchVault(circuit), Evaluator(panel, circuits=[circuit])
    values = np.random.default_rng(7).uniform(panel.low, panel.high, (circuit.patients, len(panel.features)))
    least = float("inf")
    for _ in range(rounds):
        sealed, opening = vault.seal(values)
        start = time.process_time()
        answer = evaluator.evaluate(sealed, wire.NO_KEYS)
        least = min(least, time.process_time() - start)
        vault.open(answer, opening)
    return least * 1e6 / circuit.patients / len(panel.rows), len(panel.rows)


def main() -> int:
    if sys.argv[1:2] == ["--watch"]:
        return watch(sys.argv[2:])
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--ray", action="store_true")
    asked = parser.parse_args()
    options = ["--workers", str(asked.workers), *(["--ray", "local"] if asked.ray else [])]
    microseconds, models = engine_alone(10)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        one, all_ = folder / "one", folder / "all"
        one.write_bytes(line(0, DAY))
        with all_.open("wb") as file:
            file.writelines(line(number, DAY) for number in range(asked.people))
        start = cohort(folder, one, "one.out", *options)
        rows = cohort(folder, all_, "rows", *options)
        both_options = (*options, "--assessments", str(folder / "ra"), "--origin", "https://ehr.example/fhir")
        both = cohort(folder, all_, "both", *both_options)
        with (folder / "ra").open("rb") as file:
            reports = sum(1 for _ in file)
        megabytes = all_.stat().st_size / 1e6
    print(
        f"{asked.people:,} people, {megabytes:.0f} MB of prepared vectors, {models} models, {asked.workers} worker(s)"
    )
    print(f"{'':34}{'CPU s':>8}{'wall s':>8}{'MB held':>9}")
    for name, spent in (("start, one person", start), ("rows", rows), (f"rows and {reports:,} RiskAssessments", both)):
        print(f"{name:34}{spent.cpu:8.2f}{spent.wall:8.2f}{spent.largest_mb:9.0f}")
    a_core = asked.people / (rows.cpu - start.cpu)
    reports_a_second = reports / max(both.cpu - rows.cpu, 1e-9)
    in_all = reports / (both.cpu - start.cpu)
    print(f"with the start counted: {asked.people / rows.cpu:,.0f} patients/s a core")
    print(f"RiskAssessments with all the scoring before them: {in_all:,.0f} a second and core")
    bars = [
        ("engine, microseconds a patient and model", microseconds, "<=", 2.0),
        ("patients a second and core, vectors to rows", a_core, ">=", 2000.0),
        ("RiskAssessments a second and core, added", reports_a_second, ">=", 5000.0),
    ]
    missed = 0
    for name, measured, sign, bar in bars:
        good = measured <= bar if sign == "<=" else measured >= bar
        missed += not good
        print(f"{name:48}{measured:12,.2f}  {sign} {bar:,.0f}  {'ok' if good else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
