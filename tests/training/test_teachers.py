"""Teachers are read from files that are no code, to what their own libraries say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.packages import xgboost_json
from fhirtwin.training.teachers import told_by
from tests.conftest import ROOT
from tests.packages.test_xgboost_json import recorded


def test_trees_are_read_without_xgboost() -> None:
    rows, margins = recorded("three-classes")
    assert np.abs(told_by(ROOT / "fixtures" / "trees" / "three-classes.json", rows) - margins).max() < 1e-5


def test_a_teacher_may_say_more_than_could_be_sealed(tmp_path: Path) -> None:
    file = json.loads((ROOT / "fixtures" / "trees" / "binary.json").read_text())
    file["learner"]["gradient_booster"]["model"]["trees"][1]["split_conditions"][-1] = 5000.0
    path = tmp_path / "model.json"
    path.write_text(json.dumps(file))
    rows, margins = recorded("binary")
    with pytest.raises(Incorrect, match="values that are too large"):
        xgboost_json.read(path)
    assert 4900 < (told_by(path, rows) - margins).max() < 5100
    file["learner"]["gradient_booster"]["model"]["trees"][1]["split_conditions"][-1] = 1e300
    path.write_text(json.dumps(file))
    with pytest.raises(Incorrect, match="a leaf has no finite value"):
        told_by(path, rows)


def test_the_other_format_of_xgboost(tmp_path: Path) -> None:
    import xgboost

    rows, margins = recorded("binary")
    booster = xgboost.Booster(model_file=ROOT / "fixtures" / "trees" / "binary.json")
    booster.save_model(tmp_path / "model.ubj")
    assert np.abs(told_by(tmp_path / "model.ubj", rows) - margins).max() < 1e-5
    (tmp_path / "broken.ubj").write_bytes((tmp_path / "model.ubj").read_bytes()[:300])
    with pytest.raises(Incorrect, match="XGBoost cannot read it"):
        told_by(tmp_path / "broken.ubj", rows)


def test_onnx(tmp_path: Path) -> None:
    import onnx

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.array([[0.5, -1.0], [2.0, 0.25]], dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["logits"]), helper.make_node("Sigmoid", ["logits"], ["chance"])],
        "linear",
        [helper.make_tensor_value_info("x", kind, [None, 2])],
        [helper.make_tensor_value_info(name, kind, [None, 2]) for name in ("logits", "chance")],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    rows = np.random.default_rng(1).normal(size=(50, 2))
    assert np.abs(told_by(path, rows, "logits") - rows @ weights).max() < 1e-5
    with pytest.raises(Incorrect, match="name one of its outputs: logits, chance"):
        told_by(path, rows)
    for wrong in (rows[:, :1], np.zeros((3, 3))):
        with pytest.raises(Incorrect, match="no ONNX model with one input"):
            told_by(path, wrong, "logits")
    path.write_bytes(b"garbage")
    with pytest.raises(Incorrect, match="no ONNX model"):
        told_by(path, rows, "logits")


@pytest.mark.parametrize("name", ["model.pkl", "model.pickle", "model.joblib", "model.pt", "model"])
def test_what_could_be_code_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch harmed'\ntR.")
    with pytest.raises(Incorrect, match="a pickle is never read"):
        told_by(tmp_path / name, np.zeros((1, 2)))


@pytest.mark.parametrize(("name", "library"), [("model.ubj", "xgboost"), ("model.onnx", "onnxruntime")])
def test_without_the_library_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(Incorrect, match=rf"takes {library}: pip install 'fhirtwin\[training\]'"):
        told_by(tmp_path / name, np.zeros((1, 2)))
