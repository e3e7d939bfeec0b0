"""Rings with the evaluation keys of gateways, of as many as are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from fhirtwin.ckks.context import Ring
from fhirtwin.errors import Precondition

Kind = TypeVar("Kind", bound=Ring)


class KeyedRings(Generic[Kind]):
    """Who comes with new keys displaces who was not seen for longest. Threads must take turns with it.

    Args:
        most: how many are kept.
        load: makes a ring out of evaluation keys.
    """

    def __init__(self, most: int, load: Callable[[bytes], Kind]) -> None:
        self._most, self._load = most, load
        self._rings: OrderedDict[bytes, Kind] = OrderedDict()

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        return any(ring.holds_secret_key for ring in self._rings.values())

    def ring(self, digest: bytes, keys: bytes) -> Kind:
        """The ring with the keys of that digest, which are loaded when they are not here yet.

        Args:
            digest: names the keys.
            keys: themselves; they may be left out when they were sent before.

        Raises:
            Precondition: they are needed and not here.
            Incorrect: they cannot be used.
        """
        if digest not in self._rings:
            if not keys:
                raise Precondition("Send the evaluation keys along: this engine does not have them.")
            while len(self._rings) >= self._most:  # before the next are read, for memory is what they take
                self._rings.popitem(last=False)
            self._rings[digest] = self._load(keys)
        self._rings.move_to_end(digest)
        return self._rings[digest]
