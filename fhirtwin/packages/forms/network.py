"""The form of the public half of a network."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from fhirtwin.ckks.hidden_network import INPUTS, UNITS
from fhirtwin.packages.forms.predictive import PublicForm

Ends = Annotated[tuple[Annotated[float, Meta(ge=-1e6, le=1e6)], ...], Meta(min_length=1, max_length=INPUTS)]


class NetworkForm(PublicForm, frozen=True):
    """The public half. Features are the inputs of the network; rows its outputs, least and greatest of one magnitude.

    Attributes:
        units: of the two layers that are squared.
        centre, scale: what is taken away from features, and what the rest is divided by.
        lowest, highest: bounds of what comes of that.
        radius: its largest Euclidean length.
        input_gain: power of two that it is multiplied by before it is sealed.
    """

    units: tuple[Annotated[int, Meta(ge=1, le=UNITS[0])], Annotated[int, Meta(ge=1, le=UNITS[1])]]
    centre: Ends
    scale: Ends
    lowest: Ends
    highest: Ends
    radius: Annotated[float, Meta(gt=0, le=1e6)]
    input_gain: float
