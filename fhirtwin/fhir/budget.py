"""How much one judgement may cost: profiles and questionnaires are sent by others, and may ask for work without end."""

from __future__ import annotations

import time


class TooMuch(Exception):
    """The judgement takes more than it may; whoever began it tells so."""


class Budget:
    """Counts steps, and the processor time of this thread, from when it is made.

    Args:
        seconds: of processor time; other work on the machine does not count.
        steps: pairs of a value and a rule that are looked at.
    """

    def __init__(self, seconds: float, steps: int) -> None:
        self._end = time.thread_time() + seconds
        self._steps = steps

    def spend(self) -> None:
        """Take one step.

        Raises:
            TooMuch: there are none left, or the time is over.
        """
        self._steps -= 1
        if self._steps < 0 or time.thread_time() > self._end:
            raise TooMuch

    @property
    def seconds(self) -> float:
        """The time that is left; none when there are no steps left."""
        return self._end - time.thread_time() if self._steps > 0 else 0.0
