"""Circuits beside the panel, each against encryption and decryption alone, and against TenSEAL where it is installed.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python -m benchmarks.circuits [batch ...] [--rounds 10]

Everything of one circuit runs interleaved in one process and is compared by CPU time. A round is seal, evaluate, open,
as between gateway and engine but for the wire. Peers are those of `benchmarks.peers`. Errors over 10,000 people are
told by `benchmarks.errors`. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_classification

from benchmarks import calibration, peers
from benchmarks.panel import Row, encrypt_and_decrypt, synthetic_panel
from fhirtwin.ckks import profiles, wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.circuits.circuit import Circuit
from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.ckks.circuits.trajectory import Trajectory
from fhirtwin.ckks.circuits.trees import PublicTrees, Trees
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import Profile
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.packages import xgboost_json
from fhirtwin.training.distilling import distil
from fhirtwin.training.teachers import told_by
from fhirtwin.vault import BatchVault, NetworkVault, PolygenicVault, Vault

try:
    import xgboost
except ImportError:
    xgboost = None

Bar = tuple[str, float, float]
Float = NDArray[np.float64]


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
    spoken(circuit)
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


def state_space() -> Trajectory:
    """12 states and 4 inputs, 24 steps, 8 outputs."""
    draw = np.random.default_rng(5)
    names = tuple(f"{i}" for i in range(12))
    transition = np.eye(12) * 0.97 + draw.normal(size=(12, 12)) * 0.01
    high = np.full(16, 3.0)
    drive, readout = draw.normal(size=(12, 4)) * 0.05, draw.normal(size=(8, 12)) * 0.3
    return Trajectory(names, names[:4], names[:8], -high, high, transition, drive, readout, 24, (0.01,) * 8)


TENSEAL_BAR = 12
"""How many times as fast a trajectory is to be as TenSEAL, whatever its error."""


def trajectory(rounds: int) -> list[Bar]:
    model = state_space()
    panel, evaluator = model.panel, Evaluator(synthetic_panel(), circuits=[model])
    modes = {mode: Vault(panel, mode=mode) for mode in ("sparse",)}
    patients = np.random.default_rng(6).uniform(panel.low, panel.high, (64, 16))
    errors: dict[str, float] = dict.fromkeys(modes, 0.0)

    def once(mode: str) -> Callable[[], None]:
        def run() -> None:
            done[mode] += 1
            sealed, opening = modes[mode].seal(patients[done[mode] % 64])
            modes[mode].open(evaluator.evaluate(sealed, digests[mode]), opening)

        return run

    def error(mode: str) -> float:
        worst = 0.0
        for values in patients:
            sealed, opening = modes[mode].seal(values)
            assert opening._ring is not None
            sums = modes[mode]._sums(opening._ring, evaluator.evaluate(sealed, digests[mode]), opening)
            worst = max(worst, float(np.abs(sums - panel.weights @ values).max()))
        return worst

    done = dict.fromkeys(modes, 0)
    digests = {mode: wire.keys_digest(vault.seal(patients[0])[0].evaluation_keys) for mode, vault in modes.items()}
    base, rows = alone(profiles.SPARSE), [Row(f"24 steps x 8 outputs, {mode}", once(mode)) for mode in modes]
    rivals = [(peer, Row(peer.name, peer.once)) for peer in peers.products_by_tenseal(panel.weights, patients)]
    interleaved([base, *rows, *(row for _, row in rivals)], 4 * rounds)
    errors = {mode: error(mode) for mode in modes}
    bars: list[Bar] = [
        ("round over encrypt + decrypt", least(rows[0]) / least(base), 2.3),
        ("largest error before rounding", errors["sparse"], 1e-4),
    ]
    for peer, row in rivals:  # the bar is the same for one that is less precise than ours may be
        precise = "as precise as ours must be" if peer.precise else f"less precise than the {peers.PRECISE:.0e} of ours"
        print(f"{row.name}: largest error {max(peer.errors):.2g}, {precise}")
        print(f"{rows[0].name}: {least(row) / least(rows[0]):.1f} times as fast as {row.name}, bar {TENSEAL_BAR}")
        bars.append((f"share of {row.name}", least(rows[0]) / least(row), 1 / TENSEAL_BAR))
    return bars


def polygenic(rounds: int) -> list[Bar]:
    draw, variants = np.random.default_rng(8), 110_000
    weights = draw.normal(size=(1, variants)) * 0.01
    circuit = Polygenic(tuple(f"v{i}" for i in range(variants)), ("score",), weights)
    spoken(circuit)
    vault, evaluator = PolygenicVault(circuit), Evaluator(synthetic_panel(), circuits=[circuit])
    people = [draw.integers(0, 3, variants).astype(np.float64) for _ in range(8)]
    extreme = np.where(weights[0] > 0, 2.0, 0.0)
    stages = Stages(
        lambda: vault.seal([people[0]]),
        lambda sealed: evaluator.evaluate(sealed, wire.NO_KEYS),
        vault.open,  # type: ignore[arg-type]
    )
    base, rows = alone(circuit.profile), stages.rows("110,000 variants")
    interleaved([base, *rows], rounds)
    worst = 0.0
    for person in [*people, extreme, 2.0 - extreme]:
        sealed, opening = vault.seal([person])
        sums = vault._sums(evaluator.evaluate(sealed, wire.NO_KEYS), opening)
        worst = max(worst, abs(float(sums[0] + circuit.constants[0] - weights[0] @ person)))
    whole = sum(map(least, rows))
    print(f"round over encrypt + decrypt alone: {whole / least(base):.1f} times, {circuit.chunks} chunks")
    return [
        ("round, milliseconds", whole, 100.0),
        ("round over encrypt + decrypt, a ciphertext in", whole / least(base) / circuit.chunks, 2.0),
        ("largest error before rounding", worst, 1e-4),
    ]


def square_network() -> Network:
    """64-64-16-4, outputs of up to some units."""
    draw, sizes = np.random.default_rng(3), (64, 64, 16, 4)
    weights = [draw.normal(size=(sizes[i + 1], sizes[i])) / np.sqrt(sizes[i]) for i in range(3)]
    biases = [draw.normal(size=sizes[i + 1]) * 0.1 for i in range(3)]
    names = tuple(f"{i}" for i in range(64))
    layers, high = (weights[0], weights[1], weights[2] * 0.07), np.ones(64)
    return Network(names, names[:4], -high, high, 5.0, layers, (biases[0], biases[1], biases[2]))


def network_by_tenseal(model: Network, patients: Float, degree: int, bits: list[int]) -> tuple[Row, list[float]]:
    """The same network, one thread, biases as weights of a unit that is one."""
    context = peers.context_of_tenseal(degree, bits)
    w1, w2, w3 = (np.hstack([w, b[:, None]]) for w, b in zip(model.weights, model.biases, strict=True))
    layers = [np.vstack([w, np.eye(w.shape[1])[-1]]).T.tolist() for w in (w1, w2)] + [w3.T.tolist()]
    errors: list[float] = []

    def once() -> None:
        values = patients[len(errors) % len(patients)]
        sealed = peers.tenseal.ckks_vector(context, np.append(values, 1.0))
        sealed = sealed.mm(layers[0])
        sealed.square_()
        sealed = sealed.mm(layers[1])
        sealed.square_()
        answer = sealed.mm(layers[2]).decrypt()
        errors.append(float(np.abs(np.array(answer) - model.evaluate_plain(values)).max()))

    return Row(f"TenSEAL, n {degree} {bits}", once), errors


def network(rounds: int) -> list[Bar]:
    model = square_network()
    spoken(model)
    vault, evaluator = NetworkVault(model), Evaluator(synthetic_panel(), circuits=[model])
    first, _ = vault.seal(model.samples[0])
    digest = wire.keys_digest(first.evaluation_keys)
    evaluator.evaluate(first, digest)
    patients = model.samples[[*range(40), *range(512, 552), *range(1024, len(model.samples), 8)]]
    stages = Stages(
        lambda: vault.seal(patients[0]),
        lambda sealed: evaluator.evaluate(replace(sealed, evaluation_keys=b""), digest),
        vault.open,  # type: ignore[arg-type]
    )
    base, rows = alone(model.profile), stages.rows("64-64-16-4")
    rivals = []
    if peers.tenseal:
        sets = [(8192, [31, 26, 26, 26, 26, 26, 31]), (16384, [60, 40, 40, 40, 40, 40, 60])]
        rivals = [network_by_tenseal(model, patients, degree, bits) for degree, bits in sets]
    interleaved([base, *rows], rounds)
    interleaved([row for row, _ in rivals], 2)
    worst = 0.0
    for values in patients:
        sealed, opening = vault.seal(values)
        answer = evaluator.evaluate(replace(sealed, evaluation_keys=b""), digest)
        outputs = vault._outputs(opening.take(), answer, opening)
        worst = max(worst, float(np.abs(outputs - model.evaluate_plain(values)).max()))
    whole = sum(map(least, rows))
    told = np.abs(model.evaluate_plain(patients))
    print(f"round over encrypt + decrypt alone: {whole / least(base):.1f} times")
    print(f"outputs up to {told[:80].max():.2f}, at extremes {told.max():.2f}")
    bars: list[Bar] = [("largest error before rounding, extremes included", worst, 3e-4)]
    for row, off in rivals:
        print(f"{row.name}: largest error {max(off):.2g}, {least(row) / whole:.1f} times ours")
        bars.append((f"share of {row.name}", whole / least(row), 1 / 25))
    return bars


def boosted(rows: Float, truth: NDArray[np.bool_], folder: Path) -> tuple[Trees, Float]:
    """100 trees of depth 3 by XGBoost, read from its file, and XGBoost's own margins."""
    parameters = {"objective": "binary:logistic", "max_depth": 3, "learning_rate": 0.2, "nthread": 1, "seed": 1}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, truth), 100)
    booster.save_model(folder / "model.json")
    return xgboost_json.read(folder / "model.json"), booster.predict(xgboost.DMatrix(rows), output_margin=True)


