"""Rings with the evaluation keys of gateways, of as many as are kept; each tenant finds its own alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from fhirtwin.ckks.context import Ring
from fhirtwin.errors import Precondition

Kind = TypeVar("Kind", bound=Ring)


class KeyedRings(Generic[Kind]):
    """Who comes with new keys displaces its own that were not seen for longest. Threads must take turns with it.

    Args:
        each: how many of one tenant are kept.
        most: how many are kept in all; when that is full, who has most makes room.
        load: makes a ring out of evaluation keys.
    """

    def __init__(self, each: int, most: int, load: Callable[[bytes], Kind]) -> None:
        self._each, self._most, self._load = each, most, load
        self._rings: OrderedDict[tuple[str, bytes], Kind] = OrderedDict()

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        return any(ring.holds_secret_key for ring in self._rings.values())

    def ring(self, digest: bytes, keys: bytes, tenant: str = "") -> Kind:
        """The ring with the keys of that digest, which are loaded when they are not here yet.

        Args:
            digest: names the keys.
            keys: themselves; they may be left out when this tenant sent them before.
            tenant: who asks.

        Raises:
            Precondition: they are needed and not here.
            Incorrect: they cannot be used.
        """
        known = tenant, digest
        if known not in self._rings:
            if not keys:
                raise Precondition("Send the evaluation keys along: this engine does not have them.")
            self._make_room(tenant)  # before the next are read, for memory is what they take
            self._rings[known] = self._load(keys)
        self._rings.move_to_end(known)
        return self._rings[known]

    def _make_room(self, tenant: str) -> None:
        while self._count(tenant) >= self._each:
            self._forget(tenant)
        while len(self._rings) >= self._most:
            self._forget(max((name for name, _ in self._rings), key=self._count))

    def _count(self, tenant: str) -> int:
        return sum(name == tenant for name, _ in self._rings)

    def _forget(self, tenant: str) -> None:
        del self._rings[next(known for known in self._rings if known[0] == tenant)]
