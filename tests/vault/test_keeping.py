"""Keys of many requests: how long they are used, and what lies in the file meanwhile."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.key_shelf import NAME, KeyShelf
from fhirtwin.vault import Lifetime, NetworkVault, Shelf, Vault, sealing_key
from fhirtwin.vault.keeping import InMemory
from tests.ckks.builders import evaluate, random_panel
from tests.ckks.circuits import test_network

PANEL = random_panel()
EVALUATOR = Evaluator(PANEL)
USUAL = Lifetime()
SEALING, OTHER = bytes(range(32)), bytes(range(1, 33))


def vault(folder: Path | None = None, key: bytes = SEALING, lifetime: Lifetime = USUAL) -> Vault:
    kept = KeyShelf(folder / NAME) if folder else None
    return Vault(PANEL, mode="rotating", shelf=Shelf(kept, key, lifetime))


def round_trip(vault: Vault) -> SealedFeatures:
    features, opening = vault.seal(PANEL.high)
    assert vault.open(evaluate(EVALUATOR, features), opening).values.keys() == set(PANEL.rows)
    return features


@pytest.mark.parametrize("kept", [False, True])
def test_a_key_is_replaced_when_it_may_open_no_more(tmp_path: Path, kept: bool) -> None:
    using = vault(tmp_path if kept else None, lifetime=Lifetime(openings=3))
    keys = [round_trip(using).evaluation_keys for _ in range(7)]
    assert len(set(keys)) == 3
    assert keys[0] == keys[2] != keys[3] == keys[5] != keys[6]


def test_a_key_is_replaced_when_it_is_old() -> None:
    now = 0.0
    keeping = InMemory(Lifetime(seconds=60), lambda: now)
    name = keeping.add(lambda: b"")
    now = 59.0
    assert keeping.grant(name)
    now = 60.0
    assert not keeping.grant(name)


def test_a_kept_key_serves_after_a_restart_and_in_other_processes(tmp_path: Path) -> None:
    first, second = round_trip(vault(tmp_path)), round_trip(vault(tmp_path))
    assert first.evaluation_keys == second.evaluation_keys
    assert round_trip(vault()).evaluation_keys != first.evaluation_keys


def test_what_was_sealed_before_a_restart_is_opened_with_the_same_key(tmp_path: Path) -> None:
    before, after = vault(tmp_path), vault(tmp_path)
    features, opening = before.seal(PANEL.high)
    ring, evaluation_keys = after._keys._now  # type: ignore[attr-defined]
    opening._ring = ring
    assert evaluation_keys == features.evaluation_keys
    assert after.open(evaluate(EVALUATOR, features), opening).values


@pytest.mark.parametrize("end", ["retire_all", "revoke"])
def test_a_key_that_is_ended_is_used_no_more_by_any_running_process(tmp_path: Path, end: str) -> None:
    one, other = vault(tmp_path), vault(tmp_path)
    before = round_trip(one).evaluation_keys
    assert round_trip(other).evaluation_keys == before
    shelf = KeyShelf(tmp_path / NAME)
    shelf.retire_all() if end == "retire_all" else shelf.revoke(shelf.all()[0].id)
    after = round_trip(one).evaluation_keys
    assert after != before
    assert round_trip(other).evaluation_keys == after


def test_a_wrong_answer_ends_a_kept_key_everywhere(tmp_path: Path) -> None:
    one, other = vault(tmp_path), vault(tmp_path)
    (first, _), (second, opening) = one.seal(PANEL.high), one.seal(PANEL.high)
    with pytest.raises(EngineAnswerWrong):
        one.open(evaluate(EVALUATOR, first), opening)
    assert round_trip(other).evaluation_keys != second.evaluation_keys


def test_the_key_of_a_network_is_kept_as_well(tmp_path: Path) -> None:
    circuit = test_network.model()
    engine = Evaluator(PANEL, circuits=[circuit])
    seen = set()
    for _ in range(2):
        network = NetworkVault(circuit, shelf=Shelf(KeyShelf(tmp_path / NAME), SEALING))
        features, opening = network.seal(np.full(len(circuit.inputs), 0.1))
        seen.add(features.evaluation_keys)
        assert network.open(evaluate(engine, features), opening).values.keys() == set(circuit.outputs)
    assert len(seen) == 1


def test_the_file_holds_no_secret_key_in_the_clear(tmp_path: Path) -> None:
    using = vault(tmp_path)
    round_trip(using)
    written = using._keys._now[0].secret_key()  # type: ignore[attr-defined]
    pieces = {written[at : at + 16] for at in range(200, len(written) - 16, 1000)}
    data = (tmp_path / NAME).read_bytes()
    assert len(data) > len(written)
    assert not [piece for piece in pieces if any(piece) and piece in data]


def test_another_passphrase_opens_nothing_and_says_so(tmp_path: Path) -> None:
    vault(tmp_path)
    with pytest.raises(Incorrect, match="give the passphrase"):
        vault(tmp_path, OTHER)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE key SET sealed = substr(sealed, 1, 5)",
        "UPDATE key SET sealed = zeroblob(length(sealed))",
        "UPDATE key SET sealed = CAST(sealed || x'00' AS BLOB)",
        "UPDATE key SET id = 'another'",
    ],
)
def test_a_kept_key_that_was_changed_or_renamed_is_refused(tmp_path: Path, change: str) -> None:
    vault(tmp_path)
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute(change)
    with pytest.raises(Incorrect, match="cannot be opened"):
        vault(tmp_path)


def test_a_key_of_another_circuit_is_not_taken(tmp_path: Path) -> None:
    vault(tmp_path)
    other = random_panel(seed=2)
    name = f"P1-rot {other.digest}"
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("UPDATE key SET circuit = ?", (name,))
    with pytest.raises(Incorrect, match="cannot be opened"):
        Vault(other, mode="rotating", shelf=Shelf(KeyShelf(tmp_path / NAME), SEALING))


def test_what_seals_depends_on_passphrase_and_salt() -> None:
    made = {sealing_key(words, salt) for words in ("one passphrase", "another one") for salt in (bytes(16), b"s" * 16)}
    assert len(made) == 4 and {len(one) for one in made} == {32}
