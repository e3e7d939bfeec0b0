"""Trajectories: matrices of a linear state-space model, and what follows from them for every step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import structs

from fhirtwin.ckks.circuits.trajectory import all_steps
from fhirtwin.ckks.panel import LARGEST_SUM
from fhirtwin.errors import Incorrect
from fhirtwin.packages import safetensors, strict_json
from fhirtwin.packages.forms.trajectory import (
    MatricesForm,
    StartForm,
    StartGoldenForm,
    TracedForm,
    TrajectoryForm,
    TrajectorySourceForm,
)
from fhirtwin.packages.kind import GOLDEN, PUBLIC, WEIGHTS
from fhirtwin.packages.kinds.trajectory import TrajectoryModel, start_of
from fhirtwin.packages.kinds.trajectory_rows import bounds
from fhirtwin.packages.makers.maker import LONGEST_BYTES, Draft, Float, Source, named, refuse_other

_LARGEST_SCALE_BITS = 40


def make(source: Source) -> Draft:
    """Make the content of a package of a trajectory.

    Weights are a JSON object of matrices, each a list of rows: `transition`, `readout`, and `drive` where there are
    inputs.
    """
    form = named(source.description, TrajectorySourceForm)
    public = TrajectoryForm(**{field: getattr(form, field) for field in TrajectoryForm.__struct_fields__})
    full = _steps(source, public)
    public, weights = _bounded(public, full)
    bare = TrajectoryModel((), "0" * 64, public, weights)
    golden = strict_json.of_file(source.golden, StartGoldenForm, LONGEST_BYTES)
    content = {
        PUBLIC: strict_json.write(public),
        GOLDEN: strict_json.write(StartGoldenForm(tuple(_answered(case, bare, weights) for case in golden.cases))),
        WEIGHTS: safetensors.write(weights),
    }
    return Draft(form.id, form.version, content)


def _steps(source: Source, public: TrajectoryForm) -> Float:
    """Of outputs at all steps in their units, shape (steps * outputs, states + inputs)."""
    found = strict_json.of_file(source.weights, MatricesForm, LONGEST_BYTES)
    states, inputs, outputs = len(public.states), len(public.inputs), len(public.outputs)
    transition = _matrix(found.transition, states, states, "transition")
    readout = _matrix(found.readout, outputs, states, "readout")
    drive = _matrix(found.drive or ((),) * states, states, inputs, "drive")
    return all_steps(transition, drive, readout, public.steps)


def _matrix(rows: Sequence[Sequence[float]], height: int, width: int, name: str) -> Float:
    if len(rows) != height or any(len(row) != width for row in rows):
        raise Incorrect(f"{name}: it must have {height} rows of {width} numbers, as states, inputs and outputs say.")
    return np.array(rows, dtype=np.float64).reshape(height, width)


def _bounded(public: TrajectoryForm, full: Float) -> tuple[TrajectoryForm, Float]:
    """The public half with scales, middles and bounds, and the weights of what is sealed."""
    low, high = bounds(public)
    weights = full * (high - low) / 2
    middles = (full @ ((high + low) / 2)).reshape(public.steps, -1)
    spread = np.abs(weights).sum(axis=1).reshape(public.steps, -1)
    outputs = [_worked_out(one, middles[:, at], spread[:, at]) for at, one in enumerate(public.outputs)]
    scales = np.tile([one.scale or 1.0 for one in outputs], public.steps)
    return structs.replace(public, outputs=tuple(outputs)), weights / scales[:, None]


def _worked_out(form: TracedForm, middles: Float, spread: Float) -> TracedForm:
    """An output with a scale that brings its largest sum just below what a panel may sum to, and bounds."""
    if not spread.all():
        raise Incorrect(f"Nothing weighs on output {form.name} at a step; leave it, or the step, out.")
    bits = min(max(math.ceil(math.log2(spread.max() / LARGEST_SUM)), -_LARGEST_SCALE_BITS), _LARGEST_SCALE_BITS)
    scale = 2.0**bits
    room = np.ceil(spread / scale * 4 + 1e-6) / 4 * scale
    return structs.replace(
        form,
        scale=scale,
        middles=tuple(middles.tolist()),
        least=tuple((middles - room).tolist()),
        greatest=tuple((middles + room).tolist()),
    )


def _answered(case: StartForm, bare: TrajectoryModel, weights: Float) -> StartForm:
    rows = (weights @ start_of(case, bare) * bare.scales + bare.middles).reshape(bare.public.steps, -1)
    right = {one.name: tuple(rows[:, at].tolist()) for at, one in enumerate(bare.public.outputs)}
    for name, told in (case.outputs or {}).items():
        if name not in right or len(told) != bare.public.steps:
            raise Incorrect(f"golden.json: {case.name}: output {name} is not there, or not at all steps.")
        for step, (one, given) in enumerate(zip(right[name], told, strict=True), 1):
            refuse_other(f"golden.json: {case.name}: output {name}, step {step},", one, given)
    return structs.replace(case, outputs=right)
