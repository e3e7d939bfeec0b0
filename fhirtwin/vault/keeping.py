"""How long a key of many requests is used, and where it lies meanwhile: in memory alone, or sealed on a shelf.

Openings are granted in blocks before they are used, so that a crash makes a key seem more used than it was, never less.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fhirtwin.errors import Incorrect
from fhirtwin.key_shelf import KeyShelf
from fhirtwin.vault.sealing import sealed, unsealed

_BLOCK = 20


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How much one key is used.

    Attributes:
        openings: answers that it may open.
        seconds: from its making.
    """

    openings: int = 10_000
    seconds: float = 30 * 86_400.0


class Keeping(Protocol):
    """Where keys lie, and what is counted of them. One for each circuit and process."""

    def find(self) -> tuple[str, bytes] | None:
        """The key that is in use, and its name."""

    def add(self, written: Callable[[], bytes]) -> str:
        """Take a new key in the place of the last, and name it."""

    def grant(self, name: str) -> bool:
        """Let a key open one answer more; False when it must not be used any more."""

    def is_in_use(self, name: str) -> bool:
        """Whether it was neither replaced nor revoked."""

    def retire(self, name: str) -> None:
        """Use it no more."""


class InMemory:
    """Keys are gone with the process. Callers see to it that threads take turns."""

    def __init__(self, lifetime: Lifetime = Lifetime(), clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime, self._clock = lifetime, clock
        self._name, self._made, self._openings = "", 0.0, 0

    def find(self) -> tuple[str, bytes] | None:
        """None is kept."""
        return None

    def add(self, written: Callable[[], bytes]) -> str:
        """Begin to count; the key is not written."""
        self._name, self._made, self._openings = secrets.token_hex(8), self._clock(), 0
        return self._name

    def grant(self, name: str) -> bool:
        """Count one opening."""
        self._openings += 1
        young = self._clock() - self._made < self._lifetime.seconds
        return name == self._name and young and self._openings <= self._lifetime.openings

    def is_in_use(self, name: str) -> bool:
        """Whether it is the last one."""
        return name == self._name

    def retire(self, name: str) -> None:
        """Forget its name."""
        self._name = "" if name == self._name else self._name


class OnShelf:
    """Keys of one circuit on a shelf, each sealed with AES-256-GCM; its name and circuit are bound to it.

    Args:
        shelf: where they lie.
        sealing_key: 32 bytes, of `fhirtwin.vault.sealing`.
        circuit: names profile and digest of what they are for.
        lifetime: how much one is used.
    """

    def __init__(self, shelf: KeyShelf, sealing_key: bytes, circuit: str, lifetime: Lifetime = Lifetime()) -> None:
        self._shelf, self._circuit, self._lifetime = shelf, circuit, lifetime
        self._sealing_key = sealing_key
        self._granted: tuple[str, int] = ("", 0)
        self._lock = threading.Lock()

    def find(self) -> tuple[str, bytes] | None:
        """The key that is in use, opened.

        Raises:
            Incorrect: the passphrase is another one, or somebody changed the file.
        """
        kept = self._shelf.in_use(self._circuit)
        if kept is None:
            return None
        written = unsealed(self._sealing_key, kept.sealed, self._bound(kept.id))
        if written is None:
            raise Incorrect(
                "The kept key of a circuit cannot be opened: give the passphrase that it was sealed with, or begin "
                "anew with `fhirtwin keys circuits rotate`."
            )
        return kept.id, written

    def add(self, written: Callable[[], bytes]) -> str:
        """Seal a new key and put it in the place of the last."""
        name = secrets.token_hex(8)
        self._shelf.add(name, self._circuit, sealed(self._sealing_key, written(), self._bound(name)))
        return name

    def grant(self, name: str) -> bool:
        """Let the key open one answer more; blocks of grants are asked of the shelf."""
        with self._lock:
            known, left = self._granted
            if known == name and left:
                self._granted = name, left - 1
                return self._shelf.is_in_use(name)
            block = min(_BLOCK, self._lifetime.openings)
            if not self._shelf.grant(name, block, self._lifetime.openings, self._lifetime.seconds):
                return False
            self._granted = name, block - 1
            return True

    def is_in_use(self, name: str) -> bool:
        """Whether it was neither replaced nor revoked, by any process."""
        return self._shelf.is_in_use(name)

    def retire(self, name: str) -> None:
        """Use it no more, in any process."""
        self._shelf.retire(name)

    def _bound(self, name: str) -> bytes:
        return f"fhirtwin key of a circuit\x00{name}\x00{self._circuit}".encode()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Makes the keeping of each circuit.

    Attributes:
        kept: the shelf; None keeps keys in memory alone.
        sealing_key: that seals them.
        lifetime: how much one is used.
    """

    kept: KeyShelf | None = None
    sealing_key: bytes = field(default=b"", repr=False)
    lifetime: Lifetime = Lifetime()

    def of(self, circuit: str) -> Keeping:
        """For one circuit."""
        if self.kept is None:
            return InMemory(self.lifetime)
        return OnShelf(self.kept, self.sealing_key, circuit, self.lifetime)
