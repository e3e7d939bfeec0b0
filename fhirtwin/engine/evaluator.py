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
from fhirtwin.ckks.context import Plaintext, Ring
from fhirtwin.ckks.layout import Layout
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import MASKED, ROTATING, SPARSE
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.circuits.prepared import Prepared
from fhirtwin.engine.circuits.preparing import prepare
from fhirtwin.engine.drawing import uniform
from fhirtwin.engine.keyed import KeyedRings
from fhirtwin.errors import Unprocessable

_MOST_KEY_SETS = 4

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]


class Evaluator:
    """Evaluates a panel in both its modes, and tables. Threads may share it; they take turns, since SEAL here runs one.

    Args:
        panel: of the predictors.
        tables: panels that are evaluated in sparse mode.
        circuits: what is evaluated in another way.

    Raises:
        Incorrect: a panel cannot be evaluated safely.
    """

    def __init__(
        self, panel: Panel, tables: Sequence[Panel] = (), circuits: Sequence[Circuit | Trajectory] = ()
    ) -> None:
        self.panel = panel
        self.tables = tuple(tables)
        all_layouts = layouts(panel, tables, circuits)
        self.layouts = {layout.profile.name: layout for layout in all_layouts[:2]}
        self._trajectories = [circuit for circuit in circuits if isinstance(circuit, Trajectory)]
        self._by_panel = {(layout.panel.digest, layout.profile.name): layout for layout in all_layouts}
        self._rings = {layout.profile.name: Ring(layout.profile) for layout in all_layouts}
        self._weights: dict[tuple[str, str], Plaintext] = {
            known: self._rings[layout.profile.name].encode(layout.weights, layout.profile.weight_scale)
            for known, layout in self._by_panel.items()
        }
        self._circuits = {
            circuit.digest: prepare(circuit) for circuit in circuits if not isinstance(circuit, Trajectory)
        }
        self._keyed = KeyedRings(_MOST_KEY_SETS, partial(_load_keys, self.layouts[ROTATING.name]))
        self._lock = threading.Lock()

    @property
    def request_lengths(self) -> dict[str, frozenset[int]]:
        """Profile name to the exact lengths its messages may have."""
        lengths: dict[str, frozenset[int]] = {}
        for layout in self._by_panel.values():
            of_panel = wire.request_lengths(layout.profile, layout.evaluation_keys_bytes)
            lengths[layout.profile.name] = lengths.get(layout.profile.name, frozenset()) | of_panel
        for prepared in self._circuits.values():
            circuit = prepared.circuit
            exact = wire.request_lengths(circuit.profile, circuit.evaluation_keys_bytes, circuit.cost.sealed_in)
            lengths[circuit.profile.name] = lengths.get(circuit.profile.name, frozenset()) | exact
        return lengths

    @property
    def circuits(self) -> list[str]:
        """Digests of the circuits, in order."""
        return sorted([*self._circuits, *(trajectory.panel.digest for trajectory in self._trajectories)])

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        held: list[Ring | KeyedRings[Ring] | Prepared] = [*self._rings.values(), self._keyed, *self._circuits.values()]
        return any(one.holds_secret_key for one in held)

    def evaluate(self, features: SealedFeatures, keys_digest: bytes) -> SealedScores:
        """Compute every row of the panel that is named on one ciphertext, or the circuit that is named.

        Args:
            features: evaluation keys may be left out when they were sent before.
            keys_digest: names them.

        Raises:
            Unprocessable: the panel is not this engine's.
            Incorrect: the ciphertext or the keys cannot be used.
            Precondition: the evaluation keys are needed and not here.
        """
        layout = self._by_panel.get((features.panel_digest, features.profile))
        if layout is None:
            prepared = self._circuits.get(features.panel_digest)
            if prepared is not None and prepared.circuit.profile.name == features.profile:
                return prepared.evaluate(features, keys_digest)
            raise Unprocessable("This engine holds another panel of predictors.")
        profile = layout.profile
        with self._lock:
            keyed = bool(layout.steps)
            ring = self._keyed.ring(keys_digest, features.evaluation_keys) if keyed else self._rings[profile.name]
            sealed = ring.load(features.sealed_vector, profile.input_scale)
            ring.multiply(sealed, self._weights[features.panel_digest, profile.name])
            for step in layout.steps:
                ring.add_rotated(sealed, step)
            ring.add_plain(sealed, ring.encode(_masks(layout), profile.product_scale))
            sums = ring.save(sealed)
        return SealedScores(profile.name, features.panel_digest, features.request_id, sums)


def layouts(panel: Panel, tables: Sequence[Panel], circuits: Sequence[Circuit | Trajectory]) -> list[Layout]:
    """Lay out everything that lies as panels do: the panel masked and rotating, then tables and trajectories.

    Raises:
        Incorrect: one of them cannot be evaluated safely, or not as precisely as it must be.
    """
    for circuit in circuits:
        if isinstance(circuit, Trajectory):  # the others refuse what they cannot do when they are made
            circuit.check(SPARSE)
    sparse = [*tables, *(circuit.panel for circuit in circuits if isinstance(circuit, Trajectory))]
    return [
        packing.layout(panel, MASKED),
        packing.layout(panel, ROTATING),
        *(packing.layout(s, SPARSE) for s in sparse),
    ]


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
    used = lane_of.size
    drawn = uniform(profile, 2 * used)
    means = np.bincount(lane_of, drawn[:used]) / np.bincount(lane_of)
    masks.real[:used] = drawn[:used] - means[lane_of]
    masks.imag[:used] = drawn[used:]
    return masks
