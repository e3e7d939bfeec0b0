"""Numbers out of bytes: uniform ones out of random bytes, and the weights of checks out of a digest."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def uniform(random: bytes, limit: float = 1.0) -> Float:
    """Uniform numbers from minus to plus a power of two, of 53 bits each, one for every eight random bytes."""
    return np.asarray((np.frombuffer(random, dtype="<i8") >> 11) * (limit * 2.0**-52))


def weights_of_checks(label: bytes, digest: str, count: int) -> Float:
    """Weights in (0.5, 1] by magnitude, of either sign, that both sides draw alike.

    Args:
        label: what they are for.
        digest: of the panel or circuit, in hex.
        count: how many.
    """
    stream = hashlib.shake_256(b"fhirtwin " + label + b"\x00" + bytes.fromhex(digest)).digest(8 * count)
    drawn = np.frombuffer(stream, dtype="<u8")
    magnitude = 1.0 - (drawn >> np.uint64(12)).astype(np.float64) * 2.0**-53
    return np.asarray(np.where(drawn & np.uint64(1), -1.0, 1.0) * magnitude)
