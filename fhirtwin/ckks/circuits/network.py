"""A network with squares for activations: up to 64 inputs, 64 and then 16 units that are squared, 4 outputs.

All 4,096 slots of a ciphertext are used. Slot 64·j + r holds input j for unit r of layer 1; adding over j by rotation
leaves unit r in every slot 64·j + r. Squared, and read as slot 64·u + j, they are the inputs of layer 2, whose units u
are 16 in four copies; adding over j leaves them in slots 64·u. Squared again, copy k of them is weighed by output k,
and adding over its 16 units leaves output k in slot 1024·k. Other slots that hold sums then are masked.

All slots that are no multiple of 64 are zero at the end, but for four columns in which the engine puts *canaries*: sums
over all inputs, with weights that follow from the digest, of the very ciphertext that the network was evaluated on, cut
into masked parts. The vault knows them beforehand. An answer to another patient's inputs, or of another model, differs
in them.

No overflow is silent. Up to layer 3 the bounds of the units exclude it. After it a coefficient that wrapped round would
change the result by a polynomial with whole coefficients, times the modulus over the scale, some 100. Such a polynomial
is zero in no slot, and its magnitudes over all slots multiply to at least one; so nine slots in ten cannot all stay
within the tolerance of zero unless the others were changed by more than any result can be.

What noise does depends on how far the units are driven, so the error is reckoned at many admissible inputs: at random,
at corners, and where ascent drives outputs and units furthest. It is a forecast, not a proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import Circuit, Cost, digest_of
from fhirtwin.ckks.declared import Declared
from fhirtwin.ckks.hidden_network import INPUTS, OUTPUTS, UNITS, HiddenNetwork
from fhirtwin.ckks.profiles import NETWORK
from fhirtwin.errors import Incorrect

STEPS: Final = (tuple(64 << i for i in reversed(range(6))), (32, 16, 8, 4, 2, 1), (512, 256, 128, 64))
"""By which layers 1, 2 and 3 are rotated and added."""

ALL_STEPS: Final = (*STEPS[0], *STEPS[1])

_DEVIATIONS = 8.0
_SAMPLES = 512
_LEAST_WEIGHT = 2.0**-11  # alone in one slot of 4,096 it still leaves a coefficient of two at the scale of weights
GAINS: Final = tuple(2.0**bits for bits in range(-5, 2))

# Standard deviations of one part of a slot, times the scale, at degree 8192: of rounding a ciphertext (sealing,
# rescaling), sqrt((1 + 2n/3) / 12) * sqrt(n / 2), and of rounding an encoded plaintext, sqrt(1 / 12) * sqrt(n / 2).
_CIPHERTEXT_NOISE = 1366.0
_PLAINTEXT_NOISE = 18.5

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Network(Circuit):
    """Three layers, the first two squared.

    Attributes:
        inputs, outputs: names.
        low, high: bounds of the inputs, inclusive; 0 must be within. Centre and scale them first.
        radius: the largest Euclidean length of an input vector that may be sealed.
        weights: of the three layers, each (units, inputs of the layer).
        biases: of the three layers.
        package: SHA-256, in hex, of the manifest of the model package it is of, if it is of one.
        input_gain: power of two that inputs are multiplied by; None chooses what makes the noise least.

    Raises:
        Incorrect: shapes or numbers are wrong, a unit could overflow, or the error is greater than may be.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    low: Float
    high: Float
    radius: float
    weights: tuple[Float, Float, Float]
    biases: tuple[Float, Float, Float]
    package: str = ""
    input_gain: float | None = None

    declared: ClassVar = Declared(
        NETWORK,
        len(STEPS) + 2,
        f"each of {INPUTS} inputs in {UNITS[0]} slots, one for each unit of layer 1; after it units of layer 2 in four "
        "copies, one for each output. Canaries in slots that are zero at the end",
    )
    """A product with weights in each of three layers, and two squares between them."""

    def __post_init__(self) -> None:
        self._check_shapes()
        self._refuse_overflow()
        self._refuse_what_rounds_away()
        self.refuse_excess()

    @cached_property
    def digest(self) -> str:
        """Of the model and of the gains, so that sides which reckon them otherwise say so; or of its package."""
        if self.package:
            return self.package
        return digest_of("network", self._model, np.array(self.gains))

    @cached_property
    def _model(self) -> str:
        """Digest of names, bounds, weights and biases."""
        names = ("\x00".join(self.inputs), "\x00".join(self.outputs))
        radius = np.array([self.radius])
        return digest_of("model", *names, self.low, self.high, radius, *self.weights, *self.biases)

    @property
    def cost(self) -> Cost:
        """The same for everybody."""
        rotations = sum(len(steps) for steps in STEPS)
        return Cost(1, 1, products=4, plaintexts=7, rotations=rotations, squares=2)

    @property
    def evaluation_keys_bytes(self) -> int:
        """Rotation keys and the key for squares."""
        return NETWORK.rotation_keys_bytes(len(ALL_STEPS)) + NETWORK.relinearisation_key_bytes

    @cached_property
    def error(self) -> float:
        """Eight standard deviations of the noise at the worst of many admissible inputs."""
        return _DEVIATIONS * float(self._deviations(self.gains, self.samples).max())

    @cached_property
    def gains(self) -> tuple[float, float, float]:
        """Powers of two that inputs, units of layer 1 and of layer 2 are multiplied by, so that noise is least."""
        some = self.samples[:: max(1, len(self.samples) // 128)]
        of_input = GAINS if self.input_gain is None else (self.input_gain,)
        return min(product(of_input, GAINS, GAINS), key=lambda gains: float(self._deviations(gains, some).max()))

    @property
    def factors(self) -> tuple[float, float, float]:
        """What gains make of the weights of the three layers: they are multiplied by these."""
        of_input, of_first, of_second = self.gains
        return of_first / of_input, of_second / of_first**2, 1 / of_second**2

    @cached_property
    def largest_units(self) -> tuple[Float, Float]:
        """Magnitudes that no unit of layers 1 and 2 exceeds before it is squared, over all admissible inputs."""
        largest = np.maximum(np.abs(self.low), np.abs(self.high))
        first = np.minimum(np.abs(self.weights[0]) @ largest, np.linalg.norm(self.weights[0], axis=1) * self.radius)
        first = first + np.abs(self.biases[0])
        return first, np.abs(self.weights[1]) @ first**2 + np.abs(self.biases[1])

    @cached_property
    def largest_outputs(self) -> Float:
        """Magnitudes that no output exceeds, over all admissible inputs."""
        return np.asarray(np.abs(self.weights[2]) @ self.largest_units[1] ** 2 + np.abs(self.biases[2]))

    @cached_property
    def hidden(self) -> HiddenNetwork:
        """What a gateway needs of it to seal, and to check answers."""
        return HiddenNetwork(
            self.inputs,
            self.outputs,
            self.low,
            self.high,
            self.radius,
            self.gains[0],
            self.largest_outputs,
            self.digest,
        )

    def evaluate_plain(self, values: Float) -> Float:
        """The outputs in clear, for inputs of shape (..., inputs)."""
        return self._units(values)[2]

    @cached_property
    def samples(self) -> Float:
        """Admissible inputs: at random, at corners, and where ascent drives outputs and units furthest."""
        draw = np.random.default_rng(int(self._model[:16], 16))
        size = (_SAMPLES, len(self.inputs))
        inside = draw.uniform(self.low, self.high, size)
        corners = np.where(draw.random(size) < 0.5, self.low, self.high)
        return np.concatenate([self._admitted(inside), self._admitted(corners), self._furthest(inside[:8])])

    def _furthest(self, starts: Float) -> Float:
        """Ascend the magnitude of each output and of each unit of layer 2, from several starts."""
        found = []
        targets = [(2, k) for k in range(len(self.outputs))] + [(1, u) for u in range(self.weights[1].shape[0])]
        for (layer, place), side in product(targets, (1.0, -1.0)):
            values = self._admitted(starts)
            for _ in range(12):
                slope = side * self._slope(values, layer, place)
                values = self._furthest_along(slope)
            found.append(values)
        return np.concatenate(found)

    def _furthest_along(self, slope: Float) -> Float:
        """The corner that a slope points to, or where it leaves the ball of the radius when that comes first."""
        if np.isinf(self.radius):
            return np.where(slope > 0, self.high, self.low)
        length = np.maximum(np.linalg.norm(slope, axis=1), 1e-300)[:, None]
        return self._admitted(slope / length * self.radius)

    def _slope(self, values: Float, layer: int, place: int) -> Float:
        """How a unit of layer 2 or an output changes with the inputs."""
        first, second, _ = self._units(values)
        if layer == 1:
            back = np.broadcast_to(self.weights[1][place], (len(values), self.weights[1].shape[1]))
        else:
            back = (2 * second * self.weights[2][place]) @ self.weights[1]
        return np.asarray((back * 2 * first) @ self.weights[0])

    def _admitted(self, values: Float) -> Float:
        """Bring vectors into the bounds and within the radius."""
        clipped = np.clip(values, self.low, self.high)
        length = np.linalg.norm(clipped, axis=1)[:, None]
        return np.asarray(clipped * np.minimum(1.0, 0.999999 * self.radius / np.maximum(length, 1e-300)))

    def _units(self, values: Float) -> tuple[Float, Float, Float]:
        """Units of layers 1 and 2 before they are squared, and the outputs."""
        first = values @ self.weights[0].T + self.biases[0]
        second = first**2 @ self.weights[1].T + self.biases[1]
        return first, second, second**2 @ self.weights[2].T + self.biases[2]

    def _deviations(self, gains: tuple[float, float, float], values: Float) -> Float:
        """Standard deviation of the noise of each output at these inputs, shape (inputs, outputs)."""
        of_input, of_first, of_second = gains
        (w1, w2, w3), plain = self.weights, _PLAINTEXT_NOISE / NETWORK.weight_scale
        sealing, rescaling = _CIPHERTEXT_NOISE / NETWORK.input_scale, _CIPHERTEXT_NOISE / 2.0**29
        first, second, _ = self._units(values)
        z1, z2 = first * of_first, second * of_second
        x2 = (values**2).sum(axis=1)[:, None] * of_input**2
        var = plain**2 * x2 + sealing**2 * (w1**2).sum(axis=1) * (of_first / of_input) ** 2 + rescaling**2
        var = 4 * z1**2 * var + rescaling**2
        var = var @ (w2**2).T * (of_second / of_first**2) ** 2 + plain**2 * (z1**4).sum(axis=1)[:, None] + rescaling**2
        var = 4 * z2**2 * var + rescaling**2
        var = var @ (w3**2).T / of_second**4 + plain**2 * (z2**4).sum(axis=1)[:, None]
        return np.asarray(np.sqrt(var))

    def _refuse_overflow(self) -> None:
        """Units squared must stay below the modulus that is left; twice a unit's bound is what other slots can hold."""
        _, of_first, of_second = self.gains
        first, second = self.largest_units[0] * of_first, 2 * self.largest_units[1] * of_second
        if first.max() >= 2.0**20 or second.max() >= 2.0**14 or self.largest_outputs.max() >= 2.0**40:
            raise Incorrect("The units of this network could overflow; narrow its bounds or scale its weights down.")

    def _refuse_what_rounds_away(self) -> None:
        """A layer that is encoded as zero everywhere would be a product that SEAL refuses, at each evaluation."""
        for number, (layer, factor) in enumerate(zip(self.weights, self.factors, strict=True), 1):
            if np.abs(layer).max() * factor < _LEAST_WEIGHT:
                raise Incorrect(f"The weights of layer {number} are too small for profile {NETWORK.name}; scale it.")

    def _check_shapes(self) -> None:
        sizes = (len(self.inputs), *(len(bias) for bias in self.biases))
        if not all(1 <= size <= most for size, most in zip(sizes, (INPUTS, *UNITS, OUTPUTS), strict=True)):
            raise Incorrect(
                f"A network has at most {INPUTS} inputs, {UNITS[0]} and {UNITS[1]} units, {OUTPUTS} outputs."
            )
        shapes = [array.shape for array in (*self.weights, *self.biases, self.low, self.high)]
        layers = [(sizes[i + 1], sizes[i]) for i in range(3)]
        if shapes != [*layers, *((size,) for size in sizes[1:]), (sizes[0],), (sizes[0],)]:
            raise Incorrect("The arrays of a network do not have the shape that its layers say.")
        if len(self.outputs) != sizes[3] or len({*self.inputs}) != sizes[0] or len({*self.outputs}) != sizes[3]:
            raise Incorrect("A network names an input or an output twice, or not all of them.")
        arrays = (*self.weights, *self.biases, self.low, self.high)
        if any(array.dtype != np.float64 or not np.isfinite(array).all() for array in arrays):
            raise Incorrect("Bounds, weights and biases of a network must be finite float64.")
        if self.input_gain is not None and self.input_gain not in GAINS:
            raise Incorrect("The gain of a network's inputs is not a power of two that may be.")
        if (self.low > 0).any() or (self.high < 0).any() or not self.radius > 0:
            raise Incorrect("The bounds of a network's inputs must have zero within, and its radius be positive.")
        if not all(layer.any() for layer in self.weights):
            raise Incorrect("A layer of this network has no weight.")
