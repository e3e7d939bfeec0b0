"""A fixed piece of work, so that figures of two runs, or of two machines, can be compared."""

from __future__ import annotations

import hashlib
import time

import numpy as np


def milliseconds(rounds: int = 15) -> float:
    """Least CPU time, in ms, of 400 SHA-256 of 4 KB and a 64 × 64 product of whole numbers, over `rounds` tries.

    Whole numbers, since BLAS multiplies floats alone: its threads wait for one another in a loop, and all that they
    burn on a busy machine would be counted. For the same reason it is this thread's time: they go on waiting for a
    while after whatever the caller did before.
    """
    block, matrix = bytes(range(256)) * 16, np.arange(64 * 64).reshape(64, 64)
    best = float("inf")
    for _ in range(rounds):
        start = time.thread_time()
        for _ in range(400):
            hashlib.sha256(block).digest()
        int((matrix @ matrix).sum())
        best = min(best, time.thread_time() - start)
    return best * 1000
