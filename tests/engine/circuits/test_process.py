"""A circuit through a courier, a socket and an engine of its own process, which holds no secret key."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import keyfile
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.courier import Courier
from fhirtwin.errors import EngineUnavailable
from fhirtwin.packages import xgboost_json
from fhirtwin.vault import BatchVault, Vault
from tests.ckks.builders import random_panel
from tests.engine.process import RunningEngine, wait_until_ready
from tests.packages.test_xgboost_json import recorded

ROOT = Path(__file__).resolve().parents[3]
PANEL = random_panel(3, rows=5, features=9)
CIRCUIT = Batch(PANEL)
START = """
import sys
from pathlib import Path
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.engine import server
from tests.ckks.builders import random_panel

def circuits():
    return [Batch(random_panel(3, rows=5, features=9))]

server.run(sys.argv[1], Path(sys.argv[2]), circuits=circuits)
"""


START_TREES = """
import sys
from pathlib import Path
from fhirtwin.engine import server
from fhirtwin.packages import xgboost_json

def circuits():
    return [xgboost_json.read(Path("fixtures/trees/three-classes.json"))]

server.run(sys.argv[1], Path(sys.argv[2]), circuits=circuits)
"""


@contextmanager
def engine_of(start: str, folder: Path) -> Iterator[Courier]:
    """A courier to an engine process that was started so."""
    key_file = folder / "engine.key"
    key = bytes.fromhex(keyfile.read_or_make(key_file))
    url = f"unix:{folder / 'engine.sock'}"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", start, url, str(key_file)], env=environment, cwd=ROOT)
    try:
        engine = RunningEngine(url, key, key_file, process)
        wait_until_ready(engine)
        courier = engine.courier(timeout=10.0)
        yield courier
        courier.close()
    finally:
        process.terminate()
        process.wait(10)


def test_a_batch_comes_back_through_an_engine_process(tmp_path: Path) -> None:
    with engine_of(START, tmp_path) as courier:
        vault = BatchVault(CIRCUIT)
        courier.ready(CIRCUIT.digest)
        with pytest.raises(EngineUnavailable, match="another panel"):
            courier.ready(PANEL.digest)
        values = np.stack([PANEL.high, PANEL.low])
        features, opening = vault.seal(values)
        scores = vault.open(courier.evaluate(features), opening)
        assert np.abs(scores.counts * 0.001 - values @ PANEL.weights.T).max() <= 0.0006


def test_margins_of_trees_come_back_through_an_engine_process(tmp_path: Path) -> None:
    rows, margins = recorded("three-classes")
    public = xgboost_json.read(ROOT / "fixtures" / "trees" / "three-classes.json").public(rows[:5])
    vaults = [Vault(panel) for panel in public.panels]
    with engine_of(START_TREES, tmp_path) as courier:
        for row, right in zip(rows[5:15], margins[5:15], strict=True):
            opened = []
            for vault, vector in zip(vaults, public.vectors(row), strict=True):
                courier.ready(vault.panel.digest)
                features, opening = vault.seal(vector)
                opened.append(vault.open(courier.evaluate(features), opening))
            told = [float(margin) for margin in public.read(opened).values()]
            assert np.abs(np.array(told) - right).max() <= 0.0007
