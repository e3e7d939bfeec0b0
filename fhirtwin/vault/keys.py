"""Rings with keys, and what opens the answer to one request: a key for one request alone, or for many."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, Never, SupportsIndex, TypeVar

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import Profile
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.errors import EngineAnswerWrong, Fault
from fhirtwin.vault.keeping import InMemory, Keeping

_MOST_IDLE_RINGS = 8

Expected = TypeVar("Expected")


class Opening(Generic[Expected]):
    """What opens the answer to one request, once. Nobody but the vault looks inside; it cannot be copied or pickled."""

    __slots__ = ("_answers", "_expected", "_lock", "_ring")

    def __init__(self, ring: Ring, asked: SealedFeatures, expected: Expected) -> None:
        self._ring: Ring | None = ring
        self._answers = (asked.profile, asked.panel_digest, asked.request_id)
        self._expected = expected
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Opening()"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise Fault("What opens an answer does not leave the process.")

    def is_for(self, scores: SealedScores) -> bool:
        """Whether an answer says that it is to this request."""
        return (scores.profile, scores.panel_digest, scores.request_id) == self._answers

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


class Keys(ABC):
    """Where the rings that a vault seals and opens with come from, and go. Threads may share it."""

    @abstractmethod
    def sealing(self) -> AbstractContextManager[tuple[Any, bytes]]:
        """Seal in the block: with a ring, whose evaluation keys come with it."""

    @abstractmethod
    def opening(self, opening: Opening[Any]) -> AbstractContextManager[Any]:
        """Open in the block, with the ring that the request was sealed with.

        Raises:
            Fault: it was opened before.
        """


class FreshKeys(Keys):
    """A key for each request, overwritten when its answer was opened; there are no evaluation keys."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._idle: deque[Ring] = deque(maxlen=_MOST_IDLE_RINGS)

    @contextmanager
    def sealing(self) -> Iterator[tuple[Ring, bytes]]:
        """Seal in the block, under a key that nothing was sealed under yet."""
        try:
            ring = self._idle.pop()
        except IndexError:
            ring = Ring(self._profile)
            ring.make_keys()
        if not ring.is_of_this_process:
            ring.make_keys()  # the parent, from which this process was forked off, seals under it as well
        yield ring, b""

    @contextmanager
    def opening(self, opening: Opening[Any]) -> Iterator[Ring]:
        """Open in the block; then the key is overwritten, and the new one is for the next request."""
        ring: Ring = opening.take()
        try:
            yield ring
        finally:
            ring.make_keys()
            self._idle.append(ring)


class LastingKeys(Keys):
    """One key, with its evaluation keys, for many requests: until an answer is wrong, or its lifetime is over.

    So whoever sends wrong answers to learn from what becomes of them learns of a key that is no longer used. Requests
    take turns with the ring. Openings are counted when a request is sealed: each can be opened once.

    Args:
        make: makes a ring with a new key, and the evaluation keys that go with it.
        read: makes a ring without any key, to put a kept one into.
        keeping: where keys lie between starts; in memory alone unless told.
    """

    def __init__(
        self, make: Callable[[], tuple[Ring, bytes]], read: Callable[[], Ring], keeping: Keeping | None = None
    ) -> None:
        self._make, self._read = make, read
        self._keeping = keeping or InMemory()
        self._lock = threading.Lock()
        self._name, self._now = self._kept() or self._new()

    @contextmanager
    def sealing(self) -> Iterator[tuple[Ring, bytes]]:
        """Seal in the block, under the key of now."""
        with self._lock:
            if not self._keeping.grant(self._name):
                self._renew()
            yield self._now

    @contextmanager
    def opening(self, opening: Opening[Any]) -> Iterator[Any]:
        """Open in the block; when the answer is wrong, the key is replaced."""
        ring = opening.take()
        with self._lock:
            try:
                yield ring
            except EngineAnswerWrong:
                if ring is self._now[0]:
                    self._keeping.retire(self._name)
                    self._renew()
                raise

    def _renew(self) -> None:
        """Take what another process made meanwhile, or make a new key."""
        kept = self._kept()
        if kept and kept[0] != self._name and self._keeping.grant(kept[0]):
            self._name, self._now = kept
            return
        self._name, self._now = self._new()
        if not self._keeping.grant(self._name):
            raise Fault("A new key of a circuit may not be used; see FHIRTWIN_CIRCUIT_KEY_OPENINGS.")

    def _new(self) -> tuple[str, tuple[Ring, bytes]]:
        ring, evaluation_keys = self._make()
        return self._keeping.add(lambda: _joined(ring, evaluation_keys)), (ring, evaluation_keys)

    def _kept(self) -> tuple[str, tuple[Ring, bytes]] | None:
        if (found := self._keeping.find()) is None:
            return None
        name, written = found
        ring = self._read()
        secret, public = ring.profile.secret_key_bytes, ring.profile.public_key_bytes
        ring.load_keys(written[:secret], written[secret : secret + public])
        return name, (ring, written[secret + public :])


def _joined(ring: Ring, evaluation_keys: bytes) -> bytes:
    return ring.secret_key() + ring.public_key() + evaluation_keys
