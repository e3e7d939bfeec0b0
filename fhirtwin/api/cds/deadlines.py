"""Runs what a service does in a thread of its own, and goes on without it when its time is over.

A thread cannot be stopped, so whoever is late works on to no purpose: how many of one service may is bounded, and a
handler that asks `Call.deadline` stops by itself. What is late is an error that names the advice that is missing, never
an empty answer.

Each service has room of its own, so one that hangs, because the engine does for example, keeps no other waiting.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final, TypeVar

from fhirtwin.api.cds import hands
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Busy, Fault, Unavailable

T = TypeVar("T")

MOST_ANSWERING: Final = 4
"""Calls of one service that are worked on at a time in one process; others wait for their turn."""

MOST_AT_WORK: Final = 16
"""Handlers of one service, or of one of its parts, that may be at work at a time, the late ones included."""


class Room:
    """What one service may take up of a process."""

    def __init__(self) -> None:
        self._turns = BoundedSemaphore(MOST_ANSWERING)
        self.at_work = BoundedSemaphore(MOST_AT_WORK)

    @contextmanager
    def turn(self, until: float) -> Iterator[None]:
        """Wait for the turn of a call, and hold it for the block.

        Args:
            until: when the call must be answered, on the clock of `time.monotonic`.

        Raises:
            Busy: the turn did not come in time.
        """
        if not self._turns.acquire(timeout=max(0.0, until - time.monotonic())):
            raise Busy("Other calls of this CDS service are being worked on before this one; try again.")
        try:
            yield
        finally:
            self._turns.release()


def answer(service: Service, call: Call, room: Room) -> Response:
    """Let a service answer a call within its budget.

    Args:
        service: the one that was called.
        call: read and checked.
        room: the service's.

    Raises:
        Unavailable: it is late; the text names the advice that is missing.
        Busy: too many handlers are at work, most of them late.
        Fault: what it gave back is no `Response`.
    """
    under_way = start(service.handler, call, room.at_work)
    try:
        given = under_way.result(timeout=max(0.0, call.deadline - time.monotonic()))
    except TimeoutError:
        if under_way.done():
            raise  # the handler's own
        raise Unavailable(
            f"The advice of CDS service {service.id} ({service.title}) is missing: it was not ready in time. "
            "This does not mean that there is nothing to say; call again."
        ) from None
    if not isinstance(given, Response):
        raise Fault(f"CDS service {service.id} gave back what is no fhirtwin.api.cds.service.Response.")
    return given


def start(handler: Callable[[Call], T], call: Call, at_work: BoundedSemaphore) -> Future[T]:
    """Begin work in a thread of its own, in a copy of this context, so that its stages are timed with the call's.

    Raises:
        Busy: too many of its kind are at work.
    """
    if not at_work.acquire(blocking=False):
        raise Busy("Too many calls of this CDS service are at work, most of them late; try again.")
    future: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(handler, call))
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it again
            future.set_exception(error)
        finally:
            at_work.release()

    try:
        hands.give(work)
    except RuntimeError:
        at_work.release()
        raise Busy("This machine starts no more threads; try again.") from None
    return future
