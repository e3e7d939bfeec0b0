"""Runs what a service does in a thread of its own, and goes on without it when its time is over.

A thread cannot be stopped, so whoever is late works on to no purpose: how many may is bounded, and a handler that asks
`Call.deadline` stops by itself. What is late is an error that names the advice that is missing, never an empty answer.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Final, TypeVar

from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Busy, Fault, Unavailable

T = TypeVar("T")

MOST_AT_WORK: Final = 48
"""Handlers of one process that may be at work at a time, the late ones included."""

_at_work = BoundedSemaphore(MOST_AT_WORK)


def answer(service: Service, call: Call) -> Response:
    """Let a service answer a call within its budget.

    Raises:
        Unavailable: it is late; the text names the advice that is missing.
        Busy: too many handlers are at work, most of them late.
        Fault: what it gave back is no `Response`.
    """
    under_way = start(service.handler, call)
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


def start(handler: Callable[[Call], T], call: Call) -> Future[T]:
    """Begin work in a thread of its own, in a copy of this context, so that its stages are timed with the call's.

    Raises:
        Busy: too many are at work.
    """
    held = _at_work
    if not held.acquire(blocking=False):
        raise Busy("Too many CDS services are at work, most of them late; try again.")
    future: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(handler, call))
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it again
            future.set_exception(error)
        finally:
            held.release()

    try:
        Thread(target=work, name="cds-service", daemon=True).start()
    except RuntimeError:
        held.release()
        raise Busy("This machine starts no more threads; try again.") from None
    return future
