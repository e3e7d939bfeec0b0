"""A real engine whose line is full says so at its door: 503 with `Retry-After`, signed, at once, and it recovers."""

from __future__ import annotations

import json
import select
import time
from pathlib import Path

import numpy as np
import pytest

from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.engine.tenants.turns import Bounds
from fhirtwin.errors import EngineUnavailable
from fhirtwin.predictors import registry
from fhirtwin.vault import BatchVault
from tests.engine.process import running_engine
from tests.engine.raw import Caller

PANEL = registry.panel(registry.all_predictors())
CIRCUIT = Batch(PANEL)
MORE = 7


def test_who_comes_when_the_line_is_full_is_told_503_and_when_to_come_back(tmp_path: Path) -> None:
    vault = BatchVault(CIRCUIT)
    features, opening = vault.seal(np.where(PANEL.low > 0, PANEL.low, 0.0)[None])
    room = Bounds().at_once + Bounds().waiting
    with running_engine(tmp_path, "--batch") as engine:
        crowd = [Caller(engine, features) for _ in range(room + MORE)]
        try:
            for one in crowd:
                one.announce()  # large messages are read two at a time, and nobody here sends the body
            end, refused = time.monotonic() + 10, list[Caller]()
            while len(refused) < MORE and time.monotonic() < end:
                refused = select.select(crowd, [], [], 0.2)[0]
            assert len(refused) == MORE, "as many as there is no room for, and not one more"
            waits = set[int]()
            for one in refused:
                told = one.told()
                assert told.status == 503
                waits.add(int(told.headers["retry-after"]))
                assert json.loads(told.body)["error"].startswith("This engine has too much to do")
                assert told.headers[wire.MAC_HEADER.lower()] == wire.sign_error(engine.key, 503, told.body).hex()
            assert waits == {1}
            with pytest.raises(EngineUnavailable, match="too much to do"):
                engine.courier().evaluate(features)
        finally:
            for one in crowd:
                one.close()
        time.sleep(max(waits))
        scores = vault.open(engine.courier().evaluate(features), opening)
        assert scores.counts.shape == (1, len(PANEL.rows))
