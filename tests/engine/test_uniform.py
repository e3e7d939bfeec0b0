"""Whoever the patient is, a model of any kind takes the same bytes and the same operations: those that it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.circuits.circuit import Cost
from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.circuits.polygenic import CHUNK, Polygenic
from fhirtwin.ckks.circuits.trajectory import Trajectory
from fhirtwin.ckks.circuits.trees import Trees
from fhirtwin.ckks.declared import OF_PANELS, Declared
from fhirtwin.ckks.profiles import NETWORK
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import AnyCircuit, Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.errors import Incorrect
from fhirtwin.packages import published, xgboost_json
from fhirtwin.packages.kind import Model, Predictive
from fhirtwin.packages.kinds.panel import PanelModel
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.packages.kinds.table import KINDS
from fhirtwin.packages.kinds.trajectory import TrajectoryModel
from fhirtwin.predictors import registry
from fhirtwin.vault import BatchVault, Keyring, NetworkVault, PolygenicVault, Shelf, Vault, asking
from tests.ckks.builders import KEY, random_lookup, random_panel, random_table
from tests.ckks.circuits.test_network import model as random_network
from tests.conftest import ROOT
from tests.engine.counting import Counted, counting
from tests.packages import builders
from tests.report.builders import DAY, facts, state
from tests.sealed_models import assessor

PANEL, TABLE = random_panel(), random_table()
BATCH_PANEL = random_panel(3, rows=5, features=9)
DRAW = np.random.default_rng(2)
KEYRING = Keyring(Shelf())

Ask = Callable[[], object]
Send = Callable[[SealedFeatures], SealedScores]


@dataclass
class Line:
    """Stands between vaults and an engine, and notes the length of everything in both directions."""

    evaluator: Evaluator
    lengths: list[tuple[int, int]] = field(default_factory=list)

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        digest = wire.keys_digest(features.evaluation_keys) if features.evaluation_keys else wire.NO_KEYS
        answer = self.evaluator.evaluate(features, digest)
        request = wire.write_request(features, __version__, KEY, digest, with_keys=False)
        self.lengths.append((len(request), len(answer.sealed_sums)))
        return answer


@dataclass(frozen=True)
class Subject:
    """One kind as it is asked.

    Attributes:
        line: to the engine.
        people: who are asked about, extremes among them; each is one call.
        declared, cost: what the kind says of itself; the cost of all its parts.
        rotations: that follow from the layout of a panel.
    """

    line: Line
    people: Sequence[Ask]
    declared: Declared
    cost: Cost
    rotations: int = 0


def vaulted(vault: object, line: Line, values: object) -> Ask:
    """One person's call by a vault of any kind."""

    def ask() -> object:
        features, opening = vault.seal(values)  # type: ignore[attr-defined]
        return vault.open(line.evaluate(features), opening)  # type: ignore[attr-defined]

    return ask


def of_panel(mode: str) -> Subject:
    line = Line(Evaluator(PANEL, [TABLE]))
    vault = Vault(TABLE if mode == "sparse" else PANEL, mode=mode)
    if mode == "sparse":
        values = [np.zeros(len(TABLE.features)), *(random_lookup(TABLE, DRAW) for _ in range(3))]
    else:
        values = [np.zeros(len(PANEL.features)), PANEL.low, PANEL.high, DRAW.uniform(PANEL.low, PANEL.high)]
    declared = next(one for one in OF_PANELS.values() if one.profile.mode == mode)
    rotations = len(line.evaluator.layouts["P1-rot"].steps) if mode == "rotating" else 0
    return Subject(line, [vaulted(vault, line, one) for one in values], declared, Cost(1, 1, 1, 1), rotations)


def of_circuit(circuit: AnyCircuit, make: Callable[[Line], Sequence[Ask]], cost: Cost) -> Subject:
    line = Line(Evaluator(PANEL, circuits=[circuit]))
    return Subject(line, make(line), circuit.declared, cost)


def a_batch() -> Subject:
    circuit = Batch(BATCH_PANEL)
    vault = BatchVault(circuit)
    crowds = [np.zeros((1, 9)), np.tile(BATCH_PANEL.high, (4000, 1)), DRAW.uniform(0, BATCH_PANEL.high, (70, 9))]
    return of_circuit(circuit, lambda line: [vaulted(vault, line, one) for one in crowds], circuit.cost)


