"""What is published is encoded where nobody waits for it, and served when all of it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine import offers as offers_of_engine
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.packages import published
from fhirtwin.packages.package import Package
from fhirtwin.vault import Keyring, Shelf, Vault, asking
from tests.ckks.builders import evaluate, random_panel
from tests.engine.holding import held_up
from tests.packages.builders import (
    AUTHORS,
    PACKED,
    packed_network,
    panel_of,
)


@contextmanager
def _watching(folder: Path) -> Iterator[Evaluator]:
    """What a worker holds once it has started."""
    evaluator = Evaluator(random_panel(), models=Models(folder / "models", folder / "authors.json"))
    evaluator.keep_up()
    try:
        yield evaluator
    finally:
        evaluator._offers._over.set()


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _packages(folder: Path) -> list[Package]:
    """One of each kind but panels, of which one is served from the start."""
    return [make(folder / kind).package for kind, make in PACKED.items() if kind != "panel"]


def test_weights_are_encoded_at_start_and_after_a_change_and_never_in_a_callers_turn(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_thread = list[str]()

    encode = Ring.encode

    def noted(ring: Ring, values: NDArray[np.complex128], scale: float) -> object:
        by_thread.append(threading.current_thread().name)
        return encode(ring, values, scale)

    later = _packages(folder)
    (at_start,) = published.current(folder / "models", AUTHORS)
    with _watching(folder) as evaluator:
        assert evaluator._offers._ready.encoded.keys() == {at_start.hash}
        monkeypatch.setattr(Ring, "encode", noted)  # through which all encoding goes
        for one in later:
            published.publish(one, folder / "models", with_weights=True)
        _wait_until(lambda: all(evaluator._offers.model_of(one.hash) for one in later))
        assert set(by_thread) == {"models"}
        for one in (at_start, *later):
            asks, masks = asking(one.model, Keyring(Shelf())), list[int]()

            def send(features: SealedFeatures, masks: list[int] = masks) -> SealedScores:
                by_thread.clear()
                answer = evaluate(evaluator, features)
                masks.append(len(by_thread))
                return answer

            asks.ask(one.cases[0].given, send)
            # What is encoded for a caller is its masks, fresh for each: one ciphertext's here, of whatever kind.
            assert set(masks) == {1}, one.kind
        published.withdraw(folder / "models", at_start.id)
        _wait_until(lambda: evaluator._offers.model_of(at_start.hash) is None)
        assert at_start.hash not in evaluator._offers._ready.encoded


def test_a_caller_is_answered_while_a_model_is_being_encoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (kfre,) = published.current(folder / "models", AUTHORS)
    network = packed_network(folder / "network").package
    with _watching(folder) as evaluator:
        with held_up(monkeypatch, offers_of_engine, "prepare") as encoding:
            published.publish(network, folder / "models", with_weights=True)
            assert encoding.wait(30)
            features, _ = Vault(panel_of(kfre).hidden()).seal(kfre.cases[0].given)
            evaluate(evaluator, features)
            assert evaluator._offers.model_of(network.hash) is None and "P2-net" not in evaluator.request_lengths
        _wait_until(lambda: "P2-net" in evaluator.request_lengths)


def test_a_model_that_cannot_be_encoded_is_left_out_by_name_and_stops_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr(offers_of_engine, "prepare", full)
    network = packed_network(folder / "network").package
    published.publish(network, folder / "models", with_weights=True)
    (kfre,) = [one for one in published.current(folder / "models", AUTHORS) if one.id != network.id]
    with caplog.at_level(logging.ERROR), _watching(folder) as evaluator:
        assert evaluator._offers.model_of(kfre.hash) and not evaluator._offers.model_of(network.hash)
    assert f"model {network.hash} is not served: encoding it failed: MemoryError" in caplog.text


def test_when_the_folder_cannot_be_looked_at_nothing_is_served_until_it_can(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (kfre,) = published.current(folder / "models", AUTHORS)
    with caplog.at_level(logging.ERROR), _watching(folder) as evaluator:
        with monkeypatch.context() as broken:
            broken.setattr(published, "mark", lambda _: 1 / 0)
            _wait_until(lambda: evaluator._offers.model_of(kfre.hash) is None)
        _wait_until(lambda: evaluator._offers.model_of(kfre.hash) == kfre.hash)
    assert "looking at them failed: ZeroDivisionError" in caplog.text
