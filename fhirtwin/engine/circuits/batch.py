"""Batches on the engine: for each model the sum of ciphertexts times numbers. Nothing is rotated, nothing is masked.

There is no partial sum to hide: each slot holds the whole sum of its patient. Nor could noise hide weights from who
holds the key: see `docs/circuits/batch.md`.
"""

from __future__ import annotations

import numpy as np

from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.context import Ciphertext, Plaintext
from fhirtwin.engine.circuits.prepared import Prepared


class PreparedBatch(Prepared):
    """Weights that round to zero are left out, as the circuit declares, whoever the patients are."""

    def __init__(self, circuit: Batch) -> None:
        super().__init__(circuit)
        encoded: dict[float, Plaintext] = {}
        self._rows = [
            [(int(place), self._constant(float(row[place]), encoded)) for place in np.flatnonzero(row)]
            for row in circuit.rounded
        ]

    def _constant(self, weight: float, encoded: dict[float, Plaintext]) -> Plaintext:
        if weight not in encoded:
            profile = self.circuit.profile
            encoded[weight] = self.ring.encode(
                np.full(profile.slots, weight, dtype=np.complex128), profile.weight_scale
            )
        return encoded[weight]

    def _evaluate(self, parts: list[bytes], keys: bytes, keys_digest: bytes, tenant: str) -> bytes:
        sealed = [self.load(part) for part in parts]
        return b"".join(self.ring.save(self._sum(row, sealed)) for row in self._rows)

    def _sum(self, row: list[tuple[int, Plaintext]], sealed: list[Ciphertext]) -> Ciphertext:
        (first, weight), *others = row
        total = self.ring.product(sealed[first], weight)
        for place, plain in others:
            self.ring.add(total, self.ring.product(sealed[place], plain))
        return total
