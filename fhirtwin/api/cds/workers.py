"""Threads in which handlers work, so that whoever waits for one can stop waiting.

A thread cannot be stopped: one that is late works on to no purpose, stores nothing any more, and counts as at work
until it ends. Threads that have nothing to do wait a while for more, which is quicker than a new one each time, and
then end.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, Generic, TypeVar

from fhirtwin.cutoff import Wait
from fhirtwin.errors import Busy

T = TypeVar("T")

MOST_AT_WORK: Final = 16
"""Handlers of one service, or of one of its parts, that may be at work at a time, the late ones included."""

IDLE_SECONDS: Final = 10.0


class LateError(Exception):
    """What was waited for is not ready in time."""


class Work(Generic[T]):
    """Something that is being done in another thread, in a copy of the context that it was asked for in."""

    def __init__(self, task: Callable[[], T]) -> None:
        self._task = task
        self._context = contextvars.copy_context()
        self._wait = Wait()
        self._value: T
        self._error: BaseException | None = None
        self._running = Lock()
        self._running.acquire()

    def run(self) -> None:
        """Do it, and let whoever waits go on; to be called once."""
        try:
            self._value = self._context.run(self._waited_for)
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it again
            self._error = error
        finally:
            self._running.release()

    def result(self, until: float) -> T:
        """Wait, and give what came of it; to be called once.

        Args:
            until: on the clock of `time.monotonic`.

        Raises:
            LateError: it is not ready by then, and stores nothing from now on.
            BaseException: what the task raised.
        """
        if not self._running.acquire(timeout=max(0.0, until - time.monotonic())):
            self.give_up()
            raise LateError
        if self._error is not None:
            raise self._error
        return self._value

    def give_up(self) -> None:
        """Say that nobody waits any more, so that it stores nothing from now on."""
        self._wait.give_up()

    def _waited_for(self) -> T:
        with self._wait.over():
            return self._task()


class Workers:
    """At most so many threads, made when they are needed."""

    def __init__(self, most: int | None = None) -> None:
        self._most = MOST_AT_WORK if most is None else most
        self._waiting: SimpleQueue[Work[Any]] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._idle = 0

    def start(self, task: Callable[[], T]) -> Work[T]:
        """Begin a task in a thread of its own.

        Raises:
            Busy: as many as may be are at work, or the machine starts no more threads.
        """
        work = Work(task)
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._threads < self._most:
                self._begin()
            else:
                raise Busy("Too many calls of this CDS service are at work, most of them late; try again.")
        self._waiting.put(work)
        return work

    def _begin(self) -> None:
        try:
            Thread(target=self._serve, name="cds-service", daemon=True).start()
        except RuntimeError:
            raise Busy("This machine starts no more threads; try again.") from None
        self._threads += 1

    def _serve(self) -> None:
        while True:
            try:
                self._waiting.get(timeout=IDLE_SECONDS).run()
            except Empty:
                if self._leave():
                    return
            else:
                with self._lock:
                    self._idle += 1

    def _leave(self) -> bool:
        """Whether this thread may end: not when a task was counted on it just now."""
        with self._lock:
            if not self._idle:
                return False
            self._idle -= 1
            self._threads -= 1
            return True
