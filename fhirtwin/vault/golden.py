"""Golden cases among what is asked: sealed as a patient is and sent the same road, so an engine cannot part the two.

For circuits whose ciphertexts have no room for a probe. `docs/probes.md` has the figures.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeVar

from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.packages.kind import Model
from fhirtwin.vault.asking import Asking
from fhirtwin.vault.sending import Send

REFUSED: Final = "The answer of the engine to a golden case of a model is wrong."

Told = TypeVar("Told")

_RANDOM = secrets.SystemRandom()


class Golden:
    """Says when a golden case goes with what is asked, and where. Threads may share it.

    Whatever an engine knows of the calls before, the next is a golden case with a chance of `share` at least. At a half
    each call has one beside it, before or after with equal chances.

    Args:
        share: how many of all calls are golden cases, from 0 to a half.
        draw: gives numbers from 0 to 1 that an engine cannot foresee.
    """

    def __init__(self, share: float, draw: Callable[[], float] = _RANDOM.random) -> None:
        self._before, self._after = share, share * share / (1.0 - share)
        self._draw = draw

    def beside(self, ask: Callable[[], Told], probe: Callable[[], object]) -> Told:
        """Ask, and perhaps ask a golden case before it or after it.

        Nothing is told unless all that was asked came out right: what either raises is raised.
        """
        drawn = self._draw()
        if drawn < self._before:
            probe()
        told = ask()
        if self._before <= drawn < self._before + self._after:
            probe()
        return told


NONE: Final = Golden(0.0)
"""Golden cases never."""


def judge(asks: Asking, model: Model, send: Send) -> None:
    """Ask a golden case of a model, drawn at random, and hold the answer against the package's.

    Raises:
        EngineAnswerWrong: it is another by more than noise and rounding can make it, or fails a check.
        EngineUnavailable, EngineLacksModel: as for a patient.
    """
    case = secrets.choice(model.cases)
    opened = asks.ask(case.given, send)
    if any(abs(opened[name] - Decimal(repr(right))) > asks.wrong_beyond(name) for name, right in case.answers.items()):
        raise EngineAnswerWrong(REFUSED)
