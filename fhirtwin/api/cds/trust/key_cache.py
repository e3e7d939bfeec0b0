"""Key sets of clients, fetched from the addresses that are registered for them and kept for a while.

A key that is not known may be new, so the set is fetched again, but not more often than once in a while, whatever
callers send; a server that is down is left alone for as long. A set that could not be fetched again is used on, and not
for ever.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fhirtwin.api.cds.trust import keys
from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.api.cds.trust.keys import Key
from fhirtwin.errors import FhirtwinError, Incorrect
from fhirtwin.fhir import codec
from fhirtwin.outbound import Fetched

MAX_BYTES: Final = 262_144
PATIENCE_SECONDS: Final = 3.0
"""How long a fetch may take, and a caller wait for another's."""
_PAUSE_SECONDS: Final = 60
"""Least time between two fetches of one set."""
_FRESH_SECONDS: Final = 600
"""How long a set is used without being asked for again, when its server does not say."""
_FRESHEST: Final = range(_PAUSE_SECONDS, 86_401)
_STALE_SECONDS: Final = 86_400
"""How long after it was fetched a set is used at most."""
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_NOT_KEPT: Final = re.compile(r"(?:^|[\s,])no-(store|cache)", re.IGNORECASE)

_log = logging.getLogger("fhirtwin.security")

Fetch = Callable[[Client, str, float], Fetched]
"""From a client, an address that is registered for it and a deadline to an answer."""


@dataclass(frozen=True, slots=True)
class _Set:
    keys: Mapping[str, Key]
    fresh_until: float
    stale_until: float


@dataclass(slots=True)
class _Entry:
    known: _Set | None = None
    next_fetch: float = 0.0
    turn: threading.Lock = field(default_factory=threading.Lock)


class KeyCache:
    """Keys by client, address and `kid`. Threads may share it; each process has its own.

    Args:
        fetch: fetches a set, over the one way out.
        clock: seconds, monotonic.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._making = threading.Lock()

    def key(self, client: Client, url: str, kid: str) -> Key | None:
        """The key of that name in the set at that address; None when there is none.

        Args:
            client: whose set it is.
            url: one that is registered for it.
            kid: which key.
        """
        with self._making:
            entry = self._entries.setdefault((client.name, url), _Entry())
        # Who comes while another fetches waits for what that brings.
        if self._lacks(entry, kid) and entry.turn.acquire(timeout=PATIENCE_SECONDS):
            try:
                if self._lacks(entry, kid):
                    self._renew(entry, client, url)
            finally:
                entry.turn.release()
        known = entry.known
        return known.keys.get(kid) if known and self._clock() < known.stale_until else None

    def _lacks(self, entry: _Entry, kid: str) -> bool:
        """Whether a set should be fetched for this key, and may be."""
        known, now = entry.known, self._clock()
        return now >= entry.next_fetch and (known is None or now >= known.fresh_until or kid not in known.keys)

    def _renew(self, entry: _Entry, client: Client, url: str) -> None:
        try:
            answer = self._fetch(client, url, time.monotonic() + PATIENCE_SECONDS)
            if answer.status != 200:
                raise Incorrect(f"status {answer.status}")
            found = keys.usable(codec.decode(answer.body, max_depth=16))
        except FhirtwinError as error:
            _log.warning("key set of client %s: not fetched: %s", client.name, error)
            return
        finally:
            now = self._clock()
            entry.next_fetch = now + _PAUSE_SECONDS
        entry.known = _Set(found, now + _fresh_seconds(answer.headers.get("cache-control", "")), now + _STALE_SECONDS)
        if not found:
            _log.warning("key set of client %s: fetched, and no key of it can be used", client.name)


def _fresh_seconds(cache_control: str) -> int:
    """How long a set is fresh, as its server says, within bounds of ours."""
    if _NOT_KEPT.search(cache_control):
        return _FRESHEST.start
    told = _MAX_AGE.search(cache_control)
    return min(max(int(told[1]), _FRESHEST.start), _FRESHEST.stop - 1) if told else _FRESH_SECONDS
