"""Turns that are taken in the order of asking.

`threading.Semaphore` lets whoever asks at the right moment pass before those who wait, and who was passed waits anew at
the end: in a crowd some wait twice as long as the others.
"""

from __future__ import annotations

from collections import deque
from threading import Lock


class Turns:
    """So many at a time; who comes later waits behind who came before.

    Args:
        most: how many have their turn at a time.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[Lock] = deque()
        self._lock = Lock()

    def acquire(self, timeout: float) -> bool:
        """Wait for the turn at most so many seconds, and say whether it came."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            place = Lock()
            place.acquire()
            self._waiting.append(place)
        return place.acquire(timeout=max(0.0, timeout)) or not self._gone(place)

    def release(self) -> None:
        """End a turn: it goes to who has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _gone(self, place: Lock) -> bool:
        """Leave the queue; False when the turn was given to this place at the last moment."""
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
                return True
            return False
