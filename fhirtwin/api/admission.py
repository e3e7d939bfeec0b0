"""How many requests a gateway process takes in at once: more are told at once to come back, none is left hanging.

A request that is inside first hands over its body, and only then waits for its turn to be worked on. So callers who
send slowly keep nobody else waiting, and few bodies are decoded at a time, however many lie ready. Those who write take
turns among themselves: readers do not wait for them.
"""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Final

from flask import Flask, g, request

from fhirtwin.api.turns import Turns
from fhirtwin.errors import Busy

READING: Final = 8
WRITING: Final = 4
"""Requests that are worked on at a time in one process, which can use one processor core at most."""

TURN_SECONDS: Final = 10.0
"""How long a request waits for its turn."""

SPARE_THREADS: Final = 8
"""Threads beyond `max_concurrent_requests`: they say no, and answer for health."""


def install(app: Flask, most: int) -> None:
    """Let `app` take in at most `most` requests at once; pages about health are always answered.

    Args:
        app: the application; its error handlers turn `Busy` into 503 with `Retry-After`.
        most: the setting `max_concurrent_requests`.
    """
    inside = BoundedSemaphore(most)
    reading, writing = Turns(READING), Turns(WRITING)

    @app.before_request
    def enter() -> None:
        if request.blueprint == "health":
            return
        if not inside.acquire(blocking=False):
            raise Busy(
                f"This server is working on {most} requests already (FHIRTWIN_MAX_CONCURRENT_REQUESTS); try again."
            )
        g.held = [inside]
        g.turn = reading if _only_reads() else writing
        if not _has_body():
            take_turn()

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        for semaphore in g.pop("held", ()):
            semaphore.release()


def take_turn() -> None:
    """Wait until this request is worked on; its body is here. Nothing where no crowd is kept out.

    Raises:
        Busy: it took too long.
    """
    turn: Turns | None = g.pop("turn", None)
    if turn is None:
        return
    if not turn.acquire(timeout=TURN_SECONDS):
        raise Busy("Others are being worked on before this request; try again.")
    g.held.append(turn)


def _only_reads() -> bool:
    return request.method in ("GET", "HEAD", "OPTIONS") or request.path.endswith("/_search")


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers
