"""What every circuit's vault checks of values before they are sealed, and of an answer before it is opened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import Circuit, split
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.sealed import SealedScores
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect

REFUSED = "The answer of the engine failed the checks of the vault and was thrown away; nothing was calculated from it."

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


def admissible(panel: Panel, values: Float) -> Float:
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
    for choice in panel.choices:
        if (np.count_nonzero(values[:, list(choice)], axis=1) > 1).any():
            raise Fault("A feature vector has more than one feature of a choice.")
    return np.ascontiguousarray(values)


def opened(ring: Ring, circuit: Circuit, scores: SealedScores, request_id: bytes, scale: float) -> Complex:
    """Decrypt every ciphertext of an answer, shape (ciphertexts, slots). It must not leave the vault unrounded.

    Raises:
        EngineAnswerWrong: it is not of this request, or no answer of this circuit.
    """
    if (scores.profile, scores.panel_digest, scores.request_id) != (circuit.profile.name, circuit.digest, request_id):
        raise EngineAnswerWrong(REFUSED)
    try:
        parts = split(scores.sealed_sums, circuit.profile.answer_bytes, circuit.cost.sealed_out)
        return np.stack([ring.decrypt(ring.load(part, scale, primes=1)) for part in parts])
    except (Incorrect, RuntimeError, ValueError):
        raise EngineAnswerWrong(REFUSED) from None


def refuse_unless(*good: bool) -> None:
    """Refuse with the one text unless all checks, which were all made, are passed.

    Raises:
        EngineAnswerWrong: one is not.
    """
    if not all(good):
        raise EngineAnswerWrong(REFUSED)


def counts(sums: Float, step: float) -> NDArray[np.int64]:
    """Whole steps: what may leave the vault."""
    return np.rint(sums / step).astype(np.int64)
