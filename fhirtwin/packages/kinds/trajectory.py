"""Trajectories: all steps of a linear state-space model, in as many panels as they need.

What is sealed of each state and input is how far it is from the middle of its range, as a share of half of it. So the
weights of a step are those of the model times half of each range, and what the middles come to is added after opening.
Each output is divided by a power of two that keeps its sums within what a panel may sum to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Final

import numpy as np

from fhirtwin.ckks import noise, packing
from fhirtwin.ckks.declared import Declared
from fhirtwin.ckks.hidden import HiddenPanel
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.manifest import Manifest
from fhirtwin.packages.forms.trajectory import StartForm, StartGoldenForm, TrajectoryForm
from fhirtwin.packages.golden import refuse_twice
from fhirtwin.packages.kind import (
    GOLDEN,
    PUBLIC,
    WEIGHTS,
    AsPanel,
    Case,
    Float,
    Kind,
    Model,
    needed,
    part_digest,
    refuse_unsaid,
)
from fhirtwin.packages.kinds.trajectory_rows import (
    at_all_steps,
    bounds,
    by_row,
    parts_of,
    refuse_misnamed,
    rows_of,
    worked_out,
)

TOLERANCE: Final = 1e-9
"""How far an output of a golden case may be from what is reckoned here, relative to its scale."""


@dataclass(frozen=True, eq=False)
class TrajectoryModel(Model):
    """A trajectory.

    Attributes:
        cases: starts of nobody, each with all outputs at all steps, in their units.
        hash: of the model.
        public: as it was read.
        weights: shape (steps times outputs, states and inputs); None in the public half.
    """

    hash: str
    public: TrajectoryForm
    weights: Float | None

    @property
    def told(self) -> int:
        """The rank of the cases, and the middles, which are one more."""
        return 1 + int(np.linalg.matrix_rank(np.array([case.given for case in self.cases])))

    @property
    def secrets(self) -> int:
        """A weight of each state and input, in each row, and what the middles come to; a case has a sum of each row."""
        return 1 + len(self.public.quantities)

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """What opens, `1:<output>` to `<steps>:<output>`."""
        return rows_of(self.public)

    @cached_property
    def scales(self) -> Float:
        """What each row is divided by."""
        return np.tile([worked_out(one.scale) for one in self.public.outputs], self.public.steps)

    @cached_property
    def middles(self) -> Float:
        """What each row is, in the unit of its output, when everything is in the middle of its range."""
        return by_row([at_all_steps(one, one.middles, self.public.steps) for one in self.public.outputs])

    def given(self, values: Mapping[str, float]) -> Float:
        """What is sealed of values, in the order of the quantities: shares of half of each range, from -1 to 1."""
        low, high = bounds(self.public)
        asked = np.array([values[one.name] for one in self.public.quantities])
        return (asked - (high + low) / 2) / ((high - low) / 2)

    def hidden(self) -> tuple[HiddenPanel, ...]:
        """The panels as a gateway knows them."""
        least, greatest = (self._sums_of(bound) for bound in self._bounds_of_rows())
        answers = np.array([self._sums_of(np.array([case.answers[row] for row in self.rows])) for case in self.cases])
        ones = np.ones(len(self.public.quantities))
        return tuple(
            HiddenPanel(
                features=self._features,
                low=-ones,
                high=ones,
                rows=self.rows[part],
                digest=part_digest(self.hash, number),
                least=least[part],
                greatest=greatest[part],
                cases=np.array([case.given for case in self.cases]),
                answers=answers[:, part],
            )
            for number, part in enumerate(self._parts)
        )

    def served(self) -> tuple[AsPanel, ...]:
        """The panels with their weights, which must be here."""
        weights = needed(self.weights)
        ones = np.ones(len(self.public.quantities))
        return tuple(
            AsPanel(
                Panel(
                    self._features, -ones, ones, self.rows[part], weights[part],
                    package=part_digest(self.hash, number),
                ),
                MASKED,
            )
            for number, part in enumerate(self._parts)
        )  # fmt: skip

    @property
    def _features(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.public.quantities)

    @property
    def _parts(self) -> tuple[slice, ...]:
        return parts_of(len(self.rows), len(self.public.quantities))

    def _sums_of(self, outputs: Float) -> Float:
        """What a panel sums to for outputs in their units."""
        return np.asarray((outputs - self.middles) / self.scales)

    def _bounds_of_rows(self) -> tuple[Float, Float]:
        steps, outputs = self.public.steps, self.public.outputs
        return (
            by_row([at_all_steps(one, one.least, steps) for one in outputs]),
            by_row([at_all_steps(one, one.greatest, steps) for one in outputs]),
        )


class TrajectoryKind(Kind):
    """Read as weights of the panels, not as matrices: powers of a matrix differ in the last bit between machines."""

    name = "trajectory"
    declared: ClassVar = Declared(
        MASKED,
        1,
        "two states or inputs a slot, as a complex number, a slot for every pair of them in each output of each step; "
        "in as many ciphertexts as steps need; a probe beside them. The vault adds up",
    )
    longest: ClassVar = {PUBLIC: 2_000_000, GOLDEN: 2_000_000, WEIGHTS: 20_000_000}

    def read(self, files: Mapping[str, bytes], manifest: Manifest, model_hash: str) -> TrajectoryModel:
        """Read a trajectory."""
        public = strict_json.read(files[PUBLIC], TrajectoryForm, PUBLIC)
        refuse_unsaid(public.source)
        refuse_misnamed(public)
        rows, columns = public.steps * len(public.outputs), len(public.quantities)
        weights = safetensors.read(files[WEIGHTS], rows, columns) if WEIGHTS in files else None
        golden = strict_json.read(files[GOLDEN], StartGoldenForm, GOLDEN)
        bare = TrajectoryModel((), model_hash, public, weights)
        found = replace(bare, cases=_cases(golden, bare))
        hidden = found.hidden()
        for panel in hidden:
            packing.layout(panel, MASKED)
        if weights is not None:
            _refuse_loose(found, hidden)
        return found


def start_of(form: StartForm, bare: TrajectoryModel) -> Float:
    """What is sealed of a case.

    Raises:
        Incorrect: it has not exactly the states and inputs, or one out of range.
    """
    quantities = bare.public.quantities
    if form.values.keys() != {one.name for one in quantities}:
        raise Incorrect(f"golden.json: {form.name} must give every state and input, and nothing else.")
    for one in quantities:
        if not one.low <= form.values[one.name] <= one.high:
            raise Incorrect(f"golden.json: {form.name} gives {one.name} a value out of its range.")
    start = np.clip(bare.given(form.values), -1.0, 1.0)  # rounding at an end of a range
    if not start.any():
        raise Incorrect(f"golden.json: {form.name} has all in the middle. That is sealed as zeros and tells nothing.")
    return start


def _cases(golden: StartGoldenForm, bare: TrajectoryModel) -> tuple[Case, ...]:
    refuse_twice([case.name for case in golden.cases])
    return tuple(_case(form, bare) for form in golden.cases)


def _case(form: StartForm, bare: TrajectoryModel) -> Case:
    public = bare.public
    names = [one.name for one in public.outputs]
    if form.outputs is None or form.outputs.keys() != set(names):
        raise Incorrect(f"golden.json: {form.name} must give every output.")
    if any(len(form.outputs[name]) != public.steps for name in names):
        raise Incorrect(f"golden.json: {form.name} must give every output at all {public.steps} steps.")
    answers = by_row([form.outputs[name] for name in names])
    start = start_of(form, bare)
    if bare.weights is not None:
        off = np.abs(bare.weights @ start * bare.scales + bare.middles - answers)
        # Written so that a NaN fails.
        if not (off <= TOLERANCE * (bare.scales + np.abs(answers))).all():
            raise Incorrect(f"golden.json: the weights give other outputs for {form.name} than it says.")
    return Case(form.name, start, dict(zip(bare.rows, answers.tolist(), strict=True)))


def _refuse_loose(found: TrajectoryModel, hiddens: tuple[HiddenPanel, ...]) -> None:
    """Refuse weights that could overflow or be off, or whose sums leave the bounds that are declared for them."""
    for part, hidden in zip(found.served(), hiddens, strict=True):
        packing.layout(part.panel, MASKED)
        errors = noise.error_of(part.panel, MASKED)
        if not (errors <= MASKED.error).all():
            raise Incorrect("An output could be off by more than it may under encryption; narrow the ranges.")
        least, greatest = part.panel.range()
        if (least < hidden.least).any() or (greatest > hidden.greatest).any():
            raise Incorrect("An output can leave the bounds that public.json declares for it.")
