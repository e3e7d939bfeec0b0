"""One question and its answer, whatever the vault: sealed, sent and opened, each of it timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from fhirtwin import timing
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores

Send = Callable[[SealedFeatures], SealedScores]
"""The way to an engine and back: `Courier.evaluate`."""

Given = TypeVar("Given")
Given_contra = TypeVar("Given_contra", contravariant=True)
Opens = TypeVar("Opens")
Opened = TypeVar("Opened")
Opened_co = TypeVar("Opened_co", covariant=True)


class Seals(Protocol[Given_contra, Opens, Opened_co]):
    """A vault."""

    def seal(self, values: Given_contra, /) -> tuple[SealedFeatures, Opens]:
        """What goes to the engine, and what opens the answer."""

    def open(self, scores: SealedScores, opening: Opens, /) -> Opened_co:
        """Check, decrypt and round."""


def answered(vault: Seals[Given, Opens, Opened], given: Given, send: Send) -> Opened:
    """Seal, send, and open what comes back.

    Raises:
        EngineAnswerWrong: the answer fails a check.
        Fault: that must not be sealed.
    """
    with timing.stage("seal"):
        sealed, opening = vault.seal(given)
    answer = send(sealed)
    with timing.stage("open"):
        return vault.open(answer, opening)
