"""Whose turn it is: one tenant's flood waits for itself, and what is too much is told so at once.

A worker evaluates a few requests at a time. Of those who wait, the tenant is next who had the least time so far; who
comes back after a while begins level with the others, so that nobody saves up. No tenant has all turns at once, unless
it is the only one there can be.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from fhirtwin.errors import Busy

_TEXT: Final = "This engine has too much to do; come back in a second."


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is done and held at a time.

    Attributes:
        at_once: evaluations of one worker that are under way.
        waiting: requests that wait for a turn.
        waiting_each: of them, of one tenant, when there are several.
        longest_seconds: that one waits.
    """

    at_once: int = 2
    waiting: int = 32
    waiting_each: int = 8
    longest_seconds: float = 1.0


@dataclass(eq=False, slots=True)
class _Line:
    """One tenant's: who waits, how many have their turn, and how much time they had, in seconds."""

    spent: float = 0.0
    running: int = 0
    waiting: deque[threading.Event] = field(default_factory=deque)

    @property
    def active(self) -> bool:
        return bool(self.running or self.waiting)


class Turns:
    """Gives turns. Threads share it.

    Args:
        bounds: how much is done and held.
        shared: whether there are several tenants.
    """

    def __init__(self, bounds: Bounds, *, shared: bool) -> None:
        self._bounds = bounds
        self._each = max(1, bounds.at_once - 1) if shared else bounds.at_once
        self._waiting_each = bounds.waiting_each if shared else bounds.waiting
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}
        self._running = self._waiting = 0

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Have a turn for as long as the block takes.

        Raises:
            Busy: too many wait, or it was not this one's turn in time; nothing was done.
        """
        line = self._enter(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self._leave(line, time.perf_counter() - start)

    def _enter(self, name: str) -> _Line:
        with self._lock:
            line = self._line(name)
            full = self._waiting >= self._bounds.waiting or len(line.waiting) >= self._waiting_each
            free = self._running < self._bounds.at_once and line.running < self._each
            if full and not free:
                raise Busy(_TEXT)
            called = threading.Event()
            line.waiting.append(called)
            self._waiting += 1
            self._call()
        if not called.wait(self._bounds.longest_seconds) and self._gave_up(line, called):
            raise Busy(_TEXT)
        return line

    def _gave_up(self, line: _Line, called: threading.Event) -> bool:
        """Leave the line, unless the turn came at the last moment."""
        with self._lock:
            if called.is_set():
                return False
            line.waiting.remove(called)
            self._waiting -= 1
            return True

    def _leave(self, line: _Line, seconds: float) -> None:
        with self._lock:
            line.running -= 1
            line.spent += seconds
            self._running -= 1
            self._call()

    def _line(self, name: str) -> _Line:
        line = self._lines.setdefault(name, _Line())
        if not line.active:
            others = [other.spent for other in self._lines.values() if other.active]
            line.spent = max(line.spent, min(others, default=line.spent))
        return line

    def _call(self) -> None:
        """Call whoever is next, as long as there is room."""
        while self._running < self._bounds.at_once:
            able = [line for line in self._lines.values() if line.waiting and line.running < self._each]
            if not able:
                return
            line = min(able, key=lambda one: one.spent)
            line.running += 1
            self._running += 1
            self._waiting -= 1
            line.waiting.popleft().set()