def a_polygenic() -> Subject:
    count = 2 * CHUNK + 5
    names = tuple(f"v{number}" for number in range(count))
    circuit = Polygenic(names, ("one", "two"), DRAW.normal(0, 0.01, (2, count)))
    vault = PolygenicVault(circuit)
    dosages = [np.zeros(count), np.ones(count), np.full(count, 2.0), DRAW.integers(0, 3, count).astype(float)]
    return of_circuit(circuit, lambda line: [vaulted(vault, line, [one]) for one in dosages], circuit.cost)


def a_network() -> Subject:
    circuit = random_network()
    vault = NetworkVault(circuit)
    values = [np.zeros(64), *circuit.samples[[0, 600, 1030]]]
    return of_circuit(circuit, lambda line: [vaulted(vault, line, one) for one in values], circuit.cost)


def a_trajectory() -> Subject:
    circuit = Trajectory(
        *(("a", "b"), ("dose",), ("level",)),
        *(np.full(3, -1.0), np.ones(3), np.array([[0.8, 0.1], [0.0, 0.7]]), np.array([[0.1], [0.5]])),
        *(np.array([[1.0, 0.5]]), 12, (0.01,)),
    )
    vault = Vault(circuit.panel, mode="sparse")
    values = [np.zeros(3), np.ones(3), -np.ones(3), np.array([0.0, 0.0, 1.0])]
    return of_circuit(circuit, lambda line: [vaulted(vault, line, one) for one in values], Cost(1, 1, 1, 1))


def some_trees() -> Subject:
    circuit = xgboost_json.read(ROOT / "fixtures" / "trees" / "three-classes.json")
    count = len(circuit.splits.features)
    public = circuit.public(DRAW.uniform(0, 100, (8, count)))
    vaults = [Vault(panel) for panel in public.panels]
    rows = [np.zeros(count), np.full(count, np.nan), np.full(count, 1e6), DRAW.uniform(0, 100, count)]

    def whole_call(line: Line, row: np.ndarray) -> Ask:
        parts = [vaulted(*one) for one in zip(vaults, [line] * len(vaults), public.vectors(row), strict=True)]
        return lambda: [ask() for ask in parts]

    parts = len(vaults)
    return of_circuit(circuit, lambda line: [whole_call(line, row) for row in rows], Cost(parts, parts, parts, parts))


MADE = builders.PACKED | {"trees": lambda folder: builders.packed_trees(folder, stretched=12)}


def served(folder: Path, names: Sequence[str]) -> Models:
    builders.authors_file(folder / "authors.json")
    for name in names:
        published.publish(MADE[name](folder / name).package, folder / "models", with_weights=True)
    return Models(folder / "models", folder / "authors.json")


def extremes(model: Model) -> list[np.ndarray]:
    """What may be sealed of somebody at the ends of all ranges, or of whom the model is not asked."""
    if isinstance(model, PolygenicModel):
        count = len(model.variants)
        return [np.zeros(count), np.ones(count), np.full(count, 2.0)]
    if isinstance(model, TrajectoryModel):
        return [model.hidden()[0].low, model.hidden()[0].high]
    assert isinstance(model, Predictive)
    ends = [model.hidden().low, model.hidden().high] if isinstance(model, PanelModel) else []
    return [model.nothing, *ends]


def a_package(kind: str, folder: Path) -> Subject:
    line = Line(Evaluator(PANEL, models=served(folder, [kind])))
    (package,) = published.current(folder / "models", builders.AUTHORS)
    asks = asking(package.model, KEYRING)
    people = [*(case.given for case in package.cases), *extremes(package.model)]
    costs = [part.cost for part in package.model.served()]
    total = Cost(*(sum(getattr(one, name) for one in costs) for name in Cost.__dataclass_fields__))
    return Subject(line, [lambda one=one: asks.ask(one, line.evaluate) for one in people], KINDS[kind].declared, total)


