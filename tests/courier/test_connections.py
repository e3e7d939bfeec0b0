"""Connections of the courier: kept, shared, broken, and given up at the deadline."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fhirtwin import timing
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.courier import Courier
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.web import create_app
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable
from fhirtwin.timed_connection import Connection, TimedSocket
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, random_vector
from tests.courier.fake_engine import PANEL, ROTATING, VAULT, FakeEngine, http_answer, read_http, through


def test_one_connection_serves_many_requests(fake: FakeEngine) -> None:
    courier = fake.courier()
    courier.ready(PANEL.digest)
    for _ in range(3):
        features, opening = VAULT.seal(PANEL.high)
        assert VAULT.open(courier.evaluate(features), opening).values
    assert fake.connections == 1


def test_time_is_split_into_wire_and_evaluation(fake: FakeEngine, features: SealedFeatures) -> None:
    timing.begin()
    fake.courier().evaluate(features)
    spent = dict(part.split(";dur=") for part in timing.header().split(", "))
    assert set(spent) == {"wire", "evaluate"}
    assert all(0 < float(milliseconds) < 2000 for milliseconds in spent.values())


@pytest.mark.parametrize("vault", [VAULT, ROTATING], ids=["masked", "rotating"])
def test_threads_may_share_a_courier_and_a_vault(fake: FakeEngine, vault: Vault) -> None:
    courier = fake.courier(timeout=20)

    def round_trip(seed: int) -> bool:
        values = random_vector(PANEL, np.random.default_rng(seed))
        features, opening = vault.seal(values)
        scores = vault.open(courier.evaluate(features), opening)
        opened = np.array([float(value) for value in scores.values.values()])
        return bool(np.abs(opened - PANEL.weights @ values).max() < 0.0006)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(40)))
    assert fake.connections <= 8


def test_what_is_sent_and_received_is_at_most_66_kilobytes_headers_included(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    fake.courier().evaluate(features)
    assert max(map(len, fake.requests)) <= 66_000


def test_evaluation_keys_are_sent_once_and_again_when_the_engine_forgot_them(fake: FakeEngine) -> None:
    courier = fake.courier()
    for _ in range(3):
        features, opening = ROTATING.seal(PANEL.high)
        ROTATING.open(courier.evaluate(features), opening)
    assert [len(request) > 500_000 for request in fake.requests] == [True, False, False]
    restarted = create_app(Evaluator(PANEL), KEY).test_client()
    fake.answer = lambda request: through(restarted, request)
    features, opening = ROTATING.seal(PANEL.high)
    assert ROTATING.open(courier.evaluate(features), opening).values
    assert [len(request) > 500_000 for request in fake.requests[3:]] == [False, True]


def test_evaluation_keys_are_sent_once_though_others_without_keys_ask_between(fake: FakeEngine) -> None:
    courier = fake.courier()
    for vault in (ROTATING, VAULT, ROTATING, VAULT, ROTATING):
        features, opening = vault.seal(PANEL.high)
        vault.open(courier.evaluate(features), opening)
    assert [len(request) > 500_000 for request in fake.requests] == [True, False, False, False, False]


def test_evaluation_keys_have_time_to_arrive_beside_the_deadline(fake: FakeEngine) -> None:
    def slow(request: bytes) -> bytes:
        time.sleep(0.15)
        return through(create_app(Evaluator(PANEL), KEY).test_client(), request)

    fake.answer = slow
    features, _ = ROTATING.seal(PANEL.high)
    large = replace(features, evaluation_keys=b"\0" * 20_000_000)
    with pytest.raises(EngineUnavailable, match="in time"):
        fake.courier(timeout=0.1).evaluate(VAULT.seal(PANEL.high)[0])
    with pytest.raises(
        EngineUnavailable, match="does not serve this model"
    ):  # an answer, though a refusal: no keys are so long
        fake.courier(timeout=0.1).evaluate(large)


def test_evaluation_keys_are_not_sent_again_because_somebody_unknown_asks(fake: FakeEngine) -> None:
    courier = fake.courier()
    courier.evaluate(ROTATING.seal(PANEL.high)[0])
    fake.answer = lambda _: http_answer(412, b"{}")
    with pytest.raises(EngineAnswerRefused, match="not signed"):
        courier.evaluate(ROTATING.seal(PANEL.high)[0])
    assert len(fake.requests) == 2


def test_a_kept_connection_that_the_engine_closed_is_reopened_once(fake: FakeEngine, features: SealedFeatures) -> None:
    courier = fake.courier()
    courier.ready()
    stale = courier._line._idle[0]
    stale.timed._sock.shutdown(socket.SHUT_RDWR)
    assert courier.evaluate(features).sealed_sums
    assert fake.connections == 2


def test_a_kept_connection_that_breaks_within_an_answer_is_not_asked_again(
    fake: FakeEngine, features: SealedFeatures
) -> None:
    """An engine that has begun to answer has seen the request, and gets no second one to compare with."""
    near, far = socket.socketpair()

    def break_off() -> None:
        with far:
            far.recv(1000)
            far.sendall(b"HTTP/1.1 200 OK")  # the rest of the request is unread, so that closing resets

    courier = fake.courier()
    courier._line._idle.append(Connection(near))
    breaking = threading.Thread(target=break_off)
    breaking.start()
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        courier.evaluate(features)
    breaking.join()
    assert fake.requests == []


def test_an_engine_that_is_down(tmp_path: Path, features: SealedFeatures) -> None:
    courier = Courier(f"unix:{tmp_path / 'none.sock'}", KEY, timeout=1)
    for call in (courier.ready, lambda: courier.evaluate(features)):
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            call()


@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["silent", "dripping"])
def test_an_engine_that_is_slow_is_given_up_at_the_deadline(
    fake: FakeEngine, features: SealedFeatures, drip: bytes
) -> None:
    courier = fake.courier(timeout=0.3)
    stop = threading.Event()

    def stall(_: bytes) -> bytes | None:
        stop.wait(1.5)
        return None

    fake.answer = stall
    if drip:
        fake._serve = lambda connection: drip_slowly(connection, stop)  # type: ignore[method-assign]
    start = time.perf_counter()
    with pytest.raises(EngineUnavailable, match="did not answer in time"):
        courier.evaluate(features)
    assert time.perf_counter() - start < 1.0
    stop.set()
    assert len(fake.requests) <= 1, "it is not asked again"


class SlowReader:
    """Takes a message byte by byte, each well within a timeout that would start anew at every write."""

    taken = 0

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def send(self, data: memoryview) -> int:
        assert len(data)
        time.sleep(0.02)
        self.taken += 1
        return 1


def test_an_engine_that_takes_a_request_slowly_is_given_up_at_the_deadline() -> None:
    slow = SlowReader()
    timed = TimedSocket(slow)  # type: ignore[arg-type]
    timed.deadline = time.perf_counter() + 0.1
    with pytest.raises(TimeoutError):
        timed.sendall(bytes(1000))
    assert 1 <= slow.taken <= 6


def test_an_engine_that_never_ends_the_handshake_is_given_up_at_the_deadline(features: SealedFeatures) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        courier = Courier(f"https://127.0.0.1:{listener.getsockname()[1]}", KEY, timeout=0.3)
        start = time.perf_counter()
        with pytest.raises(EngineUnavailable, match="did not answer in time"):
            courier.evaluate(features)
        assert time.perf_counter() - start < 1.0


def drip_slowly(connection: socket.socket, stop: threading.Event) -> None:
    """One byte at a time, each well within a timeout that would start anew at every read."""
    with connection:
        read_http(connection)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stop.wait(0.05):
                connection.sendall(b"x")
        except OSError:
            return
