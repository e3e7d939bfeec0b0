"""Where the random numbers of masks come from."""

from __future__ import annotations

import os

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from fhirtwin.ckks import drawing
from fhirtwin.ckks.profiles import Profile

Float = NDArray[np.float64]


def uniform(profile: Profile, count: int) -> Float:
    """Numbers from a cryptographic generator: AES-256 in counter mode under a key used for this call only."""
    stream = Cipher(algorithms.AES(os.urandom(32)), modes.CTR(bytes(16))).encryptor().update(bytes(8 * count))
    return drawing.uniform(stream, 2.0**profile.mask_bits)
