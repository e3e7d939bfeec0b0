"""What every circuit declares, so that lengths are checked before parsing and costs before anything is held."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.declared import Declared
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Incorrect

MOST_MEMORY_BYTES: Final = 256 * 2**20
"""What the encoded weights of one circuit may take in a worker of the engine."""

_PLAINTEXT_OVERHEAD_BYTES: Final = 1024
_MOST_COUNT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Cost:
    """What one evaluation takes, the same for every patient.

    Attributes:
        sealed_in, sealed_out: ciphertexts each way.
        products: of a ciphertext with a plaintext.
        rotations, squares: of a ciphertext.
        plaintexts: that the engine holds, one for each product that has weights of its own.
    """

    sealed_in: int
    sealed_out: int
    products: int
    plaintexts: int
    rotations: int = 0
    squares: int = 0


class Circuit(ABC):
    """One model, or set of models, evaluated together in one call.

    Attributes:
        declared: what its kind says of how it is evaluated.
    """

    declared: ClassVar[Declared]

    @property
    def profile(self) -> Profile:
        """The pinned parameters."""
        return self.declared.profile

    @property
    @abstractmethod
    def digest(self) -> str:
        """SHA-256, in hex, of the kind of circuit and of everything both sides must agree on."""

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What one evaluation takes."""

    @property
    @abstractmethod
    def error(self) -> float:
        """How far an opened result may be from the plain one, before rounding, over all inputs that may be sealed."""

    @property
    def vectors(self) -> int:
        """How many vectors one request has room for."""
        return 1

    @property
    def vector_bytes(self) -> int:
        """Exact length of the ciphertexts of a request."""
        return self.cost.sealed_in * self.profile.ciphertext_bytes

    @property
    def answer_bytes(self) -> int:
        """Exact length of the ciphertexts of an answer."""
        return self.cost.sealed_out * self.profile.answer_bytes

    @property
    def evaluation_keys_bytes(self) -> int:
        """Exact length of the evaluation keys; none unless a circuit says otherwise."""
        return 0

    @property
    def memory_bytes(self) -> int:
        """What the encoded weights take."""
        profile = self.profile
        data_primes = len(profile.modulus_bits) - 1
        return self.cost.plaintexts * (8 * profile.degree * data_primes + _PLAINTEXT_OVERHEAD_BYTES)

    def refuse_excess(self) -> None:
        """Refuse a circuit whose error or cost is more than may be.

        Raises:
            Incorrect: it is.
        """
        if not self.error <= self.profile.error:
            raise Incorrect(
                f"The error of this model could be {self.error:.2g}, and {self.profile.error:g} is the most under "
                f"profile {self.profile.name}; narrow its bounds or scale its weights down."
            )
        if self.memory_bytes > MOST_MEMORY_BYTES:
            raise Incorrect(
                f"The weights of this model would take {self.memory_bytes >> 20} MiB of an engine worker, and "
                f"{MOST_MEMORY_BYTES >> 20} are the most; split it."
            )
        if max(self.cost.sealed_in, self.cost.sealed_out) > _MOST_COUNT:
            raise Incorrect(f"No more than {_MOST_COUNT} ciphertexts travel in a message; split the model.")


def digest_of(kind: str, *parts: str | NDArray[np.float64]) -> str:
    """SHA-256, in hex, of texts and arrays, so that no two circuits are taken for one another."""
    h = hashlib.sha256(b"fhirtwin circuit\x00" + kind.encode() + b"\x00")
    for part in parts:
        data = part.encode() if isinstance(part, str) else np.ascontiguousarray(part, dtype="<f8").tobytes()
        shape = "text" if isinstance(part, str) else str(part.shape)
        h.update(f"{shape} {len(data)}\x00".encode() + data)
    return h.hexdigest()


def split(data: bytes, length: int, count: int) -> list[bytes]:
    """Cut ciphertexts that lie end to end apart.

    Raises:
        Incorrect: there are not exactly so many of that length.
    """
    if len(data) != length * count:
        raise Incorrect("The ciphertexts of a message have the wrong length for their circuit.")
    return [data[start : start + length] for start in range(0, len(data), length)]
