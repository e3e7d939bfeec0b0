"""Rings with keys of their own, one for each request, and what opens the answer to one."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Generic, Never, SupportsIndex, TypeVar

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Fault

_MOST_IDLE_RINGS = 2

Expected = TypeVar("Expected")


class OpeningOnce(Generic[Expected]):
    """What opens the answer to one request, once. Nobody but the vault looks inside; it cannot be copied or pickled."""

    __slots__ = ("_expected", "_lock", "_request_id", "_ring")

    def __init__(self, ring: Ring, request_id: bytes, expected: Expected) -> None:
        self._ring: Ring | None = ring
        self._request_id = request_id
        self._expected = expected
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "OpeningOnce()"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise Fault("What opens an answer does not leave the process.")

    def take(self) -> Any:
        """The ring, of the kind that it was made with, once.

        Raises:
            Fault: it was taken before.
        """
        with self._lock:
            ring, self._ring = self._ring, None
        if ring is None:
            raise Fault("An answer can be opened once only.")
        return ring


class FreshKeys:
    """Rings each of which has a key that nothing was sealed under yet."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._idle: deque[Ring] = deque(maxlen=_MOST_IDLE_RINGS)

    def take(self) -> Ring:
        """One that is idle, or a new one."""
        try:
            return self._idle.pop()
        except IndexError:
            ring = Ring(self._profile)
            ring.make_keys()
            return ring

    def give_back(self, ring: Ring) -> None:
        """Overwrite the key of a request that is over; the new one is for the next."""
        ring.make_keys()
        self._idle.append(ring)
