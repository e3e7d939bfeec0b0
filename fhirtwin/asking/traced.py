"""A trajectory is asked: what follows from a start and from inputs that are held, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from fhirtwin.asking.answer import Answer, Taken, Told
from fhirtwin.asking.question import opened
from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.packages.kinds.trajectory import TrajectoryModel
from fhirtwin.vault import Golden, Send


def ask(model: TrajectoryModel, values: Mapping[str, float], send: Send, golden: Golden) -> Answer:
    """The outputs at all steps, for values of all states at the start and of all inputs.

    Raises:
        Incorrect: the values are of others.
        Unprocessable: one is outside the range of the model.
    """
    public, quantities = model.public, model.public.quantities
    if values.keys() != (names := {one.name for one in quantities}):
        raise Incorrect(f"This model takes exactly {', '.join(sorted(names))}; nothing is assumed.")
    for one in quantities:
        if not one.low <= values[one.name] <= one.high:
            raise Unprocessable(
                f"{one.label} is outside {one.low:g} to {one.high:g} {one.unit}, the range of this model; nothing was "
                "calculated."
            )
    profile, sums = opened(model, np.clip(model.given(values), -1.0, 1.0), send, golden)
    told = []
    for output, scale in zip(public.outputs, model.scales.tolist(), strict=False):
        step = profile.step * Decimal(scale)
        steps = (sums[f"{number}:{output.name}"] for number in range(1, public.steps + 1))
        shown = tuple(_shown(value, step) for value in steps)
        told.append(Told(output.name, output.label, shown, output.unit, f"to {step:f}"))
    notes = (
        f"{public.steps} steps of {public.step}; the first is one step after the start, and inputs are held.",
        f"Made of: {public.population}.",
    )
    taken = tuple(Taken.of(one.name, values[one.name], one.unit) for one in quantities)
    return Answer(profile.name, tuple(told), notes, taken)


def _shown(value: Decimal, step: Decimal) -> Decimal:
    """A value with as many digits as its rounding leaves it."""
    place = Decimal(1).scaleb(min(step.log10().to_integral_value(ROUND_FLOOR), Decimal(0)))
    return value.quantize(place)
