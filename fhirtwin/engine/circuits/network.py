"""Networks on the engine: three layers of products, rotations and squares, under keys that a gateway sent for them."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.network import ALL_STEPS, STEPS, Network
from fhirtwin.ckks.context import Ciphertext
from fhirtwin.ckks.hidden_network import CANARIES, INPUTS, OUTPUTS, UNITS
from fhirtwin.ckks.levelled import LevelledRing, scales
from fhirtwin.ckks.profiles import NETWORK
from fhirtwin.engine.circuits.prepared import Prepared
from fhirtwin.engine.drawing import uniform
from fhirtwin.engine.keyed import KeyedRings

_KEY_SETS_EACH, _KEY_SETS = 2, 4
_LEVELS = (0, 2, 4)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


class NetworkRings:
    """Keeps two sets of evaluation keys of a gateway and four in all, 51 MB each; the next displaces one.

    Networks may share it, and then take turns: the same rotations serve all.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.keyed = KeyedRings(_KEY_SETS_EACH, _KEY_SETS, _load_keys)


class PreparedNetwork(Prepared):
    """A network, and the rings that it is evaluated with."""

    def __init__(self, circuit: Network, rings: NetworkRings | None = None) -> None:
        ring = LevelledRing(circuit.profile)
        super().__init__(circuit, ring)
        rings = rings or NetworkRings()
        self._keyed, self._lock = rings.keyed, rings.turn
        self._scales = scales(circuit.profile, ring.primes)
        weight_scale = circuit.profile.weight_scale
        weights, biases = _laid_out(circuit)
        self._weights = [ring.encode_at(slots, weight_scale, at) for slots, at in zip(weights, _LEVELS, strict=True)]
        self._biases = [
            ring.encode_at(slots, scale, at) for slots, scale, at in zip(biases, self._scales, _LEVELS, strict=True)
        ]
        canary_scale = self._scales[2] / circuit.profile.input_scale
        self._canary = ring.encode_at(_canary_slots(circuit), canary_scale, _LEVELS[2])

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        return any(held.holds_secret_key for held in (self.ring, self._keyed))

    def _evaluate(self, parts: list[bytes], keys: bytes, keys_digest: bytes, tenant: str) -> bytes:
        ring = self._keyed.ring(keys_digest, keys, tenant)
        profile = self.circuit.profile
        sealed = ring.load(parts[0], profile.input_scale)
        canary = ring.copy(sealed)
        for layer in range(3):
            self._layer(ring, sealed, layer)
        ring.go_down(canary, _LEVELS[2])
        ring.multiply(canary, self._canary)
        ring.add(sealed, canary)
        ring.add_plain(sealed, ring.encode_at(masks(), self._scales[2], _LEVELS[2]))
        return ring.save(sealed)

    def _layer(self, ring: LevelledRing, sealed: Ciphertext, layer: int) -> None:
        ring.multiply(sealed, self._weights[layer])
        for step in STEPS[layer]:
            ring.add_rotated(sealed, step)
        ring.add_plain(sealed, self._biases[layer])
        if layer < 2:
            ring.rescale(sealed)
            ring.square(sealed)
            ring.rescale(sealed)


def _load_keys(keys: bytes) -> LevelledRing:
    ring, end = LevelledRing(NETWORK), NETWORK.rotation_keys_bytes(len(ALL_STEPS))
    ring.load_rotation_keys(keys[:end], len(ALL_STEPS))
    ring.load_relinearisation_key(keys[end:])
    return ring


def _laid_out(network: Network) -> tuple[list[Complex], list[Complex]]:
    """Weights and biases of the layers with their gains, padded with zeros, one number a slot."""
    _, of_first, of_second = network.gains
    sizes = ((UNITS[0], INPUTS), (UNITS[1], UNITS[0]), (OUTPUTS, UNITS[1]))
    padded = []
    for layer, bias, factor, gain, size in zip(
        network.weights, network.biases, network.factors, (of_first, of_second, 1.0), sizes, strict=True
    ):
        whole, whole_bias = np.zeros(size), np.zeros(size[0])
        whole[: layer.shape[0], : layer.shape[1]] = layer * factor
        whole_bias[: bias.size] = bias * gain
        padded.append((whole, whole_bias))
    (w1, b1), (w2, b2), (w3, b3) = padded
    last, last_bias = np.zeros(INPUTS * UNITS[0]), np.zeros(INPUTS * UNITS[0])
    last[::INPUTS] = w3.reshape(-1)
    last_bias[:: INPUTS * UNITS[1]] = b3
    second_bias = np.zeros(INPUTS * UNITS[0])
    second_bias[::INPUTS] = np.tile(b2, OUTPUTS)
    weights = [w1.T.reshape(-1), np.tile(w2, (OUTPUTS, 1)).reshape(-1), last]
    biases = [np.tile(b1, INPUTS), second_bias, last_bias]
    return [slots.astype(np.complex128) for slots in weights], [slots.astype(np.complex128) for slots in biases]


def _canary_slots(network: Network) -> Complex:
    """Canary c is read from the input's copies for unit c + 1: slots 64·j + c + 1, where the outputs are not."""
    grid = np.zeros((INPUTS, UNITS[0]), dtype=np.complex128)
    grid[: len(network.inputs), 1 : CANARIES + 1] = network.hidden.canary.T
    return grid.reshape(-1)


def masks() -> Complex:
    """What hides partial sums: of outputs, uniform in the slots beside them; of canaries, adding up to zero."""
    grid = np.zeros((INPUTS, UNITS[0]), dtype=np.complex128)
    drawn = uniform(NETWORK, INPUTS * (CANARIES + 1)).reshape(INPUTS, CANARIES + 1)
    grid[:, 0] = drawn[:, 0]
    grid[:: UNITS[1], 0] = 0.0
    grid[:, 1 : CANARIES + 1] = drawn[:, 1:] - drawn[:, 1:].mean(axis=0)
    return grid.reshape(-1)
