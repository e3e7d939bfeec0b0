"""What vaults check of values before they are sealed, and of an answer before it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import split
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.layout import AnyPanel
from fhirtwin.ckks.sealed import SealedScores
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect
from fhirtwin.vault.keys import Opening

REFUSED: Final = (
    "The answer of the engine failed the checks of the vault and was thrown away; nothing was calculated from it."
)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


def admissible(panel: AnyPanel, values: Float) -> Float:
    """Vectors of a panel, one a line, contiguous.

    Raises:
        Fault: they are not such; the text names the feature, never its value or whose it is.
    """
    if values.ndim != 2 or values.shape[1] != len(panel.features) or values.dtype != np.float64:
        raise Fault("Feature vectors must have one float64 for each feature of the panel.")
    inside = ((values >= panel.low) & (values <= panel.high) | (values == 0.0)).all(axis=0)
    if not inside.all():
        name = panel.features[int(np.argmin(inside))]
        raise Fault(f"Feature {name} is outside the range its predictor declares.")
    if panel.chosen_twice(values):
        raise Fault("A feature vector has more than one feature of a choice.")
    return np.ascontiguousarray(values)


def opened(ring: Ring, scores: SealedScores, opening: Opening[Any], scale: float, count: int = 1) -> Complex:
    """Decrypt every ciphertext of an answer, shape (ciphertexts, slots). It must not leave the vault unrounded.

    Args:
        ring: with the key of the request.
        scores: the answer.
        opening: of the request.
        scale: that the sums must have.
        count: how many ciphertexts there must be.

    Raises:
        EngineAnswerWrong: it is not of this request, or no answer of such a circuit.
    """
    if not opening.is_for(scores):
        raise EngineAnswerWrong(REFUSED)
    try:
        parts = split(scores.sealed_sums, ring.profile.answer_bytes, count)
        found = [ring.decrypt(ring.load(part, scale, primes=1)) for part in parts]
        return np.stack(found) if len(found) > 1 else found[0][None]
    except (Incorrect, RuntimeError, ValueError):
        raise EngineAnswerWrong(REFUSED) from None


def refuse_unless(*good: bool) -> None:
    """Refuse with the one text unless all checks, which were all made, are passed.

    Raises:
        EngineAnswerWrong: one is not.
    """
    if not all(good):
        raise EngineAnswerWrong(REFUSED)


def rounded(names: Sequence[str], sums: Float, step: Decimal) -> dict[str, Decimal]:
    """Values by name, each a whole number of steps: what may leave the vault."""
    return {name: step * count for name, count in zip(names, counts(sums, float(step)).tolist(), strict=True)}


def counts(sums: Float, step: float) -> NDArray[np.int64]:
    """Whole steps: what may leave the vault."""
    return np.rint(sums / step).astype(np.int64)
