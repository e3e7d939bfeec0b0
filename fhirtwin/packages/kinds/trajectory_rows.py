"""What both who packs a trajectory and who reads it must agree on: rows, parts, and what the public half must say."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from fhirtwin.ckks.profiles import MASKED
from fhirtwin.errors import Incorrect
from fhirtwin.packages.forms.trajectory import TracedForm, TrajectoryForm
from fhirtwin.packages.kind import Float

MOST_PARTS: Final = 16
"""Ciphertexts of one question, at most."""


def rows_of(public: TrajectoryForm) -> tuple[str, ...]:
    """Names of the rows, step by step."""
    return tuple(f"{step}:{one.name}" for step in range(1, public.steps + 1) for one in public.outputs)


def bounds(public: TrajectoryForm) -> tuple[Float, Float]:
    """Ranges of states and inputs."""
    return np.array([one.low for one in public.quantities]), np.array([one.high for one in public.quantities])


def by_row(told_of: list[tuple[float, ...]]) -> Float:
    """Numbers of each output at all steps, put in the order of rows."""
    return np.array(told_of).T.reshape(-1)


def parts_of(rows: int, quantities: int) -> tuple[slice, ...]:
    """Which rows go in one ciphertext: beside each of them lies one of a probe, and each takes a slot for two features.

    Raises:
        Incorrect: they would be too many.
    """
    each = MASKED.slots // 2 // ((quantities + 1) // 2)
    count = -(-rows // each)
    if count > MOST_PARTS:
        raise Incorrect(
            f"This trajectory would take {count} ciphertexts, and {MOST_PARTS} are the most; take fewer steps."
        )
    return tuple(slice(start, min(start + each, rows)) for start in range(0, rows, each))


def error_of(form: TracedForm) -> float:
    """How far an output may be off, before rounding, in its unit."""
    return worked_out(form.scale) * MASKED.error


def refuse_misnamed(public: TrajectoryForm) -> None:
    """Refuse names that are there twice, ranges that are none, scales that are no powers of two, and loose tolerances.

    Raises:
        Incorrect: there is such; the text names it.
    """
    for names in ([one.name for one in public.quantities], [one.name for one in public.outputs]):
        for name in names:
            if names.count(name) > 1:
                raise Incorrect(f"public.json: {name} is there twice.")
    for one in public.quantities:
        if not one.low < one.high or one.high - one.low < 1e-9:
            raise Incorrect(f"public.json: {one.name} needs a range, its low below its high.")
    for output in public.outputs:
        if math.frexp(worked_out(output.scale))[0] != 0.5:
            raise Incorrect(f"public.json: the scale of {output.name} is no power of two.")
        if not error_of(output) <= output.tolerance:
            raise Incorrect(
                f"Output {output.name} could be off by {error_of(output):.2g}, more than the "
                f"{output.tolerance:.2g} that it may; narrow the ranges of states and inputs."
            )


def at_all_steps(form: TracedForm, numbers: tuple[float, ...] | None, steps: int) -> tuple[float, ...]:
    """Numbers that packing works out, one for each step.

    Raises:
        Incorrect: they are not there, or not so many.
    """
    if numbers is None or len(numbers) != steps:
        raise Incorrect(
            f"public.json: output {form.name} needs middles and bounds of all steps; `fhirtwin model pack` makes them."
        )
    return numbers


def worked_out(number: float | None) -> float:
    """A number that packing works out.

    Raises:
        Incorrect: it is not there.
    """
    if number is None:
        raise Incorrect("public.json: an output has no scale; `fhirtwin model pack` works it out.")
    return number
