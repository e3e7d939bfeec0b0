"""Seals inputs of a network and opens its outputs, under a key that lasts until an answer is refused."""

from __future__ import annotations

import secrets

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.network import ALL_STEPS, Network
from fhirtwin.ckks.hidden_network import CANARIES, INPUTS, OUTPUTS, RADIUS, UNITS, HiddenNetwork
from fhirtwin.ckks.levelled import LevelledRing, scales
from fhirtwin.ckks.profiles import NETWORK
from fhirtwin.ckks.sealed import Scores, SealedFeatures, SealedScores
from fhirtwin.ckks.wire import REQUEST_ID_BYTES
from fhirtwin.errors import Fault
from fhirtwin.vault import checking
from fhirtwin.vault.keeping import Shelf
from fhirtwin.vault.keys import LastingKeys, Opening

Float = NDArray[np.float64]


class NetworkVault:
    """Seals inputs and opens outputs. Threads may share it; they take turns.

    Its evaluation keys take some 50 MB and a third of a second to make, so one key serves many requests, until an
    answer is refused.

    Args:
        circuit: the network, with or without its weights; it must be the engine's.
        shelf: where its key lies between starts, and how much it is used.
        keys: that it shares with others; then there is nothing on the shelf for it alone.
    """

    def __init__(
        self, circuit: Network | HiddenNetwork, *, shelf: Shelf | None = None, keys: LastingKeys | None = None
    ) -> None:
        self.circuit = circuit.hidden if isinstance(circuit, Network) else circuit
        self._keys = keys or network_keys(shelf or Shelf(), circuit.digest)

    def seal(self, values: Float) -> tuple[SealedFeatures, Opening[Float]]:
        """Encrypt one vector of inputs.

        Args:
            values: float64, in the network's order, each within its bounds, the whole within the radius.

        Returns:
            What goes to the engine, and what opens the answer and knows what the canaries must open to.

        Raises:
            Fault: the vector is not such; the text names the input, never its value.
        """
        circuit, checked = self.circuit, self._checked(values)
        with self._keys.sealing() as (ring, keys):
            sealed = ring.encrypt(circuit.spread(checked), circuit.profile.input_scale)
        request_id = secrets.token_bytes(REQUEST_ID_BYTES)
        features = SealedFeatures(
            circuit.profile.name, circuit.digest, request_id, sealed, keys, answer_bytes=circuit.answer_bytes
        )
        return features, Opening(ring, features, circuit.expected_canaries(checked))

    def open(self, scores: SealedScores, opening: Opening[Float]) -> Scores:
        """Decrypt, check, and round each output to the step of the profile.

        Raises:
            EngineAnswerWrong: the answer is not exactly what a right engine gives to this request; one text says so
                whatever the reason, and the key is replaced.
            Fault: the opening was used before.
        """
        circuit = self.circuit
        with self._keys.opening(opening) as ring:
            outputs = self._outputs(ring, scores, opening)
        values = checking.rounded(circuit.outputs, outputs, circuit.profile.step)
        return Scores(values, circuit.profile.name, circuit.digest)

    def _outputs(self, ring: LevelledRing, scores: SealedScores, opening: Opening[Float]) -> Float:
        """Unrounded outputs: they never leave this class."""
        circuit, tolerance = self.circuit, self.circuit.profile.tolerance
        scale = scales(circuit.profile, ring.primes)[2]
        (opened,) = checking.opened(ring, scores, opening, scale)
        grid = opened.reshape(INPUTS, UNITS[0])
        outputs: Float = grid[:: INPUTS // OUTPUTS, 0].real[: len(circuit.outputs)]
        canaries = grid[:, 1 : CANARIES + 1].real.sum(axis=0)
        # Written so that a NaN fails.
        checking.refuse_unless(
            bool(np.isfinite(opened).all()),
            bool((np.abs(canaries - opening._expected) <= tolerance).all()),
            bool((np.abs(grid[:, CANARIES + 1 :]) <= tolerance).all()),
            bool((np.abs(opened.imag) <= tolerance).all()),
            bool((np.abs(grid[:: INPUTS // OUTPUTS, 0].real[len(circuit.outputs) :]) <= tolerance).all()),
            bool((np.abs(outputs) <= circuit.largest_outputs + tolerance).all()),
        )
        return outputs

    def _checked(self, values: Float) -> Float:
        circuit = self.circuit
        if values.shape != (len(circuit.inputs),) or values.dtype != np.float64:
            raise Fault("A vector of inputs must have one float64 for each input of the network.")
        if outside := circuit.outside(values):
            if outside == RADIUS:
                raise Fault("The inputs lie further from the centre than their network declares.")
            raise Fault(f"Input {outside} is outside the range its network declares.")
        return np.ascontiguousarray(values)


def network_keys(shelf: Shelf, what: str) -> LastingKeys:
    """A key, and its evaluation keys, for one network or for several: the same rotations serve all.

    Args:
        shelf: where it lies between starts, and how much it is used.
        what: names what it is for on the shelf.
    """
    return LastingKeys(_new, lambda: LevelledRing(NETWORK), shelf.of(f"{NETWORK.name} {what}"))


def _new() -> tuple[LevelledRing, bytes]:
    ring = LevelledRing(NETWORK)
    ring.make_keys()
    return ring, ring.make_rotation_keys(ALL_STEPS) + ring.make_relinearisation_key()
