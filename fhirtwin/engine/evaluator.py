"""What the engine computes: sealed features times weights, summed by rotation or hidden behind masks that cancel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks import packing, wire
from fhirtwin.ckks.circuits.circuit import Circuit
from fhirtwin.ckks.circuits.trajectory import Trajectory
from fhirtwin.ckks.circuits.trees import Trees
from fhirtwin.ckks.context import Plaintext, Ring
from fhirtwin.ckks.layout import Layout
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import MASKED, ROTATING, SPARSE, Profile
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.circuits.prepared import Prepared
from fhirtwin.engine.circuits.preparing import prepare
from fhirtwin.engine.drawing import uniform
from fhirtwin.engine.keyed import KeyedRings
from fhirtwin.engine.models import Models
from fhirtwin.engine.offers import Offers, lengths_of
from fhirtwin.errors import Unprocessable

_KEY_SETS_EACH, _KEY_SETS = 4, 64
"""Of one gateway, and of all."""

_OTHER_PANEL = "This engine holds another panel of predictors."

AnyCircuit = Circuit | Trajectory | Trees
"""Trajectories and trees are evaluated as panels are."""

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]


class Evaluator:
    """Evaluates a panel in both its modes, and tables. Threads may share it; they take turns, since SEAL here runs one.

    Args:
        panel: of the predictors.
        tables: panels that are evaluated in sparse mode.
        circuits: what is evaluated in another way.
        models: published models.

    Raises:
        Incorrect: a panel cannot be evaluated safely.
    """

    def __init__(
        self,
        panel: Panel,
        tables: Sequence[Panel] = (),
        circuits: Sequence[AnyCircuit] = (),
        models: Models | None = None,
    ) -> None:
        self.panel = panel
        self.tables = tuple(tables)
        all_layouts = layouts(panel, tables, circuits)
        self.layouts = {layout.profile.name: layout for layout in all_layouts[:2]}
        self._as_panels = [panel.digest for circuit in circuits for panel, _ in _panels_of(circuit)]
        self._by_panel = {(layout.panel.digest, layout.profile.name): layout for layout in all_layouts}
        self._rings = {layout.profile.name: Ring(layout.profile) for layout in all_layouts}
        self._weights: dict[tuple[str, str], Plaintext] = {
            known: self._rings[layout.profile.name].encode(layout.weights, layout.profile.weight_scale)
            for known, layout in self._by_panel.items()
        }
        self._circuits = {circuit.digest: prepare(circuit) for circuit in circuits if isinstance(circuit, Circuit)}
        self._kinds = {
            **dict.fromkeys(self.circuits, "circuits"),
            **{table.digest: "tables" for table in self.tables},
            panel.digest: "panel",
        }
        load = partial(_load_keys, self.layouts[ROTATING.name])
        self._keyed = KeyedRings(_KEY_SETS_EACH, _KEY_SETS, load)
        self._lock = threading.Lock()
        self._offers = Offers(models, self._ring_of, self._lock)
        self._lengths = self._own_lengths()

    def keep_up(self) -> None:
        """Encode the published models, and from now on whatever is published, in a thread that no caller waits for."""
        self._offers.watch()

    @property
    def request_lengths(self) -> dict[str, frozenset[int]]:
        """Profile name to the exact lengths its messages may have, now."""
        lengths = dict(self._lengths)
        for name, more in self._offers.lengths().items():
            lengths[name] = lengths.get(name, frozenset()) | more
        return lengths

    def _own_lengths(self) -> dict[str, frozenset[int]]:
        lengths: dict[str, frozenset[int]] = {}
        for layout in self._by_panel.values():
            of_panel = wire.request_lengths(layout.profile, layout.evaluation_keys_bytes)
            lengths[layout.profile.name] = lengths.get(layout.profile.name, frozenset()) | of_panel
        for prepared in self._circuits.values():
            name = prepared.circuit.profile.name
            lengths[name] = lengths.get(name, frozenset()) | lengths_of(prepared.circuit)
        return lengths

    @property
    def circuits(self) -> list[str]:
        """Digests of the circuits, in order."""
        return sorted([*self._circuits, *self._as_panels])

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        held: list[Ring | Prepared] = [*self._rings.values(), *self._circuits.values()]
        return any(one.holds_secret_key for one in (*held, self._keyed, self._offers))

    def kind(self, digest: str) -> str:
        """What a model is: `panel`, `tables`, `circuits`, or `packages`.

        Raises:
            Unprocessable: this engine does not hold it.
        """
        if digest in self._kinds:
            return self._kinds[digest]
        if self._offers.model_of(digest) is not None:
            return "packages"
        raise Unprocessable(_OTHER_PANEL)

    def model_of(self, digest: str) -> str:
        """What a model is opened to tenants by: of a part of a published one the hash of the whole."""
        return self._offers.model_of(digest) or digest

    def vectors(self, digest: str) -> int:
        """How many vectors one request to a model has room for."""
        prepared = self._circuits.get(digest)
        return prepared.circuit.vectors if prepared else self._offers.vectors(digest)

    def evaluate(self, features: SealedFeatures, keys_digest: bytes, tenant: str = "") -> SealedScores:
        """Compute every row of the panel that is named on one ciphertext, or the circuit that is named.

        Args:
            features: evaluation keys may be left out when they were sent before.
            keys_digest: names them.
            tenant: who asks; evaluation keys that it did not send itself are not here.

        Raises:
            Unprocessable: the panel is not this engine's.
            Incorrect: the ciphertext or the keys cannot be used.
            Precondition: the evaluation keys are needed and not here.
        """
        laid = self._laid(features)
        if laid is None:
            prepared = self._circuits.get(features.panel_digest) or self._offers.circuit(features.panel_digest)
            if prepared is not None and prepared.circuit.profile.name == features.profile:
                return prepared.evaluate(features, keys_digest, tenant)
            raise Unprocessable(_OTHER_PANEL)
        layout, weights = laid
        profile = layout.profile
        with self._lock:
            ring = self._rings[profile.name]
            if layout.steps:
                ring = self._keyed.ring(keys_digest, features.evaluation_keys, tenant)
            sealed = ring.load(features.sealed_vector, profile.input_scale)
            ring.multiply(sealed, weights)
            for step in layout.steps:
                ring.add_rotated(sealed, step)
            ring.add_plain(sealed, ring.encode(_masks(layout), profile.product_scale))
            sums = ring.save(sealed)
        return SealedScores(profile.name, features.panel_digest, features.request_id, sums)

    def _laid(self, features: SealedFeatures) -> tuple[Layout, Plaintext] | None:
        """What a request names: a panel or table that is always here, or a model that is served now."""
        known = (features.panel_digest, features.profile)
        if known in self._by_panel:
            return self._by_panel[known], self._weights[known]
        offered = self._offers.laid(features.panel_digest)
        if offered is None or offered[0].profile.name != features.profile:
            return None
        return offered

    def _ring_of(self, profile: Profile) -> Ring:
        if profile.name not in self._rings:
            self._rings[profile.name] = Ring(profile)
        return self._rings[profile.name]


def layouts(panel: Panel, tables: Sequence[Panel], circuits: Sequence[AnyCircuit]) -> list[Layout]:
    """Lay out everything that lies as panels do: the panel masked and rotating, then tables, trajectories and trees.

    Raises:
        Incorrect: one of them cannot be evaluated safely, or not as precisely as it must be.
    """
    for circuit in circuits:
        if isinstance(circuit, Trajectory):  # the others refuse what they cannot do when they are made
            circuit.check(SPARSE)
    return [
        packing.layout(panel, MASKED),
        packing.layout(panel, ROTATING),
        *(packing.layout(table, SPARSE) for table in tables),
        *(packing.layout(one, profile) for circuit in circuits for one, profile in _panels_of(circuit)),
    ]


def _panels_of(circuit: AnyCircuit) -> list[tuple[Panel, Profile]]:
    """The panels that a circuit is evaluated as, if it is."""
    if isinstance(circuit, Trajectory):
        return [(circuit.panel, SPARSE)]
    return [(panel, MASKED) for panel in circuit.panels] if isinstance(circuit, Trees) else []


def _load_keys(layout: Layout, keys: bytes) -> Ring:
    ring = Ring(layout.profile)
    ring.load_rotation_keys(keys, len(layout.steps))
    return ring


def _masks(layout: Layout) -> Complex:
    """What hides partial products from whoever opens the sums, one number a slot.

    Where the vault adds up, the real parts of a lane add up to zero. In rotating mode they are zero, for there the sum
    is done. The imaginary parts, which carry products of a feature with its partner's weight, are always masked.
    """
    profile, lane_of = layout.profile, layout.lane_of
    masks = np.zeros(profile.slots, dtype=np.complex128)
    if layout.steps:
        masks.imag = uniform(profile, profile.slots)
        return masks
    used = masks[: lane_of.size]
    used[:] = uniform(profile, 2 * used.size).view(np.complex128)
    used.real -= (np.bincount(lane_of, used.real) / layout.lane_sizes)[lane_of]
    return masks
