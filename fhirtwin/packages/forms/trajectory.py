"""The forms of a package of a trajectory."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from fhirtwin.packages.forms.form import Form, Name, Number, Version, Words

MOST_QUANTITIES = 64
MOST_STEPS = 1000

Positive = Annotated[float, Meta(gt=0, le=1e9)]
Scale = Annotated[float, Meta(ge=2.0**-40, le=2.0**40)]
Steps = Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MOST_STEPS)]
Line = Annotated[tuple[Number, ...], Meta(max_length=MOST_QUANTITIES)]
Matrix = Annotated[tuple[Line, ...], Meta(min_length=1, max_length=MOST_QUANTITIES)]


class QuantityForm(Form, frozen=True):
    """A state at the start, or an input that is held: what it is, and the range that the model was made for."""

    name: Name
    label: Words
    unit: Words
    low: Number
    high: Number


class TracedForm(Form, frozen=True):
    """An output that is told at every step. What packing works out is left out of a description.

    Attributes:
        tolerance: how far it may be off, before rounding, in its unit.
        scale: power of two that it is divided by before it is sealed.
        middles: what it is at each step when all states and inputs are in the middle of their ranges.
        least, greatest: what it lies between at each step, in its unit.
    """

    name: Name
    label: Words
    unit: Words
    tolerance: Positive
    scale: Scale | None = None
    middles: Steps | None = None
    least: Steps | None = None
    greatest: Steps | None = None


class TrajectoryForm(Form, frozen=True):
    """The public half.

    Attributes:
        source: where the model is described, with a link.
        population: of whom it was made, and in whom it was looked at.
        step: how far steps are apart, in words (`1 h`); the first that is told is one step after the start.
        steps: how many.
    """

    title: Words
    source: Words
    population: Words
    step: Words
    steps: Annotated[int, Meta(ge=1, le=MOST_STEPS)]
    states: Annotated[tuple[QuantityForm, ...], Meta(min_length=1, max_length=MOST_QUANTITIES)]
    outputs: Annotated[tuple[TracedForm, ...], Meta(min_length=1, max_length=MOST_QUANTITIES)]
    inputs: Annotated[tuple[QuantityForm, ...], Meta(max_length=MOST_QUANTITIES)] = ()

    @property
    def quantities(self) -> tuple[QuantityForm, ...]:
        """States and then inputs: what is sealed, in this order."""
        return (*self.states, *self.inputs)


class TrajectorySourceForm(TrajectoryForm, frozen=True):
    """What an owner writes and packs."""

    id: Name = ""
    version: Version = ""


class MatricesForm(Form, frozen=True):
    """Lists of rows, which stay with the engine: x(t+1) = transition x(t) + drive u, y(t) = readout x(t)."""

    transition: Matrix
    readout: Matrix
    drive: Matrix | None = None


class StartForm(Form, frozen=True):
    """A case whose answer is known, of nobody.

    Attributes:
        values: of all states and inputs, by name.
        outputs: by name, at all steps; packing works them out when they are not given.
        source: where it is from.
    """

    name: Words
    values: Annotated[dict[Name, Number], Meta(max_length=2 * MOST_QUANTITIES)]
    outputs: dict[Name, Steps] | None = None
    source: Words = ""


class StartGoldenForm(Form, frozen=True):
    """The golden cases of a trajectory."""

    cases: Annotated[tuple[StartForm, ...], Meta(min_length=1, max_length=64)]
