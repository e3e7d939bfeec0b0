"""Fits a network with squares for activations to numbers that a teacher gave.

Two things differ from fitting other small networks. Units start away from zero, for a square has no slope there. And
what the network does where there are no data matters, since its error under encryption is judged over everything that
may be sealed, and a polynomial of degree four runs away there. So beside the rows a few vectors are driven, step by
step, to wherever the network says most or least, and there it is taught to say no more than the teacher ever did.

It is plain numpy: the largest network has 5,300 weights, and a step of it takes less time than a library's call.

*Source*: Kingma and Ba, Adam, https://arxiv.org/abs/1412.6980; decoupled decay of Loshchilov and Hutter,
https://arxiv.org/abs/1711.05101.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Layers = tuple[Float, Float, Float]

_START = 0.5
_BATCH = 128
_RATE = 3e-3
_LARGEST_STEP = 5.0
_FAR = 64
_LARGEST_MISS = 3.0
"""In standard deviations of the teacher: beyond it a miss pulls no harder, so that single rows do not rule."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Of the three layers.

    Attributes:
        weights: each (units, inputs of the layer).
        biases: each (units,).
    """

    weights: Layers
    biases: Layers

    def outputs(self, rows: Float) -> Float:
        """What the network says of rows, shape (rows, outputs)."""
        return _forward(self._all, rows)[-1]

    @property
    def _all(self) -> list[Float]:
        return [*self.weights, *self.biases]

    def stretched(self, by: Float, and_plus: Float) -> Weights:
        """The network whose outputs are multiplied by numbers and have others added, shape (outputs,) each."""
        first, second, third = self.weights
        one, two, three = self.biases
        return Weights((first, second, third * by[:, None]), (one, two, three * by + and_plus))


@dataclass(frozen=True, eq=False)
class Room:
    """All that may be sealed.

    Attributes:
        low, high: bounds of the inputs.
        radius: the largest Euclidean length of a vector.
    """

    low: Float
    high: Float
    radius: float

    def admitted(self, rows: Float) -> Float:
        """Bring vectors into it."""
        inside = np.clip(rows, self.low, self.high)
        length = np.linalg.norm(inside, axis=1, keepdims=True)
        return np.asarray(inside * np.minimum(1.0, self.radius / np.maximum(length, 1e-300)))

    def holds(self, rows: Float) -> NDArray[np.bool_]:
        """Which vectors lie in it."""
        bounded = ((rows >= self.low) & (rows <= self.high)).all(axis=1)
        return np.asarray(bounded & (np.linalg.norm(rows, axis=1) <= self.radius))


def fit(
    rows: Float, told: Float, room: Room, units: tuple[int, int], decay: float, share: float, epochs: int, seed: int
) -> Weights:
    """Fit a network.

    Args:
        rows: of inputs, centred and scaled.
        room: beyond which nothing will be sealed.
        told: by the teacher, centred and scaled, shape (rows, outputs).
        units: of the two layers that are squared.
        decay: of weights, as a share of each step's rate.
        share: what one unit may say, in standard deviations of the teacher, before it is held back.
        epochs: how often every row is seen.
        seed: the same gives the same network.
    """
    draw = np.random.default_rng(seed)
    sizes = (rows.shape[1], *units, told.shape[1])
    parameters = [draw.normal(size=(sizes[i + 1], sizes[i])) * _START / np.sqrt(sizes[i]) for i in range(3)]
    parameters += [np.full(sizes[1], _START), np.full(sizes[2], _START), np.zeros(sizes[3])]
    adam = _Adam([np.zeros_like(one) for one in parameters], [np.zeros_like(one) for one in parameters])
    far = _Far.start(room, units[1], told, draw)
    for epoch in range(epochs):
        rate = _RATE * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = draw.permutation(len(rows))
        for start in range(0, len(rows), _BATCH):
            some = order[start : start + _BATCH]
            far.drive(parameters)
            at_far, said = far.limited(parameters)
            slopes = _slopes(parameters, np.vstack([rows[some], at_far]), np.vstack([told[some], said]))
            held = _slopes_of_units(parameters, far.by_unit, share)
            both = [one + other for one, other in zip(slopes, held, strict=True)]
            adam.step(parameters, both, rate, decay)
    w1, w2, w3, b1, b2, b3 = parameters
    return Weights((w1, w2, w3), (b1, b2, b3))


def _forward(parameters: Sequence[Float], rows: Float) -> tuple[Float, Float, Float]:
    """Units of layers 1 and 2 before they are squared, and the outputs."""
    w1, w2, w3, b1, b2, b3 = parameters
    first = rows @ w1.T + b1
    second = first**2 @ w2.T + b2
    return first, second, second**2 @ w3.T + b3


@dataclass
class _Far:
    """Vectors that are driven to where an output, or a unit of layer 2, is largest or least.

    Attributes:
        room: that they stay in.
        by_output: half of them raise a mixture of outputs, half lower one.
        sides: the mixtures.
        by_unit: one that raises each unit, then one that lowers each.
        least, most: what the teacher ever said.
    """

    room: Room
    by_output: Float
    sides: Float
    by_unit: Float
    least: Float
    most: Float

    @classmethod
    def start(cls, room: Room, units: int, told: Float, draw: np.random.Generator) -> _Far:
        """Begin anywhere."""
        outputs, inputs = told.shape[1], room.low.size
        far = room.admitted(draw.normal(size=(_FAR + 2 * units, inputs)) * room.radius)
        sides = draw.choice([-1.0, 1.0], (_FAR, outputs))
        return cls(room, far[:_FAR], sides, far[_FAR:], told.min(axis=0), told.max(axis=0))

    def drive(self, parameters: Sequence[Float]) -> None:
        """Take a step to where a linear network of the same slopes would say most, or least."""
        w1, w2, w3, *_ = parameters
        first, second, _ = _forward(parameters, self.by_output)
        self.by_output = self._on(self.by_output, ((self.sides @ w3 * 2 * second) @ w2 * 2 * first) @ w1)
        first, *_ = _forward(parameters, self.by_unit)
        self.by_unit = self._on(self.by_unit, (np.vstack([w2, -w2]) * 2 * first) @ w1)

    def limited(self, parameters: Sequence[Float]) -> tuple[Float, Float]:
        """The vectors that are driven by outputs, and what the network says of them, held to what the teacher said."""
        return self.by_output, np.clip(_forward(parameters, self.by_output)[-1], self.least, self.most)

    def _on(self, vectors: Float, slope: Float) -> Float:
        length = np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-300)
        return self.room.admitted(0.75 * (vectors + slope / length * self.room.radius))


def _slopes_of_units(parameters: Sequence[Float], far: Float, most: float) -> list[Float]:
    """As `_slopes`, of what units add to outputs beyond a limit, squared: units must not be large to cancel out."""
    _, w2, w3, *_ = parameters
    first, second, _ = _forward(parameters, far)
    weight = np.linalg.norm(w3, axis=0)
    beyond = np.clip(weight * second**2 - most, 0.0, _LARGEST_MISS) * (2 / len(far))
    at_second = beyond * weight * 2 * second
    at_first = at_second @ w2 * 2 * first
    of_third = (beyond * second**2).sum(axis=0) / np.maximum(weight, 1e-300) * w3
    of_weights = [at_first.T @ far, at_second.T @ first**2, of_third]
    return [*of_weights, at_first.sum(axis=0), at_second.sum(axis=0), np.zeros(len(w3))]


def _slopes(parameters: Sequence[Float], rows: Float, told: Float) -> list[Float]:
    """How the loss, squared misses of which large ones are linear, changes with each weight and bias."""
    _, w2, w3, *_ = parameters
    first, second, outputs = _forward(parameters, rows)
    miss = np.clip(outputs - told, -_LARGEST_MISS, _LARGEST_MISS) * (2 / len(rows))
    at_second = miss @ w3 * 2 * second
    at_first = at_second @ w2 * 2 * first
    of_weights = [at_first.T @ rows, at_second.T @ first**2, miss.T @ second**2]
    return [*of_weights, at_first.sum(axis=0), at_second.sum(axis=0), miss.sum(axis=0)]


@dataclass
class _Adam:
    """Steps of Adam, with decay of weights beside it and the whole slope shortened when it is too long."""

    means: list[Float]
    squares: list[Float]
    taken: int = 0

    def step(self, parameters: list[Float], slopes: list[Float], rate: float, decay: float) -> None:
        """Change the parameters, in place."""
        self.taken += 1
        length = float(np.sqrt(sum(float((slope**2).sum()) for slope in slopes)))
        shorter = min(1.0, _LARGEST_STEP / max(length, 1e-300))
        fresh = (1 - 0.9**self.taken, 1 - 0.999**self.taken)
        for place, one in enumerate(parameters):
            slope, mean, square = slopes[place] * shorter, self.means[place], self.squares[place]
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            kept = 1 - rate * decay if one.ndim > 1 else 1.0
            one[...] = one * kept - rate * (mean / fresh[0]) / (np.sqrt(square / fresh[1]) + 1e-8)
