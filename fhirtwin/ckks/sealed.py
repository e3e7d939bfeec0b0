"""Stages 5 to 7 hand these over: sealed features, sealed scores, and the scores once opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SealedFeatures:
    """Ciphertext of one feature vector, ready for the wire. It holds nothing else of the patient.

    Attributes:
        profile: name of the pinned parameter profile.
        panel_digest: which panel it is meant for.
        request_id: 16 random bytes; the answer is bound to them.
        sealed_vector: serialised ciphertext, of exactly the profile's length; of a circuit that takes several, so many
            end to end.
        evaluation_keys: serialised rotation keys; empty in masked mode.
        count: how many ciphertexts the vector has.
        answer_bytes: how long the sealed sums of the answer must be; not sent. 0 says: one ciphertext of the profile.
    """

    profile: str
    panel_digest: str
    request_id: bytes
    sealed_vector: bytes
    evaluation_keys: bytes = b""
    count: int = 1
    answer_bytes: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SealedScores:
    """The engine's answer: a ciphertext, or several end to end, bound to one request and one panel."""

    profile: str
    panel_digest: str
    request_id: bytes
    sealed_sums: bytes


@dataclass(frozen=True, slots=True)
class Scores:
    """Opened by the vault and rounded to the profile's step.

    Attributes:
        values: of a panel, name of the row to linear predictor, without its constant; of another circuit, name of the
            score or output to its value.
        profile: name of the pinned parameter profile.
        panel_digest: of the panel or circuit.
    """

    values: Mapping[str, Decimal]
    profile: str
    panel_digest: str
