"""By what the coordinator knows that a total is the sum of just the contributions that it says, each once.

Let p be the prime 2^127 - 1, x the digits of a site, r a secret vector of numbers modulo p that all sites and the
coordinator know, and c a secret number modulo p that the site and the coordinator know; both are new for each round.
The tag of a contribution is r · x + c. The coordinator believes a total X with the tag T when T = r · X + the sum of c
over the sites that are named. Since every tag is hidden by its c, nothing that the adder has tells of r; so whatever it
does, if X is not the sum of the contributions of just these sites, it passes with a probability of 1 / p. The name for
this is a one-time, linearly homomorphic Carter-Wegman authenticator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

BITS: Final = 127
PRIME: Final = 2**BITS - 1
_BYTES = 16


def factors(shared: bytes, binding: bytes, count: int) -> list[int]:
    """The vector r of a round, from the secret of all sites."""
    stream = hashlib.shake_256(b"fhirtwin aggregate factors\x00" + shared + binding).digest(_BYTES * count)
    return [int.from_bytes(stream[at : at + _BYTES], "big") & PRIME for at in range(0, len(stream), _BYTES)]


def pad(own: bytes, binding: bytes) -> int:
    """The number c of a site in a round, from the secret of that site."""
    return int.from_bytes(hashlib.shake_256(b"fhirtwin aggregate pad\x00" + own + binding).digest(32), "big") % PRIME


def tag(digits: NDArray[np.int64], shared: bytes, pads: Iterable[int], binding: bytes) -> int:
    """What digits with these pads must carry."""
    known = factors(shared, binding, digits.size)
    total = sum(one * int(digit) for one, digit in zip(known, digits, strict=True))
    return (total + sum(pads)) % PRIME
