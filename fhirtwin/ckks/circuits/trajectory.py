"""All time steps of a linear state-space model as one product.

A model x(t+1) = A·x(t) + B·u, y(t) = C·x(t) with inputs u that are held is linear in where it starts and in what is
held: y(t) = C·A^t·x(0) + C·(A^(t-1) + ... + A + I)·B·u. So the whole trajectory is a panel: a row for each step and
output, a feature for each state and input. It lies as tables do, in sparse mode, which has room for 24 steps of 8
outputs; the probe that goes with patients' panels would take as many slots again.

Outputs are in units of their own, and the sums of a panel are bounded. So each output is divided by a power of two that
brings its largest sum just below the bound; it says how precise the output is.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks import packing
from fhirtwin.ckks.declared import OF_PANELS
from fhirtwin.ckks.panel import LARGEST_SUM, Panel
from fhirtwin.ckks.profiles import SPARSE, Profile
from fhirtwin.ckks.sealed import Scores
from fhirtwin.errors import Fault, Incorrect

Float = NDArray[np.float64]

_MOST_STEPS = 1000
_LARGEST_SCALE_BITS = 40


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A linear state-space model over so many steps.

    Attributes:
        states, inputs, outputs: names. There must be states and outputs; there need be no inputs.
        low, high: bounds of the states at the start and then of the inputs, inclusive.
        transition: A, shape (states, states).
        drive: B, shape (states, inputs).
        readout: C, shape (outputs, states).
        steps: how many; the first that is told is one step after the start.
        tolerances: how far each output may be off, before rounding, in its own unit.

    Raises:
        Incorrect: shapes or numbers are wrong, an output could be off by more than it may, or, as for every panel, a
            row has no weight.
    """

    states: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    low: Float
    high: Float
    transition: Float
    drive: Float
    readout: Float
    steps: int
    tolerances: tuple[float, ...]

    declared: ClassVar = OF_PANELS[SPARSE.name]

    def __post_init__(self) -> None:
        self._check_shapes()
        self.panel.check()

    @cached_property
    def panel(self) -> Panel:
        """The rows `1:<output>` to `<steps>:<output>` over states and inputs."""
        names = tuple(f"{step}:{output}" for step in range(1, self.steps + 1) for output in self.outputs)
        weights = self._weights / np.tile(self.scales, self.steps)[:, None]
        features = tuple(f"state {name}" for name in self.states) + tuple(f"input {name}" for name in self.inputs)
        return Panel(features, self.low, self.high, names, weights)

    @cached_property
    def scales(self) -> Float:
        """Powers of two that outputs are divided by, shape (outputs,)."""
        sums = np.abs(self._weights) @ np.maximum(np.abs(self.low), np.abs(self.high))
        largest = sums.reshape(self.steps, -1).max(axis=0)
        bits = np.ceil(np.log2(np.where(largest > 0, largest, 1.0) / LARGEST_SUM))
        return np.asarray(2.0 ** np.clip(bits, -_LARGEST_SCALE_BITS, _LARGEST_SCALE_BITS), dtype=np.float64)

    def errors(self, profile: Profile) -> Float:
        """How far each output may be off, before rounding, in its own unit."""
        return self.scales * profile.error

    def step_of(self, output: str, profile: Profile) -> Decimal:
        """What the vault rounds an output to, in its own unit."""
        return profile.step * Decimal(float(self.scales[self.outputs.index(output)]))

    def check(self, profile: Profile) -> None:
        """Refuse a model that would be less precise under a profile than it must be, or does not fit.

        Raises:
            Incorrect: it would; the text names the output.
        """
        packing.layout(self.panel, profile)
        for name, error, tolerance in zip(self.outputs, self.errors(profile), self.tolerances, strict=True):
            if not error <= tolerance:
                raise Incorrect(
                    f"Output {name} could be off by {error:.2g}, more than the {tolerance:.2g} that it may; narrow the "
                    "bounds of states and inputs, or centre them."
                )

    def read(self, scores: Scores) -> dict[str, tuple[Decimal, ...]]:
        """Outputs in their own units, each over all steps.

        Raises:
            Fault: the scores are of another model.
        """
        if scores.panel_digest != self.panel.digest:
            raise Fault("These scores are of another model.")
        return {
            name: tuple(scores.values[f"{step}:{name}"] * Decimal(float(scale)) for step in range(1, self.steps + 1))
            for name, scale in zip(self.outputs, self.scales, strict=True)
        }

    @cached_property
    def _weights(self) -> Float:
        """Of outputs in their own units, shape (steps * outputs, states + inputs)."""
        return all_steps(self.transition, self.drive, self.readout, self.steps)

    def _check_shapes(self) -> None:
        states, inputs, outputs = len(self.states), len(self.inputs), len(self.outputs)
        if not (states and outputs and 1 <= self.steps <= _MOST_STEPS):
            raise Incorrect(f"A trajectory needs a state, an output and from 1 to {_MOST_STEPS} steps.")
        shapes = (self.transition.shape, self.drive.shape, self.readout.shape, self.low.shape, self.high.shape)
        if shapes != ((states, states), (states, inputs), (outputs, states), *[(states + inputs,)] * 2):
            raise Incorrect("The arrays of a trajectory do not have the shape that its names say.")
        arrays = (self.transition, self.drive, self.readout, self.low, self.high)
        if any(array.dtype != np.float64 or not np.isfinite(array).all() for array in arrays):
            raise Incorrect("Bounds and matrices of a trajectory must be finite float64.")
        if len(self.tolerances) != outputs or not all(0 < one < np.inf for one in self.tolerances):
            raise Incorrect("Every output of a trajectory needs a tolerance.")
        if len(set(self.outputs)) != outputs:
            raise Incorrect("A trajectory names an output twice.")


def all_steps(transition: Float, drive: Float, readout: Float, steps: int) -> Float:
    """What the outputs at every step weigh of states at the start and of inputs, in their own units.

    Args:
        transition: A, shape (states, states).
        drive: B, shape (states, inputs).
        readout: C, shape (outputs, states).
        steps: how many.

    Returns:
        Step by step, shape (steps * outputs, states + inputs).

    Raises:
        Incorrect: they grow beyond all bounds.
    """
    rows, power, reached = [], np.eye(len(transition)), np.zeros_like(drive)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            reached = reached + power @ drive
            power = transition @ power
            rows.append(readout @ np.hstack([power, reached]))
    weights = np.vstack(rows)
    if not np.isfinite(weights).all() or np.abs(weights).max() > 2.0**_LARGEST_SCALE_BITS:
        raise Incorrect("This model grows beyond all bounds within its steps.")
    return weights
