"""Whoever the patient is, a model takes the same bytes and the same operations, and a tenant is charged the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.context import Ring
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, evaluate, random_lookup, random_panel, random_table

PANEL, TABLE = random_panel(), random_table()
OPERATIONS = ("load", "multiply", "add_rotated", "encode", "add_plain", "save", "encrypt", "decrypt")


@pytest.mark.parametrize(("mode", "panel"), [("masked", PANEL), ("rotating", PANEL), ("sparse", TABLE)])
def test_bytes_and_operations_are_the_same_for_all_patients(
    mode: str, panel: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert panel in (PANEL, TABLE)
    used = PANEL if panel is PANEL else TABLE
    counts = Counter[str]()
    for name in OPERATIONS:
        real = getattr(Ring, name)

        def counted(ring: Ring, *given: object, _real: object = real, _name: str = name, **named: object) -> object:
            counts[_name] += 1
            return _real(ring, *given, **named)  # type: ignore[operator]

        monkeypatch.setattr(Ring, name, counted)
    vault, evaluator, draw = Vault(used, mode=mode), Evaluator(PANEL, [TABLE]), np.random.default_rng(2)
    if used is TABLE:
        values = [np.zeros(len(TABLE.features)), *(random_lookup(TABLE, draw) for _ in range(4))]
    else:
        values = [np.zeros(len(PANEL.features)), PANEL.low, PANEL.high, draw.uniform(PANEL.low, PANEL.high)]
    seen = set()
    for number, one in enumerate(values):
        counts.clear()
        features, opening = vault.seal(one)
        digest = wire.keys_digest(features.evaluation_keys)
        request = wire.write_request(features, __version__, KEY, digest, with_keys=False)
        answer = evaluate(evaluator, features)
        vault.open(answer, opening)
        if number or mode != "rotating":  # the first one of a key brings its evaluation keys
            seen.add((len(request), len(answer.sealed_sums), tuple(sorted(counts.items()))))
    assert len(seen) == 1
    ((_, _, operations),) = seen
    assert dict(operations)["multiply"] == 1
