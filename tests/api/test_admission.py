"""A crowd is told to come back; nobody is left hanging, and who is slow keeps nobody else waiting."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask

from fhirtwin.api import admission, errors
from fhirtwin.api.body import read_body

MOST = 20


class Crowd:
    """An application whose work goes on until it is let, and threads that call it."""

    def __init__(self) -> None:
        self.app = Flask("crowd")
        admission.install(self.app, MOST)
        errors.install(self.app)
        self.go_on = threading.Event()
        self.working: Counter[str] = Counter()
        self.changed = threading.Condition()
        self.answers: list[Any] = []
        self.threads: list[threading.Thread] = []

        @self.app.route("/work", methods=["GET"])
        def read() -> str:
            return self.work("read")

        @self.app.route("/work", methods=["POST"])
        def write() -> str:
            read_body(100)
            return self.work("write")

        health = Blueprint("health", "health")
        health.get("/health")(lambda: "live")
        self.app.register_blueprint(health)

    def work(self, kind: str) -> str:
        """Be seen at work, and wait."""
        with self.changed:
            self.working[kind] += 1
            self.changed.notify_all()
        assert self.go_on.wait(10)
        return kind

    def call(self, method: str, count: int = 1, body: Callable[[], io.BytesIO] | None = None) -> None:
        """Let others call meanwhile."""

        def run() -> None:
            options: dict[str, Any] = {"data": b"{}"} if method == "POST" else {}
            if body:
                options = {"input_stream": body(), "headers": {"Content-Length": "2"}}
            self.answers.append(self.app.test_client().open("/work", method=method, **options))

        for _ in range(count):
            self.threads.append(threading.Thread(target=run))
            self.threads[-1].start()

    def until(self, **working: int) -> None:
        """Wait until so many are at work."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.working == working, timeout=10), self.working

    def end(self) -> Counter[int]:
        """Let all end; how often each status came."""
        self.go_on.set()
        for thread in self.threads:
            thread.join()
        return Counter(answer.status_code for answer in self.answers)


class Slow(io.BytesIO):
    """A body that comes when `arrives` is set, and says when somebody waits for it."""

    def __init__(self, arrives: threading.Event, awaited: threading.Semaphore) -> None:
        super().__init__(b"{}")
        self.arrives, self.awaited = arrives, awaited

    def readinto(self, buffer: Any) -> int:
        self.awaited.release()
        assert self.arrives.wait(10)
        return super().readinto(buffer)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    made = Crowd()
    yield made
    made.end()


def test_beyond_the_limit_callers_are_told_at_once_to_come_back(crowd: Crowd) -> None:
    arrives, awaited = threading.Event(), threading.Semaphore(0)
    crowd.call("POST", MOST, lambda: Slow(arrives, awaited))
    for _ in range(MOST):
        assert awaited.acquire(timeout=10)
    refused = crowd.app.test_client().get("/work")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    (issue,) = refused.json["issue"]
    assert issue["code"] == "throttled"
    assert "FHIRTWIN_MAX_CONCURRENT_REQUESTS" in issue["diagnostics"]
    assert crowd.app.test_client().get("/health").text == "live"
    arrives.set()
    assert crowd.end() == {200: MOST}
    assert crowd.app.test_client().get("/work").text == "read"


def test_writers_take_turns_and_readers_do_not_wait_for_them(crowd: Crowd) -> None:
    crowd.call("POST", MOST - 1)
    crowd.until(write=admission.WRITING)
    crowd.call("GET")
    crowd.until(write=admission.WRITING, read=1)
    assert crowd.end() == {200: MOST}
    assert crowd.working["write"] == MOST - 1


def test_few_readers_are_worked_on_at_a_time(crowd: Crowd) -> None:
    crowd.call("GET", MOST)
    crowd.until(read=admission.READING)
    assert crowd.end() == {200: MOST}


def test_slow_bodies_keep_nobody_waiting(crowd: Crowd) -> None:
    arrives, awaited = threading.Event(), threading.Semaphore(0)
    crowd.call("POST", MOST - 2, lambda: Slow(arrives, awaited))
    for _ in range(MOST - 2):
        assert awaited.acquire(timeout=10)
    crowd.call("POST")
    crowd.call("GET")
    crowd.until(write=1, read=1)
    arrives.set()
    assert crowd.end() == {200: MOST}


def test_a_turn_that_does_not_come_is_an_answer_too(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "TURN_SECONDS", 0.01)
    crowd.call("GET", admission.READING)
    crowd.until(read=admission.READING)
    late = crowd.app.test_client().get("/work")
    assert (late.status_code, late.headers["Retry-After"]) == (503, "1")
    assert crowd.end() == {200: admission.READING}


def test_what_fails_leaves_its_place_to_others(crowd: Crowd) -> None:
    crowd.go_on.set()
    client = crowd.app.test_client()
    for _ in range(MOST + 1):
        assert client.post("/work", data=b"x" * 101).status_code == 413
    for _ in range(MOST + 1):
        assert client.get("/nowhere").status_code == 404
    assert client.post("/work", data=b"{}").text == "write"
