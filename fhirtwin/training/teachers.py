"""What a teacher says of rows, from its own file. Only formats that are no code are read; a pickle never is."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.files import read_file
from fhirtwin.packages import xgboost_json

_LONGEST = 200_000_000

Float = NDArray[np.float64]


def told_by(path: Path, rows: Float, output: str = "") -> Float:
    """What a model says of rows, shape (rows, outputs).

    Args:
        path: `.json` or `.ubj` of XGBoost, of which the margins are told; or `.onnx`.
        rows: of features as the model takes them; NaN where a value is missing, for trees.
        output: name of the output of an ONNX model that has log odds or what else is wanted; the only one unless told.

    Raises:
        Incorrect: it is no such file, or what it needs is not installed; the text says what to do.
    """
    if path.suffix == ".json":
        return xgboost_json.margins(path, rows)
    if path.suffix == ".ubj":
        return _ubj(path, rows)
    if path.suffix == ".onnx":
        return _onnx(path, rows, output)
    raise Incorrect(
        f"{path}: a teacher comes as .json or .ubj of XGBoost or as .onnx; a pickle is never read. "
        "Of any other, give what it says of your rows."
    )


def _ubj(path: Path, rows: Float) -> Float:
    """XGBoost turns its other format into JSON, which is then read as strictly as any."""
    xgboost = _library("xgboost", path)
    data = read_file(path, _LONGEST)
    try:
        booster = xgboost.Booster(model_file=bytearray(data))
    except xgboost.core.XGBoostError:
        raise Incorrect(f"{path}: XGBoost cannot read it.") from None
    with tempfile.TemporaryDirectory() as folder:
        booster.save_model(Path(folder) / "model.json")
        return xgboost_json.margins(Path(folder) / "model.json", rows)


def _onnx(path: Path, rows: Float, output: str) -> Float:
    runtime = _library("onnxruntime", path)
    # From bytes: a model in memory cannot name other files to read.
    data = read_file(path, _LONGEST)
    try:
        session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_outputs()]
        (taken,) = session.get_inputs()
        if output not in names and not (output == "" and len(names) == 1):
            raise Incorrect(f"{path}: name one of its outputs: {', '.join(names)}.")
        (told,) = session.run([output or names[0]], {taken.name: rows.astype(np.float32)})
    except Incorrect:
        raise
    except Exception:  # noqa: BLE001 - onnxruntime has no common error
        raise Incorrect(f"{path}: it is no ONNX model with one input of {rows.shape[1]} 32-bit floats.") from None
    found = np.asarray(told, dtype=np.float64)
    if found.shape[:1] != (len(rows),) or found.ndim > 2:
        raise Incorrect(f"{path}: that output is no table with a line for each row.")
    return found.reshape(len(rows), -1)


def _library(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Incorrect(f"{path}: reading it takes {name}: pip install 'fhirtwin[training]'.") from None
