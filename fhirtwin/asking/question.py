"""What somebody gives to ask a model, and the way there and back, the same for every kind."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.packages.kind import Model
from fhirtwin.vault import Golden, Keyring, Send, Shelf, asking
from fhirtwin.vault import golden as golden_cases

WRONG: Final = "The engine's answer is wrong and was thrown away; nothing was calculated."

Float = NDArray[np.float64]
Given = Mapping[str, bool | float | str]


def numbers(values: Given) -> dict[str, float]:
    """Values that are all numbers.

    Raises:
        Incorrect: one is none; the text names it.
    """
    for name, value in values.items():
        if isinstance(value, (bool, str)):
            raise Incorrect(f"{name[:80]} takes a number.")
    return {name: float(value) for name, value in values.items()}


def opened(model: Model, given: Float, send: Send, golden: Golden) -> tuple[Profile, Mapping[str, Decimal]]:
    """Seal, have evaluated, open: under which parameters, and what came of it.

    Args:
        model: whose answers are opened.
        given: what its kind takes.
        send: the way to the engine.
        golden: says when a golden case goes beside, where answers have no probe.

    Raises:
        EngineAnswerWrong: an answer fails a check; nobody is told which.
        EngineUnavailable, EngineLacksModel: as for a courier.
    """
    asks = asking(model, Keyring(Shelf()))
    beside = golden_cases.NONE if model.is_probed else golden
    try:
        return asks.profile, beside.beside(lambda: asks.ask(given, send), lambda: golden_cases.judge(asks, model, send))
    except EngineAnswerWrong:
        raise EngineAnswerWrong(WRONG) from None
