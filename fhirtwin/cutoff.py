"""Whether somebody still waits for the work of this thread: work that was cut off stores nothing.

A thread cannot be stopped. Who waits for one and stops waiting says so here, and from then on the store takes nothing
from it: nothing is stored after a caller was told that it is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Final

from fhirtwin.errors import Unavailable

COMMIT_SECONDS: Final = 1.0
"""How long who stops waiting waits for a commit that is under way."""


class Wait:
    """One waiting for one piece of work."""

    def __init__(self) -> None:
        self._given_up = False
        self._committing = Lock()

    def give_up(self) -> None:
        """Stop waiting: when this returns the work stores no more, unless its disk hangs in the very commit."""
        self._given_up = True
        if self._committing.acquire(timeout=COMMIT_SECONDS):
            self._committing.release()

    @contextmanager
    def over(self) -> Iterator[None]:
        """Do the block, and what it calls, as work that is waited for; waits that it lies within count too."""
        token = _waits.set((*_waits.get(), self))
        try:
            yield
        finally:
            _waits.reset(token)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep who would stop waiting from going on until the block ends.

        Raises:
            Unavailable: it waits no more.
        """
        with self._committing:
            self.require()
            yield

    def require(self) -> None:
        """Return when it still waits.

        Raises:
            Unavailable: it does not.
        """
        if self._given_up:
            raise Unavailable("Nobody waits for this work any more: it was late, so nothing of it was stored.")


_waits: ContextVar[tuple[Wait, ...]] = ContextVar("waits", default=())


def require_waiting() -> None:
    """Return when this work was not cut off.

    Raises:
        Unavailable: it was.
    """
    for wait in _waits.get():
        wait.require()


@contextmanager
def committing() -> Iterator[None]:
    """Commit in the block: whoever stops waiting meanwhile goes on only when that is done.

    Raises:
        Unavailable: this work was cut off; the block is not entered.
    """
    with ExitStack() as held:
        for wait in _waits.get():
            held.enter_context(wait.held())
        yield