def trees(rounds: int) -> list[Bar]:
    if xgboost is None:
        print("XGBoost: not installed (pip install 'fhirtwin[training]'), so not measured")
        return []
    draw = np.random.default_rng(9)
    rows = draw.normal(size=(10_000, 64))
    score = rows[:, :8].sum(axis=1) + 2 * rows[:, 8] * rows[:, 9]
    truth = draw.random(10_000) < 1 / (1 + np.exp(-score))
    rows[draw.random(rows.shape) < 0.1] = np.nan
    with tempfile.TemporaryDirectory() as folder:
        model, margins = boosted(rows, truth, Path(folder))
    public = model.public(rows[:8])
    vaults, evaluator = [Vault(panel) for panel in public.panels], Evaluator(synthetic_panel(), circuits=[model])
    leaves = sum(len(panel.features) for panel in public.panels)
    print(
        f"{leaves} leaves in {len(vaults)} ciphertexts of 65,649 bytes each way; declared error {model.errors[0]:.2g}"
    )

    def once() -> None:
        for vault, vector in zip(vaults, public.vectors(rows[0]), strict=True):
            sealed, opening = vault.seal(vector)
            vault.open(evaluator.evaluate(sealed, wire.NO_KEYS), opening)

    base, row = alone(profiles.MASKED), Row("100 trees of depth 3, leaves found to opened", once)
    walk = Row("of that, finding the leaves", lambda: public.vectors(rows[0]))
    interleaved([base, row, walk], 4 * rounds)
    off = [_margin(public, vaults, evaluator, one) - told for one, told in zip(rows, margins, strict=True)]
    return [
        ("round over encrypt + decrypt, a ciphertext", least(row) / least(base) / len(vaults), 3.5),
        ("in clear against XGBoost's margins", float(np.abs(model.evaluate_plain(rows)[:, 0] - margins).max()), 1e-5),
        ("sealed, before rounding, 10,000 rows with missing values", float(np.abs(off).max()), 1e-4),
    ]


