"""Evaluation keys that gateways sent, remembered so that they are sent once; each tenant finds its own alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

from fhirtwin.ckks.context import Ring

Keyed = TypeVar("Keyed", bound=Ring)


class KeySets(Generic[Keyed]):
    """Rings that hold evaluation keys, by tenant and digest. Callers see to it that threads take turns.

    Args:
        each: sets of one tenant; its own least recently used makes room.
        all_: sets in all; then the one makes room that was used least recently by whoever has most.
    """

    def __init__(self, each: int, all_: int) -> None:
        self._each, self._all = each, all_
        self._rings: OrderedDict[tuple[str, bytes], Keyed] = OrderedDict()

    def __iter__(self) -> Iterator[Keyed]:
        return iter(self._rings.values())

    def find(self, tenant: str, digest: bytes) -> Keyed | None:
        """The ring with these keys, if this tenant sent them."""
        ring = self._rings.get((tenant, digest))
        if ring is not None:
            self._rings.move_to_end((tenant, digest))
        return ring

    def make_room(self, tenant: str) -> None:
        """Forget what must be forgotten before one more set is read, for memory is what they take."""
        while self._count(tenant) >= self._each:
            self._forget(tenant)
        while len(self._rings) >= self._all:
            self._forget(max((name for name, _ in self._rings), key=self._count))

    def keep(self, tenant: str, digest: bytes, ring: Keyed) -> None:
        """Remember a ring, for which room was made."""
        self._rings[tenant, digest] = ring

    def _count(self, tenant: str) -> int:
        return sum(name == tenant for name, _ in self._rings)

    def _forget(self, tenant: str) -> None:
        del self._rings[next(known for known in self._rings if known[0] == tenant)]
