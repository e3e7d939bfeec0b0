"""Published models as a worker holds them: encoded when first asked for, forgotten when they are served no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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

Lengths = Mapping[str, frozenset[int]]


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
    _laid: dict[str, tuple[Layout, Plaintext]] = field(default_factory=dict)
    _prepared: dict[str, Prepared] = field(default_factory=dict)
    _networks: NetworkRings = field(default_factory=NetworkRings)
    _seen: Mapping[str, Offer] = field(default_factory=dict)
    _lengths: Lengths = field(default_factory=dict)

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        return self._networks.keyed.holds_secret_key or any(
            one.holds_secret_key for one in list(self._prepared.values())
        )

    def lengths(self) -> Lengths:
        """Profile name to the exact lengths that messages to a model may have now."""
        self._now()
        return self._lengths

    def model_of(self, digest: str) -> str | None:
        """The hash of the model that a part is of; None when it is not served."""
        offer = self._now().get(digest)
        return None if offer is None else offer.model

    def vectors(self, digest: str) -> int:
        """How many vectors one request to a part has room for."""
        part = self._part(digest)
        return part.vectors if isinstance(part, Circuit) else 1

    def laid(self, digest: str) -> tuple[Layout, Plaintext] | None:
        """A part that is evaluated as panels are, laid out and encoded."""
        part = self._part(digest)
        if not isinstance(part, AsPanel):
            return None
        with self.turn:
            if digest not in self._laid:
                layout, profile = packing.layout(part.panel, part.profile), part.profile
                self._laid[digest] = layout, self.ring_of(profile).encode(layout.weights, profile.weight_scale)
            return self._laid[digest]

    def circuit(self, digest: str) -> Prepared | None:
        """A part that is evaluated in a way of its own, encoded."""
        part = self._part(digest)
        if not isinstance(part, Circuit):
            return None
        with self.turn:
            if digest not in self._prepared:
                self._prepared[digest] = prepare(part, self._networks)
            return self._prepared[digest]

    def _part(self, digest: str) -> Served | None:
        offer = self._now().get(digest)
        return None if offer is None else offer.part

    def _now(self) -> Mapping[str, Offer]:
        if self.models is None:
            return {}
        offers = self.models.offers()
        if offers is not self._seen:
            with self.turn:
                self._laid = {digest: one for digest, one in self._laid.items() if digest in offers}
                self._prepared = {digest: one for digest, one in self._prepared.items() if digest in offers}
                self._seen, self._lengths = offers, _lengths_of(offers)
        return offers


def lengths_of(part: Served) -> frozenset[int]:
    """The exact lengths that messages to a part may have."""
    if isinstance(part, AsPanel):
        return wire.request_lengths(part.profile, 0)
    return wire.request_lengths(part.profile, part.evaluation_keys_bytes, part.cost.sealed_in)


def _lengths_of(offers: Mapping[str, Offer]) -> dict[str, frozenset[int]]:
    lengths: dict[str, frozenset[int]] = {}
    for offer in offers.values():
        name = offer.part.profile.name
        lengths[name] = lengths.get(name, frozenset()) | lengths_of(offer.part)
    return lengths
