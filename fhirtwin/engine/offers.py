"""Published models as a worker holds them: encoded before anybody can ask, forgotten when they are served no more.

A worker's own thread looks at the folder and encodes (`Offers.watch`); callers are given what is ready, and never wait
for either.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fhirtwin.ckks import packing, wire
from fhirtwin.ckks.circuits.circuit import Circuit
from fhirtwin.ckks.context import Plaintext, Ring
from fhirtwin.ckks.layout import Layout
from fhirtwin.ckks.profiles import Profile
from fhirtwin.engine.circuits.network import NetworkRings
from fhirtwin.engine.circuits.prepared import Prepared
from fhirtwin.engine.circuits.preparing import prepare
from fhirtwin.engine.models import Models, Offer
from fhirtwin.packages.kind import AsPanel, Served

WATCHED_EVERY_SECONDS: Final = 0.25
"""How long a worker's thread waits between looks at the folder, which cost a few calls of the file system."""

Lengths = Mapping[str, frozenset[int]]
Encoded = tuple[Layout, Plaintext] | Prepared

_log = logging.getLogger("fhirtwin.engine")


@dataclass(frozen=True, eq=False)
class _Ready:
    """What is served at one moment. It is put in the place of another as a whole, and never changes.

    Attributes:
        offers: parts by their digests, none of which is not encoded.
        encoded: the same parts.
        lengths: of messages to them, by profile.
    """

    offers: Mapping[str, Offer] = field(default_factory=dict)
    encoded: Mapping[str, Encoded] = field(default_factory=dict)
    lengths: Lengths = field(default_factory=dict)


@dataclass(eq=False)
class Offers:
    """What a folder of models offers now. Threads may share it.

    Attributes:
        models: None where there are none.
        ring_of: the ring that panels of a profile are evaluated with.
        turn: held while that ring is used.
    """

    models: Models | None
    ring_of: Callable[[Profile], Ring]
    turn: threading.Lock
    _ready: _Ready = field(default_factory=_Ready)
    _seen: Mapping[str, Offer] | None = None
    _networks: NetworkRings = field(default_factory=NetworkRings)
    _refreshing: threading.Lock = field(default_factory=threading.Lock)
    _watched: bool = False
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        prepared = [one for one in self._ready.encoded.values() if isinstance(one, Prepared)]
        return self._networks.keyed.holds_secret_key or any(one.holds_secret_key for one in prepared)

    def watch(self) -> None:
        """Encode all that is served, and from now on look and encode in a thread of its own, outside callers' turns."""
        if self.models is not None:
            self._refresh(self.models.offers())
            self._watched = True
            threading.Thread(target=self._keep_watching, args=(self.models,), name="models", daemon=True).start()

    def lengths(self) -> Lengths:
        """Profile name to the exact lengths that messages to a model may have now."""
        return self._now().lengths

    def model_of(self, digest: str) -> str | None:
        """The hash of the model that a part is of; None when it is not served."""
        offer = self._now().offers.get(digest)
        return None if offer is None else offer.model

    def vectors(self, digest: str) -> int:
        """How many vectors one request to a part has room for."""
        prepared = self.circuit(digest)
        return 1 if prepared is None else prepared.circuit.vectors

    def laid(self, digest: str) -> tuple[Layout, Plaintext] | None:
        """A part that is evaluated as panels are, laid out and encoded."""
        encoded = self._now().encoded.get(digest)
        return None if isinstance(encoded, Prepared) else encoded

    def circuit(self, digest: str) -> Prepared | None:
        """A part that is evaluated in a way of its own, encoded."""
        encoded = self._now().encoded.get(digest)
        return encoded if isinstance(encoded, Prepared) else None

    def _now(self) -> _Ready:
        if self.models is not None and not self._watched:
            self._refresh(self.models.offers())
        return self._ready

    def _keep_watching(self, models: Models) -> None:
        while not self._over.wait(WATCHED_EVERY_SECONDS):
            try:
                self._refresh(models.offers())
            except Exception as error:  # noqa: BLE001 - nobody could see any more what was withdrawn, so nothing is served
                _log.error("no published model is served: looking at them failed: %s", type(error).__name__)
                self._ready, self._seen = _Ready(), None

    def _refresh(self, offers: Mapping[str, Offer]) -> None:
        """Serve these: what is withdrawn goes first, so that its memory is free for what is new."""
        with self._refreshing:
            if offers is self._seen:
                return
            self._ready = _of(offers, {name: one for name, one in self._ready.encoded.items() if name in offers})
            self._ready = _of(offers, dict(self._ready.encoded) | self._newly_encoded(offers))
            self._seen = offers

    def _newly_encoded(self, offers: Mapping[str, Offer]) -> dict[str, Encoded]:
        found: dict[str, Encoded] = {}
        for digest, offer in offers.items():
            if digest not in self._ready.encoded:
                try:
                    found[digest] = self._encode(offer.part)
                except Exception as error:  # noqa: BLE001 - of one model, by which no other may suffer
                    _log.error("model %s is not served: encoding it failed: %s", offer.model, type(error).__name__)
        return found

    def _encode(self, part: Served) -> Encoded:
        if isinstance(part, Circuit):
            return prepare(part, self._networks)
        layout = packing.layout(part.panel, part.profile)
        with self.turn:
            return layout, self.ring_of(part.profile).encode(layout.weights, part.profile.weight_scale)


def _of(offers: Mapping[str, Offer], encoded: Mapping[str, Encoded]) -> _Ready:
    """What of offers can be served: models of which every part is encoded."""
    lacking = {offer.model for digest, offer in offers.items() if digest not in encoded}
    whole = {digest: offer for digest, offer in offers.items() if offer.model not in lacking}
    lengths = by_profile((offer.part.profile.name, lengths_of(offer.part)) for offer in whole.values())
    return _Ready(whole, {digest: encoded[digest] for digest in whole}, lengths)


def lengths_of(part: Served) -> frozenset[int]:
    """The exact lengths that messages to a part may have."""
    if isinstance(part, AsPanel):
        return wire.request_lengths(part.profile, 0)
    return wire.request_lengths(part.profile, part.evaluation_keys_bytes, part.cost.sealed_in)


def by_profile(found: Iterable[tuple[str, frozenset[int]]]) -> dict[str, frozenset[int]]:
    """All lengths under a profile together, by its name."""
    lengths: dict[str, frozenset[int]] = {}
    for name, some in found:
        lengths[name] = lengths.get(name, frozenset()) | some
    return lengths
