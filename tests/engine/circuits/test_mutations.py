"""Mutated ciphertexts of every circuit: none crashes the engine, and what it answers none opens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.vault import BatchVault, NetworkVault, PolygenicVault
from tests.ckks.builders import random_panel
from tests.ckks.circuits import test_network, test_polygenic
from tests.engine.test_evaluator import mutations

PANEL = random_panel(3, rows=5, features=9)
BATCH, POLYGENIC, NETWORK = Batch(PANEL), test_polygenic.MODEL, test_network.model()
VALUES = {
    "batch": np.stack([PANEL.high, PANEL.low]),
    "polygenic": [np.ones(len(POLYGENIC.variants))],
    "network": np.full(64, 0.1),
}


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(PANEL, circuits=[BATCH, POLYGENIC, NETWORK])


@pytest.mark.parametrize(("kind", "count"), [("batch", 100), ("polygenic", 100), ("network", 24)])
def test_none_crashes_the_engine_and_none_opens(evaluator: Evaluator, kind: str, count: int) -> None:
    vaults = {"batch": BatchVault(BATCH), "polygenic": PolygenicVault(POLYGENIC), "network": NetworkVault(NETWORK)}
    vault, refused_by = vaults[kind], {"engine": 0, "vault": 0}
    original, _ = vault.seal(VALUES[kind])  # type: ignore[arg-type]
    one = len(original.sealed_vector) // original.count
    for number, mutated in enumerate(mutations(original.sealed_vector[:one], count)):
        features, opening = vault.seal(VALUES[kind])  # type: ignore[arg-type]
        vector, place = features.sealed_vector, one * (number % features.count)
        own = vector[place : place + one]
        # Half are of this request, so that the vault has the key; the others of an earlier one.
        sent = mutated if number % 2 else mutated[:113] + own[113:-8] + mutated[-8:]
        if sent == own:
            continue
        changed = replace(features, sealed_vector=vector[:place] + sent + vector[place + one :])
        try:
            answer = evaluator.evaluate(changed, wire.keys_digest(features.evaluation_keys))
        except Incorrect:
            refused_by["engine"] += 1
            continue
        with pytest.raises(EngineAnswerWrong):
            vault.open(answer, opening)  # type: ignore[arg-type]
        refused_by["vault"] += 1
    assert min(refused_by.values()) > count / 6, refused_by
