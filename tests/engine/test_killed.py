"""A worker of a real engine dies by `kill -9` with a request inside: its caller is told in time, the next is answered.

That the request was inside is shown each time, not supposed.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.courier import Courier
from fhirtwin.errors import EngineUnavailable
from fhirtwin.packages import published
from fhirtwin.timed_connection import Connection
from fhirtwin.vault import NetworkVault
from tests.engine.process import RunningEngine, running_engine, serving
from tests.packages.builders import authors_file, network_of, packed_network

DEADLINE = 30.0
TOLD_WITHIN = 10.0
"""After the death: it does not take the whole deadline to see that a connection is gone."""


@dataclass(frozen=True)
class Asked:
    """An engine of one worker, and a gateway that asks it for a network: 50 times what a panel computes."""

    engine: RunningEngine
    vault: NetworkVault
    courier: Courier

    @property
    def worker(self) -> int:
        return self.engine.processes[1]

    def is_answered(self) -> bool:
        features, opening = self.vault.seal(np.zeros(len(self.vault.circuit.inputs)))
        return bool(self.vault.open(self.courier.evaluate(features), opening).values)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    package = packed_network(tmp_path / "network").package
    published.publish(package, tmp_path / "models", with_weights=True)
    authors_file(tmp_path / "authors.json")
    with running_engine(tmp_path, *serving(tmp_path)) as engine:
        one = Asked(engine, NetworkVault(network_of(package).hidden), engine.courier(timeout=DEADLINE))
        assert one.is_answered()  # and has the evaluation keys of this gateway
        yield one


def told_of_the_death(future: Future[SealedScores], asked: Asked) -> None:
    """Kill the worker, and see what its caller and the next one get."""
    killed = time.perf_counter()
    os.kill(asked.worker, signal.SIGKILL)
    with pytest.raises(EngineUnavailable, match=r"cannot be reached|broke off"):
        future.result(DEADLINE)
    assert time.perf_counter() - killed < TOLD_WITHIN
    assert asked.is_answered(), "the next call is, by the worker that comes in its place"


def cpu_seconds(process: int) -> float:
    """What all threads of a process have computed."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(one.read_text().split()[0]) for one in threads) / 1e9


def stopped_inside(
    asked: Asked, pool: ThreadPoolExecutor, features: SealedFeatures, *, kept: bool
) -> Future[SealedScores]:
    """A request that the worker has computed for and not answered; it is stopped there, as by a slow evaluation."""
    worker = asked.worker
    for _ in range(20):
        if not kept:
            asked.courier.close()
        before = cpu_seconds(worker)  # nobody else asks, so the difference is this request's
        future = pool.submit(asked.courier.evaluate, features)
        while not future.done() and cpu_seconds(worker) - before < 0.03:
            time.sleep(0.001)
        os.kill(worker, signal.SIGSTOP)
        time.sleep(0.2)  # an answer that was on its way when the worker stopped is here by then
        if not future.done():
            return future
        os.kill(worker, signal.SIGCONT)
    pytest.fail("every answer came before its worker could be stopped")


def test_a_caller_whose_request_is_being_evaluated_is_told(asked: Asked) -> None:
    features, _ = asked.vault.seal(np.zeros(len(asked.vault.circuit.inputs)))
    with ThreadPoolExecutor(1) as pool:
        told_of_the_death(stopped_inside(asked, pool, features, kept=False), asked)


def test_a_caller_on_a_kept_connection_is_answered_by_the_worker_that_comes_next(asked: Asked) -> None:
    features, opening = asked.vault.seal(np.zeros(len(asked.vault.circuit.inputs)))
    with ThreadPoolExecutor(1) as pool:
        future = stopped_inside(asked, pool, features, kept=True)
        os.kill(asked.worker, signal.SIGKILL)
        assert asked.vault.open(future.result(DEADLINE), opening).values
    assert asked.is_answered()


def test_a_caller_whose_request_is_being_read_is_told(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, dead, send = threading.Event(), threading.Event(), Connection.endheaders

    def slowly(connection: Connection, body: bytes) -> None:
        """The courier's own way, but for a pause in the middle of the body."""
        send(connection, None)
        half = len(body) // 2
        connection.send(body[:half])  # more than a socket holds, so the worker has taken some of it
        inside.set()
        assert dead.wait(30)
        connection.send(body[half:])

    features, _ = asked.vault.seal(np.zeros(len(asked.vault.circuit.inputs)))
    asked.courier.close()
    with socket.socket(socket.AF_UNIX) as one:
        held = one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    with ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as slow:
            slow.setattr(Connection, "endheaders", slowly)
            future = pool.submit(asked.courier.evaluate, features)
            assert inside.wait(10)
        assert len(features.sealed_vector) // 2 > held
        threading.Timer(0.1, dead.set).start()
        told_of_the_death(future, asked)