CIRCUITS: dict[str, Callable[[], Subject]] = {
    "masked": lambda: of_panel("masked"),
    "rotating": lambda: of_panel("rotating"),
    "sparse": lambda: of_panel("sparse"),
    "batch": a_batch,
    "polygenic": a_polygenic,
    "network": a_network,
    "trajectory": a_trajectory,
    "trees": some_trees,
}


@pytest.fixture(params=[*CIRCUITS, *(f"package of {kind}" for kind in MADE)])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    name: str = request.param
    return CIRCUITS[name]() if name in CIRCUITS else a_package(name.removeprefix("package of "), tmp_path)


def seen(line: Line, people: Sequence[Ask], counted: Counted) -> Iterator[tuple[object, ...]]:
    """What somebody who watches the line and the engine sees of each call, operations of the vault included."""
    people[0]()  # the first of a key that lasts brings its evaluation keys
    for ask in people:
        counted.clear()
        line.lengths.clear()
        ask()
        yield tuple(line.lengths), tuple(sorted(counted.operations.items()))


def test_bytes_and_operations_are_the_same_for_all_patients_and_those_declared(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = counting(monkeypatch)
    assert len(subject.people) > 2
    assert len(set(seen(subject.line, subject.people, counted))) == 1
    cost, profile = subject.cost, subject.declared.profile
    assert counted.products == cost.products
    assert counted.operations["square"] == cost.squares
    assert counted.operations["add_rotated"] == (subject.rotations or cost.rotations)
    assert counted.encryptions == cost.sealed_in and counted.operations["decrypt"] == cost.sealed_out
    overhead = wire.OVERHEAD_BYTES
    assert sum(sent - overhead for sent, _ in subject.line.lengths) == cost.sealed_in * profile.ciphertext_bytes
    assert sum(answer for _, answer in subject.line.lengths) == cost.sealed_out * profile.answer_bytes


def test_the_declared_depth_is_what_is_done_and_fits_the_levels_of_the_profile(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = counting(monkeypatch)
    subject.people[0]()
    assert counted.depth == subject.declared.depth <= subject.declared.profile.levels
    assert subject.declared.packing


def test_all_kinds_of_circuits_and_packages_are_here() -> None:
    assert MADE.keys() == KINDS.keys()
    kinds = (Batch, Polygenic, Network, Trajectory, Trees)
    declared = {OF_PANELS[name].packing for name in OF_PANELS} | {kind.declared.packing for kind in kinds}
    tried = {make().declared.packing for make in CIRCUITS.values()}
    assert tried == declared


def test_a_kind_that_goes_deeper_than_its_profile_cannot_be_declared() -> None:
    assert NETWORK.levels == 5
    with pytest.raises(Incorrect, match="has room for 5 products"):
        Declared(NETWORK, 6, "as may be")


def test_a_whole_call_with_packages_is_the_same_for_all_patients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = served(tmp_path, ["panel", "trees", "network"])
    line = Line(Evaluator(registry.panel(registry.all_predictors()), models=models))
    asks = assessor(tmp_path, line)
    assert sum(bool(one.model_hash) for one in asks.predictors) == 3
    everybody = [
        state(),
        state(known=facts(uacr=None)),  # KFRE is refused
        state(known=facts(bmi=Decimal(65))),  # lies outside the network
        state(known=facts(egfr=Decimal(20), systolic_bp=Decimal(180))),
    ]
    calls: list[Ask] = [lambda one=one: asks.assess(one, DAY) for one in everybody]
    refused = [len(asks.assess(one, DAY).refusals) for one in everybody]
    assert len(set(refused)) > 1, "these patients differ in what they are given"
    ((lengths, operations),) = set(seen(line, calls, counting(monkeypatch)))
    # The built-in panel, the package of a panel, the network with a golden case beside it, and the parts of the trees.
    assert len(lengths) == 4 + len(builders.trees_of(_of(tmp_path, "trees")).public.panels)  # type: ignore[arg-type]
    done = dict(operations)  # type: ignore[call-overload]
    assert done["encrypt"] + done["encrypt_alone"] == done["decrypt"] == len(lengths)


def _of(folder: Path, kind: str) -> object:
    (one,) = [one for one in published.current(folder / "models", builders.AUTHORS) if one.kind == kind]
    return one
