"""Trees: the sealed margin is the plain one, the gateway has no leaf value, and what cannot be done is refused."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.splits import Splits, Tree
from fhirtwin.ckks.circuits.trees import PublicTrees, Trees
from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect
from fhirtwin.packages import xgboost_json
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, evaluate, random_panel

PANEL = random_panel()


def full_tree(draw: np.random.Generator, depth: int, features: int) -> Tree:
    inner = 2**depth - 1
    nodes = np.arange(2 * inner + 1)
    splits = nodes < inner
    return Tree(
        np.where(splits, 2 * nodes + 1, -1),
        np.where(splits, 2 * nodes + 2, -1),
        np.where(splits, draw.integers(0, features, nodes.size), 0),
        draw.normal(size=nodes.size).astype(np.float32),
        draw.random(nodes.size) < 0.5,
    )


def model(trees: int = 60, depth: int = 3, outputs: int = 1, size: float = 0.2, seed: int = 1) -> Trees:
    draw = np.random.default_rng(seed)
    made = tuple(full_tree(draw, depth, 9) for _ in range(trees))
    names = tuple(f"f{i}" for i in range(9)), tuple(f"y{i}" for i in range(outputs))
    splits = Splits(names[0], names[1], made, tuple(i % outputs for i in range(trees)))
    return Trees(splits, tuple(draw.normal(size=2**depth) * size for _ in made), draw.normal(size=outputs))


def people(count: int, seed: int = 2) -> np.ndarray:
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(count, 9)) * 1.5
    rows[draw.random(rows.shape) < 0.15] = np.nan
    return rows


def one_by_one(of: Trees, row: np.ndarray) -> np.ndarray:
    """Node by node, as a textbook would."""
    told = of.base.copy()
    for tree, values, output in zip(of.splits.trees, of.values, of.splits.output_of, strict=True):
        node = 0
        while tree.left[node] != -1:
            value = np.float32(row[tree.feature[node]])
            left = tree.missing_left[node] if np.isnan(value) else value < tree.threshold[node]
            node = int(tree.left[node] if left else tree.right[node])
        told[output] += values[int((tree.left[:node] == -1).sum())]
    return told


def unrounded(of: Trees, public: PublicTrees, vaults: list[Vault], evaluator: Evaluator, row: np.ndarray) -> np.ndarray:
    told = public.constants.copy()
    for vault, vector, part in zip(vaults, public.vectors(row), public.parts, strict=True):
        features, opening = vault.seal(vector)
        assert opening._ring is not None
        told[of.splits.output_of[part[0]]] += vault._sums(opening._ring, evaluate(evaluator, features), opening)[0]
    return told


@pytest.mark.parametrize("of", [model(), model(outputs=3), model(20, 6)], ids=["1", "3", "deep"])
def test_sealed_margins_are_the_plain_ones(of: Trees) -> None:
    public, evaluator = of.public(people(4)), Evaluator(PANEL, circuits=[of])
    vaults = [Vault(panel) for panel in public.panels]
    for row in people(20, 3):
        opened = []
        for vault, vector in zip(vaults, public.vectors(row), strict=True):
            features, opening = vault.seal(vector)
            opened.append(vault.open(evaluate(evaluator, features), opening))
        told = public.read(opened)
        right = one_by_one(of, row)
        assert np.abs(of.evaluate_plain(row[None])[0] - right).max() < 1e-12
        assert list(told) == list(of.splits.outputs)
        off = np.abs(np.array([float(value) for value in told.values()]) - right)
        assert (off <= of.errors + 0.0005 * len(vaults) + 1e-6).all()


@pytest.mark.production_set
def test_error_before_rounding_is_within_what_is_declared() -> None:
    of = model(100)
    public, evaluator = of.public(people(4)), Evaluator(PANEL, circuits=[of])
    vaults = [Vault(panel) for panel in public.panels]
    rows = people(600, 5)
    right = of.evaluate_plain(rows)
    off = [
        np.abs(unrounded(of, public, vaults, evaluator, one) - told).max()
        for one, told in zip(rows, right, strict=True)
    ]
    assert max(off) <= of.errors.max() <= 1.2e-4
    assert max(off) <= 1e-4


def test_10_000_rows_of_xgboost(tmp_path: Path) -> None:
    """Against the margins of XGBoost itself: all rows in clear, one in forty sealed (all: `benchmarks.circuits`)."""
    import xgboost

    draw, rows = np.random.default_rng(8), people(10_000, 6)
    truth = draw.random(10_000) < 1 / (1 + np.exp(-np.nan_to_num(rows) @ draw.normal(size=9)))
    parameters = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "seed": 1}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, truth), 100)
    booster.save_model(tmp_path / "model.json")
    margins = booster.predict(xgboost.DMatrix(rows), output_margin=True)
    of = xgboost_json.read(tmp_path / "model.json")
    assert np.abs(of.evaluate_plain(rows)[:, 0] - margins).max() < 1e-5
    public, evaluator = of.public(rows[:4]), Evaluator(PANEL, circuits=[of])
    vaults = [Vault(panel) for panel in public.panels]
    for row, margin in zip(rows[::40], margins[::40], strict=True):
        assert abs(unrounded(of, public, vaults, evaluator, row)[0] - margin) <= 1e-4


def test_it_goes_through_the_door_of_an_engine_that_names_its_parts() -> None:
    of = model(40, 3, 2)
    public, client = of.public(people(2)), create_app(Evaluator(PANEL, circuits=[of]), KEY).test_client()
    assert client.get(wire.READY).json["circuits"] == sorted(panel.digest for panel in of.panels)  # type: ignore[index]
    for panel, vector in zip(public.panels, public.vectors(people(1)[0]), strict=True):
        vault = Vault(panel)
        features, opening = vault.seal(vector)
        request = wire.write_request(features, __version__, KEY, wire.NO_KEYS, with_keys=False)
        response = client.post(wire.EVALUATE, data=request)
        assert response.status_code == 200
        assert vault.open(wire.read_response(response.data, KEY, features, request).scores, opening).values


def test_the_public_half_has_no_leaf_value() -> None:
    of = model()
    public = of.public(people(2))
    held = {field.name for field in fields(public)}
    assert held == {"splits", "parts", "panels", "constants"}
    assert all(isinstance(panel, HiddenPanel) for panel in public.panels)
    assert not any(hasattr(panel, "weights") for panel in public.panels)
    leaves = np.concatenate(of.values)
    for array in [public.constants, *(array for p in public.panels for array in (p.answers, p.least, p.greatest))]:
        assert np.abs(array.reshape(-1, 1) - leaves).min() > 0


def test_trees_are_divided_up_by_what_sums_can_be_and_by_leaves() -> None:
    by_sums, by_leaves = model(100, 3, size=0.5), model(100, 6, size=0.01)
    for of in (by_sums, by_leaves, model(60, 3, 2)):
        assert sorted(tree for part in of.parts for tree in part) == list(range(len(of.values)))
        assert all(len({of.splits.output_of[tree] for tree in part}) == 1 for part in of.parts)
        assert all(len(panel.features) <= 2048 for panel in of.panels)
    assert len(by_sums.parts) > 1 and len(by_leaves.parts) == 4


def test_one_place_a_tree_is_hot_and_vectors_are_as_long_for_everybody() -> None:
    of = model(40, 3, 2)
    public = of.public(people(1))
    for row in people(10, 4):
        for vector, part in zip(public.vectors(row), public.parts, strict=True):
            assert vector.size == 8 * len(part)
            assert (vector.reshape(-1, 8).sum(axis=1) == 1).all()


def test_other_leaf_values_are_refused_by_the_vault() -> None:
    of = model(20)
    other = replace(of, values=tuple(value[::-1].copy() for value in of.values))
    public = of.public(people(6))
    (vault,) = [Vault(panel) for panel in public.panels]
    features, opening = vault.seal(public.vectors(people(1)[0])[0])
    answer = evaluate(Evaluator(PANEL, circuits=[other]), replace(features, panel_digest=other.panels[0].digest))
    with pytest.raises(EngineAnswerWrong):
        vault.open(replace(answer, panel_digest=features.panel_digest), opening)


def test_scores_of_another_model_are_not_read() -> None:
    of = model(20)
    public, other = of.public(people(1)), model(20, seed=5)
    vault = Vault(public.panels[0])
    features, opening = vault.seal(public.vectors(people(1)[0])[0])
    scores = vault.open(evaluate(Evaluator(PANEL, circuits=[of]), features), opening)
    for wrong in ([], [scores, scores]):
        with pytest.raises(Fault, match="another model"):
            public.read(wrong)
    with pytest.raises(Fault, match="another model"):
        other.public(people(1)).read([scores])


def test_every_part_of_the_model_is_in_its_digest() -> None:
    of = model(4)
    tree = of.splits.trees[0]
    others = [
        replace(of, base=of.base + 1e-9),
        replace(of, values=(of.values[0] + 1e-9, *of.values[1:])),
        replace(of, splits=replace(of.splits, features=tuple(reversed(of.splits.features)))),
        replace(
            of, splits=replace(of.splits, trees=(replace(tree, missing_left=~tree.missing_left), *of.splits.trees[1:]))
        ),
    ]
    assert len({of.digest, *(other.digest for other in others)}) == 5
    assert len({of.panels[0].digest, *(other.panels[0].digest for other in others)}) == 5


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_infinite_values_are_refused_by_the_name_of_the_feature(value: float) -> None:
    row = np.zeros(9)
    row[4] = value
    with pytest.raises(Incorrect, match="Feature f4 is infinite") as refused:
        model(4).public(people(1)).vectors(row)
    assert "e+" not in str(refused.value)


def test_models_that_cannot_be_evaluated_safely_are_refused() -> None:
    of = model(4)
    for change, says in (
        ({"values": of.values[:-1]}, "one value for each leaf"),
        ({"values": (of.values[0][:-1], *of.values[1:])}, "one value for each leaf"),
        ({"values": (of.values[0] * np.nan, *of.values[1:])}, "finite number"),
        ({"values": (of.values[0] * 1e3, *of.values[1:])}, "too large"),
        ({"base": np.zeros(2)}, "finite number"),
        ({"tolerance": 1e-9}, "could be off by"),
    ):
        with pytest.raises(Incorrect, match=says):
            replace(of, **change)  # type: ignore[arg-type]
    with pytest.raises(Incorrect, match="y0 has no weight"):
        model(3, 0)
    with pytest.raises(Incorrect, match="too many leaves"):
        model(1, 12)
    with pytest.raises(Incorrect, match="must have 9 values"):
        of.splits.reached(np.zeros((1, 8)))
    with pytest.raises(Incorrect, match="every output must have a tree"):
        Splits(("a",), (), (), ())
