"""Lets a service answer within its budget, and goes on without it when that is over.

What is late is an error that names the advice that is missing, never an empty answer. Each service has room of its own,
so one that hangs, because the engine does for example, keeps no other waiting.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.api.cds.workers import LateError, Workers
from fhirtwin.api.turns import Turns
from fhirtwin.errors import Busy, Fault, Unavailable

MOST_ANSWERING: Final = 4
"""Calls of one service that are worked on at a time in one process; others wait, and who came first goes first."""


class Room:
    """What one service may take up of a process."""

    def __init__(self) -> None:
        self._turns = Turns(MOST_ANSWERING)
        self.workers = Workers()

    @contextmanager
    def turn(self, until: float) -> Iterator[None]:
        """Wait for the turn of a call, and hold it for the block.

        Args:
            until: when the call must be answered, on the clock of `time.monotonic`.

        Raises:
            Busy: the turn did not come in time.
        """
        if not self._turns.acquire(timeout=until - time.monotonic()):
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
        Busy: too many handlers of it are at work, most of them late.
        Fault: what it gave back is no `Response`.
    """
    try:
        given = room.workers.start(lambda: service.handler(call)).result(call.deadline)
    except LateError:
        raise Unavailable(
            f"The advice of CDS service {service.id} ({service.title}) is missing: it was not ready in time. "
            "This does not mean that there is nothing to say; call again."
        ) from None
    if not isinstance(given, Response):
        raise Fault(f"CDS service {service.id} gave back what is no fhirtwin.api.cds.service.Response.")
    return given
