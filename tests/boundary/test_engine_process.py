"""What imports cannot prove: a started engine has loaded no patient code and holds no secret key."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import golden
from fhirtwin.assess_genes import SealedGenes
from fhirtwin.packages import published
from fhirtwin.packages.kinds.table import KINDS
from fhirtwin.pgx.results import Known, Pair
from fhirtwin.predictors import registry
from fhirtwin.vault import Vault
from tests.engine.process import RunningEngine, running_engine, serving
from tests.packages.builders import authors_file, one_of_each_kind

FORBIDDEN = (
    "fhirtwin.vault",
    "fhirtwin.store",
    "fhirtwin.twin",
    "fhirtwin.fhir",
    "fhirtwin.features",
    "fhirtwin.intake",
    "fhirtwin.report",
    "fhirtwin.interactions",
    "fhirtwin.access",
    "fhirtwin.api",
    "fhirtwin.app",
    "fhirtwin.assess",
    "fhirtwin.assess_genes",
    "fhirtwin.ingest",
    "sqlalchemy",
    "fhirtwin.training",
    "xgboost",
    "onnxruntime",
)

WITNESS = '''
"""Test only: in every process of the engine a thread waits for a file and then writes down what the process holds."""
import gc, json, os, sys, threading, time

FOLDER = os.environ["WITNESS_FOLDER"]

def watch():
    while not os.path.exists(f"{FOLDER}/tell"):
        time.sleep(0.02)
    rings = [o for o in gc.get_objects() if type(o).__name__ == "Ring"]
    told = {
        "modules": sorted(sys.modules),
        "secret_keys": [not ring._pyfhel.is_secret_key_empty() for ring in rings],
        "public_keys": [not ring._pyfhel.is_public_key_empty() for ring in rings],
        "environment": sorted(os.environ),
    }
    with open(f"{FOLDER}/{os.getpid()}.part", "w") as file:
        json.dump(told, file)
    os.rename(f"{FOLDER}/{os.getpid()}.part", f"{FOLDER}/{os.getpid()}.json")

def start():
    threading.Thread(target=watch, daemon=True).start()

os.register_at_fork(after_in_child=start)
start()
'''


def told_by(engine: RunningEngine, folder: Path) -> dict[int, dict[str, list[object]]]:
    (folder / "tell").touch()
    deadline = time.monotonic() + 10
    files = {pid: folder / f"{pid}.json" for pid in engine.processes}
    while not all(file.exists() for file in files.values()):
        assert time.monotonic() < deadline, "a process of the engine did not tell what it holds"
        time.sleep(0.02)
    return {pid: json.loads(file.read_text()) for pid, file in files.items()}


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_a_started_engine_holds_no_secret_key_and_has_loaded_no_patient_code(tmp_path: Path, mode: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITNESS)
    environment = {"PYTHONPATH": str(tmp_path), "WITNESS_FOLDER": str(tmp_path)}
    panel = registry.panel(registry.all_predictors())
    with running_engine(tmp_path, environment=environment) as engine:
        vault, courier = Vault(panel, mode=mode), engine.courier()
        features, opening = vault.seal(np.zeros(len(panel.features)))
        vault.open(courier.evaluate(features), opening)
        SealedGenes(courier.evaluate).phenotypes([Known("CYP2C19", (Pair("*1", "*2"),))])
        told = told_by(engine, tmp_path)

    worker = engine_worker(told)
    assert len(told) == 2
    for process in told.values():
        loaded = [name for name in process["modules"] if str(name).startswith(FORBIDDEN)]
        assert loaded == []
        assert not any(process["secret_keys"])
        assert not any(process["public_keys"])
        assert not [name for name in process["environment"] if str(name).startswith("FHIRTWIN_")]
    # The witness sees what it should: the evaluator is there, with its rings.
    assert {"fhirtwin.engine.evaluator", "fhirtwin.pgx.circuits.tables"} <= set(worker["modules"])
    assert len(worker["secret_keys"]) == (4 if mode == "rotating" else 3)


def test_an_engine_with_models_of_others_holds_no_secret_key_either(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITNESS)
    environment = {"PYTHONPATH": str(tmp_path), "WITNESS_FOLDER": str(tmp_path)}
    packages = list(one_of_each_kind(tmp_path).values())
    assert {one.kind for one in packages} == set(KINDS)
    for package in packages:
        published.publish(package, tmp_path / "models", with_weights=True)
    authors_file(tmp_path / "authors.json")
    with running_engine(tmp_path, *serving(tmp_path), environment=environment) as engine:
        for package in packages:
            assert golden.ask_by(engine.courier(), package).cases == len(package.cases)
        told = told_by(engine, tmp_path)
    for process in told.values():
        assert [name for name in process["modules"] if str(name).startswith(FORBIDDEN)] == []
        assert not any([*process["secret_keys"], *process["public_keys"]])
    assert "fhirtwin.packages.package" in engine_worker(told)["modules"]
    for makes in ("fhirtwin.packages.makers.maker", "fhirtwin.polygenic.copies", "fhirtwin.polygenic.scoring_file"):
        assert makes not in engine_worker(told)["modules"]


def engine_worker(told: dict[int, dict[str, list[object]]]) -> dict[str, list[object]]:
    """The one process of them that has rings."""
    (worker,) = (process for process in told.values() if process["secret_keys"])
    return worker


def test_the_witness_would_see_a_secret_key() -> None:
    """So that the test above can fail: a vault's ring says that it holds one."""
    panel = registry.panel(registry.all_predictors())
    _, opening = Vault(panel).seal(np.zeros(len(panel.features)))
    assert opening._ring is not None
    assert not opening._ring._pyfhel.is_secret_key_empty()
