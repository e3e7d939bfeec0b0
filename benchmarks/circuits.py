"""Circuits beside the panel, each against encryption and decryption alone, and against TenSEAL where it is installed.

    .venv/bin/python -m benchmarks.circuits [batch ...] [--rounds 10]

Everything of one circuit runs interleaved in one process and is compared by CPU time. A round is seal, evaluate, open,
as between gateway and engine but for the wire. TenSEAL is a peer for comparison only, no dependency: put 0.3.18
anywhere on the path (`pip install --no-deps --target FOLDER tenseal==0.3.18`) and its rows appear. Exits 1 when a bar
is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import calibration
from benchmarks.panel import Row, encrypt_and_decrypt, synthetic_panel
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.circuits.circuit import Circuit
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import Profile
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.vault import BatchVault

try:
    import tenseal
except ImportError:
    tenseal = None

Bar = tuple[str, float, float]


@dataclass
class Stages:
    """One round in its three stages, each a row, and the largest error before rounding."""

    seal: Callable[[], tuple[SealedFeatures, object]]
    evaluate: Callable[[SealedFeatures], SealedScores]
    open: Callable[[SealedScores, object], object]

    def rows(self, name: str) -> list[Row]:
        def seal() -> None:
            self.sealed, self.opening = self.seal()

        def evaluate() -> None:
            self.answer = self.evaluate(self.sealed)

        def open_() -> None:
            self.opened = self.open(self.answer, self.opening)

        return [Row(f"{name}, seal", seal), Row(f"{name}, engine", evaluate), Row(f"{name}, open", open_)]


def least(row: Row) -> float:
    return min(row.cpu_ms)


def interleaved(rows: list[Row], rounds: int) -> None:
    for _ in range(rounds):
        for row in rows:
            row.run()
    for row in rows:
        print(f"{row.name:60} {least(row):10.3f} {statistics.median(row.cpu_ms):10.3f}")


def alone(profile: Profile) -> Row:
    ring = Ring(profile)
    ring.make_keys()
    return Row(f"encrypt + decrypt alone, {profile.name}", encrypt_and_decrypt(ring))


def spoken(circuit: Circuit) -> None:
    """What a circuit declares of itself."""
    cost = circuit.cost
    print(
        f"ciphertexts {cost.sealed_in} up, {cost.sealed_out} down; bytes {circuit.vector_bytes:,} up, "
        f"{circuit.answer_bytes:,} down, evaluation keys {circuit.evaluation_keys_bytes:,}; products {cost.products}, "
        f"rotations {cost.rotations}, squares {cost.squares}; weights {circuit.memory_bytes >> 20} MiB; declared "
        f"error {circuit.error:.2g}"
    )


def batch(rounds: int) -> list[Bar]:
    panel = synthetic_panel()
    circuit = Batch(panel)
    vault = BatchVault(circuit)
    start = time.process_time()
    evaluator = Evaluator(panel, circuits=[circuit])
    print(f"weights encoded in {time.process_time() - start:.2f} s")
    values = np.random.default_rng(7).uniform(panel.low, panel.high, (circuit.patients, len(panel.features)))
    values[::2] = np.where(values[::2] > 0, panel.high, panel.low)
    stages = Stages(lambda: vault.seal(values), lambda sealed: evaluator.evaluate(sealed, wire.NO_KEYS), vault.open)  # type: ignore[arg-type]
    base, rows = alone(circuit.profile), stages.rows(f"batch of {circuit.patients} x 32 models x 64 features")
    interleaved([base, *rows], rounds)
    sealed, opening = vault.seal(values)
    sums = vault._sums(evaluator.evaluate(sealed, wire.NO_KEYS), opening)
    each, whole = 1000 / circuit.patients, sum(map(least, rows))
    print(f"a patient: {whole / circuit.patients:.4f} ms in all; {whole / least(base) / circuit.patients:.4f} times")
    return [
        ("engine, microseconds a patient and model", least(rows[1]) * each / 32, 2.0),
        ("round over encrypt + decrypt, a ciphertext in or out", whole / least(base) / 96, 2.0),
        ("largest error before rounding", float(np.abs(sums - values @ panel.weights.T).max()), 1e-4),
    ]


CIRCUITS: dict[str, Callable[[int], list[Bar]]] = {"batch": batch}


def measure(names: list[str], rounds: int) -> int:
    print(f"calibration: {calibration.milliseconds():.3f} ms of CPU for a fixed piece of work")
    print(f"TenSEAL: {tenseal.__version__ if tenseal else 'not installed, so not compared'}")
    missed = 0
    for name in names or CIRCUITS:
        print(f"\n{name + ', CPU milliseconds':60} {'min':>10} {'median':>10}")
        for label, value, bar in CIRCUITS[name](rounds):
            missed += not value <= bar
            print(f"{label:60} {value:12.6f}  bar {bar:10.4f}  {'ok' if value <= bar else 'MISSED'}")
    return int(bool(missed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("circuits", nargs="*", choices=[*CIRCUITS, []])
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    sys.exit(measure(options.circuits, options.rounds))
