"""A circuit as the engine holds it: its ring, its encoded weights, and one evaluation at a time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from fhirtwin.ckks.circuits.circuit import Circuit, split
from fhirtwin.ckks.context import Ciphertext, Ring
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.errors import Fault, Incorrect


class Prepared(ABC):
    """Evaluates one circuit. Threads may share it; they take turns with it, not with other circuits."""

    def __init__(self, circuit: Circuit, ring: Ring | None = None) -> None:
        self.circuit = circuit
        self.ring = ring or Ring(circuit.profile)
        self._lock = threading.Lock()

    @property
    def holds_secret_key(self) -> bool:
        """Whether anything here could open a ciphertext: never."""
        return self.ring.holds_secret_key

    def evaluate(self, features: SealedFeatures, keys_digest: bytes, tenant: str = "") -> SealedScores:
        """Evaluate the circuit on the ciphertexts of a request.

        Raises:
            Incorrect: the ciphertexts or evaluation keys have the wrong length or cannot be used.
            Precondition: the evaluation keys are needed and not here.
        """
        circuit = self.circuit
        if len(features.evaluation_keys) not in {0, circuit.evaluation_keys_bytes}:
            raise Incorrect("The evaluation keys have the wrong length for their circuit.")
        parts = split(features.sealed_vector, circuit.profile.ciphertext_bytes, circuit.cost.sealed_in)
        with self._lock:
            answer = self._evaluate(parts, features.evaluation_keys, keys_digest, tenant)
        if len(answer) != circuit.answer_bytes:
            raise Fault("A circuit gave an answer of a length that it does not declare.")
        return SealedScores(circuit.profile.name, circuit.digest, features.request_id, answer)

    @abstractmethod
    def _evaluate(self, parts: list[bytes], keys: bytes, keys_digest: bytes, tenant: str) -> bytes:
        """Evaluate serialised ciphertexts, and serialise the answers end to end."""

    def load(self, part: bytes) -> Ciphertext:
        """Read one ciphertext of a request."""
        return self.ring.load(part, self.circuit.profile.input_scale)
