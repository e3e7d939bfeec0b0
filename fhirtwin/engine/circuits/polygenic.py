"""Polygenic scores on the engine: chunk after chunk times weights, added up, behind a mask that adds up to zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.ckks.context import Ciphertext, Plaintext
from fhirtwin.ckks.profiles import Profile
from fhirtwin.engine.circuits.prepared import Prepared
from fhirtwin.engine.drawing import uniform

Complex = NDArray[np.complex128]


class PreparedPolygenic(Prepared):
    """No product is zero everywhere, for no weight of a check slot is."""

    def __init__(self, circuit: Polygenic) -> None:
        super().__init__(circuit)
        scale = circuit.profile.weight_scale
        self._scores: list[list[Plaintext]] = [
            [self.ring.encode(chunk, scale) for chunk in circuit.encoded(score)] for score in range(len(circuit.scores))
        ]

    def _evaluate(self, parts: list[bytes], keys: bytes, keys_digest: bytes, tenant: str) -> bytes:
        totals: list[Ciphertext] = []
        for number, part in enumerate(parts):
            chunk = self.load(part)
            products = [self.ring.product(chunk, weights[number]) for weights in self._scores]
            for total, product in zip(totals, products, strict=False):
                self.ring.add(total, product)
            totals = totals or products
        profile = self.circuit.profile
        for total in totals:
            self.ring.add_plain(total, self.ring.encode(masks(profile), profile.product_scale))
        return b"".join(self.ring.save(total) for total in totals)


def masks(profile: Profile) -> Complex:
    """What hides the sums of slots: real parts add up to zero, and the check slot, the last, is left alone."""
    used = profile.slots - 1
    drawn = uniform(profile, 2 * used)
    real = drawn[:used] - drawn[:used].mean()
    return np.append(real + 1j * drawn[used:], 0.0)