def _margin(public: PublicTrees, vaults: list[Vault], evaluator: Evaluator, values: Float) -> float:
    margin = float(public.constants[0])
    for vault, vector in zip(vaults, public.vectors(values), strict=True):
        sealed, opening = vault.seal(vector)
        assert opening._ring is not None
        margin += float(vault._sums(opening._ring, evaluator.evaluate(sealed, wire.NO_KEYS), opening)[0])
    return margin


def distilled(rounds: int) -> list[Bar]:
    """A student of 100 trees of depth 3, on the synthetic task of scikit-learn with 64 inputs."""
    if xgboost is None:
        print("XGBoost: not installed (pip install 'fhirtwin[training]'), so not measured")
        return []
    rows, truth = make_classification(
        12_000, 64, n_informative=20, n_redundant=10, flip_y=0.1, class_sep=0.7, random_state=0
    )
    with tempfile.TemporaryDirectory() as folder:
        parameters = {"objective": "binary:logistic", "max_depth": 3, "learning_rate": 0.2, "nthread": 1}
        aside = np.random.default_rng(1).permutation(12_000)[
            :3000
        ]  # what `distil` puts aside, the teacher has not seen
        seen = np.setdiff1d(np.arange(12_000), aside)
        booster = xgboost.train(parameters, xgboost.DMatrix(rows[seen], truth[seen]), 100)
        booster.save_model(f"{folder}/model.json")
        told = told_by(Path(folder) / "model.json", rows)
    start, names = time.process_time(), tuple(f"{i}" for i in range(64))
    made = distil(rows, told, names, ("log-odds",), labels=truth.astype(np.bool_))
    print(f"fitted in {time.process_time() - start:.1f} s; {made.report}")
    model, inputs = made.network, made.inputs(rows[aside])
    inputs = np.ascontiguousarray(inputs[np.linalg.norm(inputs, axis=1) <= model.radius])
    inputs = inputs[((inputs >= model.low) & (inputs <= model.high)).all(axis=1)][: 20 * rounds]
    vault, evaluator = NetworkVault(model), Evaluator(synthetic_panel(), circuits=[model])
    first, _ = vault.seal(inputs[0])
    digest, worst = wire.keys_digest(first.evaluation_keys), 0.0
    evaluator.evaluate(first, digest)
    for values in inputs:
        sealed, opening = vault.seal(values)
        answer = evaluator.evaluate(replace(sealed, evaluation_keys=b""), digest)
        outputs = vault._outputs(opening.take(), answer, opening)
        worst = max(worst, float(np.abs(outputs - model.evaluate_plain(values)).max()))
    report = made.report
    assert report.auc_teacher is not None
    assert report.auc_student is not None
    return [
        ("encrypted against plain, rows put aside", worst, 3e-4),
        ("declared error", report.error, 3e-4),
        ("AUC that the student loses to its teacher", report.auc_teacher - report.auc_student, 0.02),
    ]


CIRCUITS: dict[str, Callable[[int], list[Bar]]] = {
    "batch": batch,
    "trajectory": trajectory,
    "polygenic": polygenic,
    "network": network,
    "trees": trees,
    "distilled": distilled,
}


def measure(names: list[str], rounds: int) -> int:
    print(f"calibration: {calibration.milliseconds():.3f} ms of CPU for a fixed piece of work")
    print(peers.version())
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
