"""A circuit through a courier, a socket and an engine of its own process, which holds no secret key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import keyfile
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.errors import EngineUnavailable
from fhirtwin.vault import BatchVault
from tests.ckks.builders import random_panel
from tests.engine.process import RunningEngine, wait_until_ready

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


def test_a_batch_comes_back_through_an_engine_process(tmp_path: Path) -> None:
    key_file = tmp_path / "engine.key"
    key = bytes.fromhex(keyfile.read_or_make(key_file))
    url = f"unix:{tmp_path / 'engine.sock'}"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", START, url, str(key_file)], env=environment, cwd=ROOT)
    try:
        engine = RunningEngine(url, key, key_file, process)
        wait_until_ready(engine)
        courier, vault = engine.courier(timeout=10.0), BatchVault(CIRCUIT)
        courier.ready(CIRCUIT.digest)
        with pytest.raises(EngineUnavailable, match="another panel"):
            courier.ready(PANEL.digest)
        values = np.stack([PANEL.high, PANEL.low])
        features, opening = vault.seal(values)
        scores = vault.open(courier.evaluate(features), opening)
        courier.close()
        assert np.abs(scores.counts * 0.001 - values @ PANEL.weights.T).max() <= 0.0006
    finally:
        process.terminate()
        process.wait(10)
