"""The largest error of a sum before it is rounded, over 10,000 people with extremes among them, for every kind.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python -m benchmarks.errors [kind ...] [--people 10000] [--slow 1000]

Each person is sealed, evaluated and opened with the production parameters, and compared with the sum in clear; a batch
seals many at once. Of boosted trees `benchmarks.circuits trees` does the same, against the margins of XGBoost. A third
of the people are at random within the bounds, a third at random corners of them, a third where a sum is largest or
smallest, each sum in its turn. `--slow` counts for networks and polygenic scores, of which 10,000 take a quarter of an
hour. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks import sealed_genes
from benchmarks.circuits import square_network, state_space
from benchmarks.panel import synthetic_panel
from fhirtwin.ckks import profiles, wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.pgx.circuits import tables
from fhirtwin.predictors import registry
from fhirtwin.vault import BatchVault, NetworkVault, PolygenicVault, Vault

Float = NDArray[np.float64]
SLOW = ("network", "polygenic")
VARIANTS = 110_000


def people_of(low: Float, high: Float, weights: Float, people: int) -> Float:
    """At random, at corners, and at the ends of each row of weights, so many in all."""
    draw = np.random.default_rng(people)
    size = (-(-people // 3), len(low))
    random = draw.uniform(low, high, size)
    corners = np.where(draw.random(size) < 0.5, low, high)
    rows = weights[np.arange(size[0]) % len(weights)] * np.where(np.arange(size[0]) // len(weights) % 2, -1, 1)[:, None]
    furthest = np.where(rows > 0, high, np.where(rows < 0, low, random))
    mixed = np.stack([random, corners, furthest], axis=1).reshape(-1, len(low))
    return np.ascontiguousarray(mixed[:people])


@dataclass
class Asking:
    """An engine that is sent evaluation keys when they are new; a vault makes others after so many openings."""

    evaluator: Evaluator
    keys: bytes | None = None
    digest: bytes = b""

    def evaluate(self, sealed: SealedFeatures) -> SealedScores:
        if sealed.evaluation_keys is self.keys:
            return self.evaluator.evaluate(replace(sealed, evaluation_keys=b""), self.digest)
        self.keys, self.digest = sealed.evaluation_keys, wire.keys_digest(sealed.evaluation_keys)
        return self.evaluator.evaluate(sealed, self.digest)


def of_panel(panel: Panel, mode: str, people: int) -> float:
    vault = Vault(panel, mode=mode)
    evaluator = Evaluator(synthetic_panel(), [panel]) if mode == "sparse" else Evaluator(panel)
    engine, worst = Asking(evaluator), 0.0
    for values in people_of(panel.low, panel.high, panel.weights, people):
        sealed, opening = vault.seal(values)
        answer = engine.evaluate(sealed)
        with vault._keys.opening(opening) as ring:
            sums = vault._sums(ring, answer, opening)
        worst = max(worst, float(np.abs(sums - panel.weights @ values).max()))
    return worst


def panels(mode: str, people: int) -> float:
    """Of 32 × 64 weights at random, and of the panel that this program ships."""
    return max(
        of_panel(panel, mode, people) for panel in (synthetic_panel(), registry.panel(registry.all_predictors()))
    )


def batch(people: int) -> float:
    panel = synthetic_panel()
    circuit = Batch(panel)
    vault, evaluator, worst = BatchVault(circuit), Evaluator(panel, circuits=[circuit]), 0.0
    everybody = people_of(panel.low, panel.high, panel.weights, people)
    for start in range(0, people, circuit.patients):
        values = everybody[start : start + circuit.patients]
        sealed, opening = vault.seal(values)
        sums = vault._sums(evaluator.evaluate(sealed, wire.NO_KEYS), opening)
        worst = max(worst, float(np.abs(sums - values @ panel.weights.T).max()))
    return worst


def genes(people: int) -> float:
    """Of both circuits of genes, as many keys at random as they have room for."""
    return sealed_genes.largest_sum_error(Evaluator(synthetic_panel(), tables.panels()), people)


def polygenic(people: int) -> float:
    """Dosages at random, all at none or two, and where the score is largest or smallest."""
    draw = np.random.default_rng(8)
    weights = draw.normal(size=(1, VARIANTS)) * 0.01
    circuit = Polygenic(tuple(f"v{i}" for i in range(VARIANTS)), ("score",), weights)
    vault, evaluator, worst = PolygenicVault(circuit), Evaluator(synthetic_panel(), circuits=[circuit]), 0.0
    for number in range(people):
        person = draw.integers(0, 3, VARIANTS).astype(np.float64)
        if number % 3 == 1:
            person = 2.0 * draw.integers(0, 2, VARIANTS)
        elif number % 3 == 2:
            person = np.where((weights[0] > 0) == bool(number % 2), 2.0, 0.0)
        sealed, opening = vault.seal([person])
        sums = vault._sums(evaluator.evaluate(sealed, wire.NO_KEYS), opening)
        worst = max(worst, abs(float(sums[0] + circuit.constants[0] - weights[0] @ person)))
    return worst


def inputs_of(model: Network, people: int) -> Float:
    """What the network was judged by, ascent to the extremes of outputs and units among it, then others like it."""
    more = people_of(model.low, model.high, model.weights[0], max(people - len(model.samples), 3))
    known = model.samples[np.random.default_rng(1).permutation(len(model.samples))]
    return np.ascontiguousarray(np.concatenate([known, model._admitted(more)])[:people])


def network(people: int) -> float:
    model = square_network()
    vault, engine, worst = NetworkVault(model), Asking(Evaluator(synthetic_panel(), circuits=[model])), 0.0
    for values in inputs_of(model, people):
        sealed, opening = vault.seal(values)
        answer = engine.evaluate(sealed)
        outputs = vault._outputs(opening.take(), answer, opening)
        worst = max(worst, float(np.abs(outputs - model.evaluate_plain(values)).max()))
    return worst


KINDS: dict[str, tuple[Callable[[int], float], float]] = {
    "panel, masked": (lambda people: panels("masked", people), profiles.MASKED.error),
    "panel, rotating": (lambda people: panels("rotating", people), profiles.ROTATING.error),
    "trajectory": (lambda people: of_panel(state_space().panel, "sparse", people), profiles.SPARSE.error),
    "genes": (genes, profiles.SPARSE.error),
    "batch": (batch, profiles.BATCH.error),
    "polygenic": (polygenic, profiles.POLYGENIC.error),
    "network": (network, profiles.NETWORK.error),
}


def measure(kinds: list[str], people: int, slow: int) -> int:
    missed = 0
    for name, (worst_of, bar) in KINDS.items():
        if kinds and name.split(",")[0] not in kinds:
            continue
        count, start = slow if name in SLOW else people, time.process_time()
        worst = worst_of(count)
        missed += not worst <= bar
        spent, verdict = time.process_time() - start, "met" if worst <= bar else "MISSED"
        print(f"{name:20}{count:8,} people  largest {worst:.2g}  bar {bar:.0e}  {verdict}  ({spent:.0f} s)", flush=True)
    return int(bool(missed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*{name.split(",")[0] for name in KINDS}, []])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=1_000)
    options = parser.parse_args()
    sys.exit(measure(options.kinds, options.people, options.slow))
