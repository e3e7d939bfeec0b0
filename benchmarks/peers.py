"""What others do of the same: matrix times sealed vector by TenSEAL, and by Pyfhel as its users begin.

TenSEAL is a peer for comparison only, no dependency: `make bench` tries to install it (the group `bench` of
pyproject.toml), and without it its rows are told to be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from Pyfhel import PyCtxt, Pyfhel

tenseal = None
with suppress(ImportError):
    import tenseal

Float = NDArray[np.float64]

PRECISE = 1e-4
"""The largest error of a sum with which a peer is as precise as our kinds must be."""

NO_TENSEAL = "TenSEAL: not installed, so not compared (.venv/bin/pip install --group bench)"


@dataclass
class Peer:
    """A peer's round from sealing to opening, and the error of each that was run."""

    name: str
    product: Callable[[Float], Float]
    matrix: Float
    patients: Float
    errors: list[float] = field(default_factory=list)

    def once(self) -> None:
        values = self.patients[len(self.errors) % len(self.patients)]
        self.errors.append(float(np.abs(self.product(values) - self.matrix @ values).max()))

    @property
    def precise(self) -> bool:
        return max(self.errors) <= PRECISE


def version() -> str:
    return f"TenSEAL: {tenseal.__version__}" if tenseal else NO_TENSEAL


def context_of_tenseal(degree: int, bits: list[int]) -> object:
    """Of one thread, with keys for rotations and squares; the key is kept over all rounds."""
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, degree, coeff_mod_bit_sizes=bits, n_threads=1)
    context.global_scale = 2.0 ** bits[1]
    context.generate_galois_keys()
    return context


def products_by_tenseal(matrix: Float, patients: Float) -> Iterator[Peer]:
    """At n = 8192, as precise as ours, and at n = 4096, which is faster and not; none where it is not installed."""
    if tenseal:
        yield _by_tenseal(matrix, patients, 8192, [60, 40, 60])
        yield _by_tenseal(matrix, patients, 4096, [40, 29, 40])


def _by_tenseal(matrix: Float, patients: Float, degree: int, bits: list[int]) -> Peer:
    context, transposed = context_of_tenseal(degree, bits), matrix.T.tolist()

    def product(values: Float) -> Float:
        sealed = tenseal.ckks_vector_from(context, tenseal.ckks_vector(context, values).serialize())
        return np.array(tenseal.ckks_vector_from(context, sealed.mm(transposed).serialize()).decrypt())

    return Peer(f"TenSEAL mm, n {degree} {bits}", product, matrix, patients)


def naive_product(matrix: Float, patients: Float) -> Peer:
    """By plain Pyfhel: seal the vector once; for each row multiply, rescale, rotate and add; open each sum."""
    ring, scale = Pyfhel(), 2.0**40
    ring.contextGen(scheme="CKKS", n=8192, scale=scale, qi_sizes=[60, 40, 40, 60], sec=128)
    ring.keyGen()
    width = matrix.shape[1]
    steps = [1 << power for power in range((width - 1).bit_length())]
    ring.rotateKeyGen(steps)
    rows = [ring.encodeFrac(np.ascontiguousarray(row), scale=scale) for row in matrix]

    def of_row(sealed: object, row: object) -> float:
        total = ring.multiply_plain(sealed, row, in_new_ctxt=True)
        ring.rescale_to_next(total)
        for step in reversed(steps):
            ring.add(total, ring.rotate(total, step, in_new_ctxt=True))
        opened = ring.decryptFrac(PyCtxt(pyfhel=ring, bytestring=total.to_bytes()))
        return float(opened[0])

    def product(values: Float) -> Float:
        sealed = PyCtxt(pyfhel=ring, bytestring=ring.encryptFrac(np.ascontiguousarray(values)).to_bytes())
        return np.array([of_row(sealed, row) for row in rows])

    return Peer(f"naive Pyfhel, {len(matrix)} dot products, n 8192 [60, 40, 40, 60]", product, matrix, patients)
