"""Threads that wait for work, so that a call need not start one: starting one costs more than a small service does.

Nobody waits for a busy thread: when all are at work a new one is started. Whoever hands out work bounds how many.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final

MOST_IDLE: Final = 16
"""Threads that stay when there is nothing to do."""

Work = Callable[[], None]

_idle: Final[deque[SimpleQueue[Work]]] = deque()


def give(work: Work) -> None:
    """Let a thread do this now.

    Args:
        work: must not raise.

    Raises:
        RuntimeError: there is no idle thread, and the machine starts no more.
    """
    try:
        _idle.pop().put(work)
    except IndexError:
        Thread(target=_serve, args=(work,), name="cds-service", daemon=True).start()


def _serve(work: Work) -> None:
    inbox: SimpleQueue[Work] = SimpleQueue()
    while True:
        work()
        if len(_idle) >= MOST_IDLE:
            return
        _idle.append(inbox)
        work = inbox.get()
