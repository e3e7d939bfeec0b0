"""Real engine processes that several gateways share: floods, deaths, and quotas over workers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import keyfile
from fhirtwin.engine import server
from fhirtwin.engine.tenants import folder
from fhirtwin.engine.tenants.tenant import Limits
from fhirtwin.errors import EngineUnavailable, Incorrect
from fhirtwin.predictors import registry
from fhirtwin.vault import Vault
from tests.engine.process import RunningEngine, running_engine, wait_until_ready

PANEL = registry.panel(registry.all_predictors())
VALUES = np.where(PANEL.low > 0, PANEL.low, 0.0)
RIGHT = (PANEL.weights @ VALUES).tolist()
DEADLINE = 3.0


def caller(engine: RunningEngine, tenants: Path, name: str, timeout: float = DEADLINE) -> Callable[[], None]:
    """What one gateway does for one patient; a wrong answer fails."""
    vault = Vault(PANEL)
    courier = engine.courier(key=bytes.fromhex(keyfile.read(tenants / f"{name}.key")), timeout=timeout)

    def call() -> None:
        features, opening = vault.seal(VALUES)
        opened = vault.open(courier.evaluate(features), opening)
        assert [float(value) for value in opened.values.values()] == pytest.approx(RIGHT, abs=0.0006)

    return call


def test_gateways_share_an_engine_and_quotas_hold_over_its_workers(tmp_path: Path) -> None:
    tenants = tmp_path / "tenants"
    folder.add(tenants, "one", Limits(), ["everything"])
    folder.add(tenants, "two", Limits(answers_per_day=10), ["panel"])
    told = set[str]()
    with running_engine(tmp_path, "--workers", "2", tenants=tenants) as engine:
        caller(engine, tenants, "one")()

        def try_some(_: int) -> int:
            call, answered = caller(engine, tenants, "two"), 0
            for _ in range(6):
                try:
                    call()
                    answered += 1
                except EngineUnavailable as refused:
                    told.add(str(refused).partition(";")[0])
            return answered

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(try_some, range(4))) == 10
        assert told == {"This gateway has used its quota at the engine up"}
        caller(engine, tenants, "one")()


def test_a_flood_of_one_gateway_waits_for_itself(tmp_path: Path) -> None:
    tenants = tmp_path / "tenants"
    for name in ("flood", "one"):
        folder.add(tenants, name, Limits(), ["everything"])
    over, sent, refused = threading.Event(), 0, 0
    with running_engine(tmp_path, tenants=tenants) as engine:
        request_courier = engine.courier(key=bytes.fromhex(keyfile.read(tenants / "flood.key")), timeout=DEADLINE)
        features, _ = Vault(PANEL).seal(VALUES)

        def flood() -> None:
            nonlocal sent, refused
            while not over.is_set():
                sent += 1
                try:
                    request_courier.evaluate(features)
                except EngineUnavailable as error:
                    refused += "too much to do" in str(error)

        crowd = [threading.Thread(target=flood) for _ in range(24)]
        for thread in crowd:
            thread.start()
        call, took = caller(engine, tenants, "one"), []
        try:
            for _ in range(60):
                start = time.perf_counter()
                call()
                took.append(time.perf_counter() - start)
        finally:
            over.set()
            for thread in crowd:
                thread.join()
    assert sent > 60
    assert refused, "the flood itself is told to come back"
    assert max(took) < DEADLINE / 2


def test_while_workers_are_killed_every_caller_has_an_answer_or_is_told_within_its_deadline(tmp_path: Path) -> None:
    tenants = tmp_path / "tenants"
    folder.add(tenants, "one", Limits(), ["everything"])
    over, killed = threading.Event(), set[int]()
    with running_engine(tmp_path, "--workers", "2", tenants=tenants) as engine:

        def ask(_: int) -> tuple[int, int, float]:
            call, answered, told, slowest = caller(engine, tenants, "one"), 0, 0, 0.0
            while not over.is_set():
                start = time.perf_counter()
                try:
                    call()
                    answered += 1
                except EngineUnavailable:
                    told += 1
                    time.sleep(0.02)
                slowest = max(slowest, time.perf_counter() - start)
            return answered, told, slowest

        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask, number) for number in range(4)]
            try:
                for _ in range(4):
                    time.sleep(0.7)
                    for worker in set(engine.processes[1:]) - killed:
                        os.kill(worker, signal.SIGKILL)
                        killed.add(worker)
                wait_until_ready(engine)
                time.sleep(0.5)
            finally:
                over.set()
            answered, told, slowest = zip(*(one.result() for one in asking), strict=True)
    assert len(killed) >= 4
    assert sum(answered) > 20 and sum(told) < sum(answered)
    assert max(slowest) < DEADLINE + 0.5


def test_an_engine_wants_one_secret_or_a_folder_of_tenants(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "key")
    folder.add(tmp_path / "tenants", "one", Limits(), ["everything"])
    for key, tenants in ((None, None), (tmp_path / "key", tmp_path / "tenants")):
        with pytest.raises(Incorrect, match="--tenants for several, and not both"):
            server.run(f"unix:{tmp_path}/s", key, tenants=tenants)
