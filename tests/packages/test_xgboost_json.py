"""Boosted trees are read from XGBoost's file to XGBoost's margins, and what would change a margin is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.packages import xgboost_json
from tests.conftest import ROOT

TREES = ROOT / "fixtures" / "trees"


def recorded(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows, values missing and exactly at thresholds among them, and the margins XGBoost 3.2 gave for them."""
    told = json.loads((TREES / f"{name}.margins.json").read_text())
    return np.array(told["rows"], dtype=np.float64), np.array(told["margins"])


@pytest.mark.parametrize("name", ["binary", "three-classes"])
def test_margins_are_those_that_xgboost_gave(name: str) -> None:
    rows, margins = recorded(name)
    assert np.isnan(rows).any(axis=1).sum() > 30
    model = xgboost_json.read(TREES / f"{name}.json")
    assert np.abs(model.evaluate_plain(rows) - margins).max() < 1e-5


def test_equal_to_a_threshold_goes_right_and_missing_goes_as_the_node_says() -> None:
    rows, margins = recorded("binary")
    model = xgboost_json.read(TREES / "binary.json")
    root = model.splits.trees[0]
    at = rows[:, root.feature[0]] == root.threshold[0]
    assert at.any()
    below = rows[at].copy()
    below[:, root.feature[0]] = np.nextafter(root.threshold[0], np.float32(-np.inf))
    assert (model.splits.reached(below)[:, 0] != model.splits.reached(rows[at])[:, 0]).all()
    assert np.abs(model.evaluate_plain(rows[at]) - margins[at]).max() < 1e-5


def test_names_of_features_and_outputs() -> None:
    assert xgboost_json.read(TREES / "binary.json").splits.features == ("age", "sbp", "egfr", "glucose", "bmi")
    model = xgboost_json.read(TREES / "three-classes.json")
    assert model.splits.features == ("f0", "f1", "f2", "f3", "f4")
    assert model.splits.outputs == ("margin-0", "margin-1", "margin-2")


def _model(file: dict[str, Any]) -> Any:
    return file["learner"]["gradient_booster"]["model"]


def _tree(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda file: _model(file)["trees"][1].update(changes)


def _learner(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda file: file["learner"].update(changes)


def _sizes(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda file: file["learner"]["learner_model_param"].update(changes)


def _node(member: str, place: int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(file: dict[str, Any]) -> None:
        _model(file)["trees"][1][member][place] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.update(version=[2, 0, 3]), "load it with XGBoost 3 and save it again"),
        (lambda f: f["learner"]["gradient_booster"].update(name="dart"), "name"),
        (lambda f: f["learner"]["gradient_booster"].update(weight_drop=[1.0]), "unknown field"),
        (lambda f: f["learner"]["objective"].update(name="survival:cox"), "survival:cox"),
        (lambda f: _model(f)["trees"].pop(), "as many trees as it says"),
        (lambda f: _model(f)["tree_info"].__setitem__(0, 1), "Every tree must add to an output"),
        (_learner(attributes={"best_iteration": "3"}), r"booster\[: booster.best_iteration \+ 1\]"),
        (_learner(feature_types=["c"] * 5), "no number"),
        (_learner(feature_names=["one"]), "as many names"),
        (_learner(feature_names=["one"] * 5), "names a feature or an output twice"),
        (_sizes(base_score="[1.5E0]"), "probability"),
        (_sizes(base_score="[nan]"), "finite number"),
        (_sizes(base_score="[0.5,0.5]"), "for each output"),
        (_sizes(base_score="half"), "list of numbers"),
        (_sizes(num_target="2"), "num_target"),
        (_tree(categories=[1]), "categories"),
        (_tree(extra=1), "unknown field"),
        (_tree(default_left=[0]), "as many"),
        (_node("split_type", 0, 1), "split_type"),
        (_node("default_left", 0, 2), "neither left nor right"),
        (_node("left_children", 0, 0), "tree 1: "),
        (_node("left_children", 0, 2), "tree 1: "),
        (_node("left_children", 0, -1), "one child alone"),
        (_node("right_children", 0, 10**9), "tree 1: "),
        (_node("split_indices", 0, 5), "feature that the model does not have"),
        (_node("split_indices", 0, -1), "feature that the model does not have"),
        (_node("split_conditions", 0, 1e300), "not finite"),
        (_node("split_conditions", -1, 1e300), "finite number for each leaf"),
        (_node("split_conditions", -1, 1e9), "values that are too large"),
    ],
)
def test_what_is_not_reckoned_with_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    file = json.loads((TREES / "binary.json").read_text())
    change(file)
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(file))
    with pytest.raises(Incorrect, match=says):
        xgboost_json.read(changed)


def test_two_members_of_one_name_and_what_is_no_json_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    for data in (b'{"version": [3,2,0], "version": [3,2,0]}', b"\x80\x04\x95", b"{L\x00", b"[" * 100_000):
        file.write_bytes(data)
        with pytest.raises(Incorrect, match=r"model\.json"):
            xgboost_json.read(file)
