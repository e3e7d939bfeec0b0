"""Seals the dosages of one person, chunk by chunk as they come, and opens the scores, under a fresh key."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.polygenic import LARGEST_DOSAGE, NONCE_LIMIT, AnyPolygenic, in_chunks
from fhirtwin.ckks.sealed import Scores, SealedFeatures, SealedScores
from fhirtwin.ckks.wire import REQUEST_ID_BYTES
from fhirtwin.errors import Fault
from fhirtwin.vault import checking
from fhirtwin.vault.keys import FreshKeys, Opening

Float = NDArray[np.float64]


class PolygenicVault:
    """Seals dosages and opens scores. Threads may share it.

    Args:
        circuit: the scores, with or without their weights; they must be the engine's.
    """

    def __init__(self, circuit: AnyPolygenic) -> None:
        self.circuit = circuit
        self._keys = FreshKeys(circuit.profile)

    def seal(self, blocks: Iterable[Float]) -> tuple[SealedFeatures, Opening[Float]]:
        """Encrypt the dosages of one person; no more than a chunk of them is held in clear.

        Args:
            blocks: dosages of the counted alleles in the order of the variants, float64 from 0 to 2, cut anywhere. A
                variant that was not called has no dosage: there is no score without one.

        Returns:
            What goes to the engine, and what opens the answer and knows what its check slots must open to.

        Raises:
            Fault: they are not such; the text names the variant, never its dosage.
        """
        circuit = self.circuit
        sealed: list[bytes] = []
        nonces: list[float] = []
        seen = 0
        with self._keys.sealing() as (ring, _):
            for chunk in in_chunks(self._checked(blocks)):
                nonces.append((secrets.randbits(53) * 2.0**-52 - 1.0) * NONCE_LIMIT)
                sealed.append(ring.encrypt_again(circuit.laid_out(chunk, nonces[-1]), circuit.profile.input_scale))
                seen += chunk.size
        if seen != len(circuit.variants):
            raise Fault(f"There are {seen} dosages for {len(circuit.variants)} variants.")
        request_id = secrets.token_bytes(REQUEST_ID_BYTES)
        features = SealedFeatures(
            circuit.profile.name,
            circuit.digest,
            request_id,
            b"".join(sealed),
            count=circuit.chunks,
            answer_bytes=circuit.answer_bytes,
        )
        return features, Opening(ring, features, circuit.tags @ np.array(nonces))

    def open(self, scores: SealedScores, opening: Opening[Float]) -> Scores:
        """Decrypt, check, add constants, and round each score to the step of the profile.

        Raises:
            EngineAnswerWrong: the answer is not exactly what a right engine gives to this request; one text says so
                whatever the reason.
            Fault: the opening was used before.
        """
        circuit = self.circuit
        sums = self._sums(scores, opening) + circuit.constants
        values = checking.rounded(circuit.scores, sums, circuit.profile.step)
        return Scores(values, circuit.profile.name, circuit.digest)

    def _sums(self, scores: SealedScores, opening: Opening[Float]) -> Float:
        """Unrounded scores without constants: they never leave this class."""
        circuit, profile = self.circuit, self.circuit.profile
        with self._keys.opening(opening) as ring:
            opened = checking.opened(ring, scores, opening, profile.product_scale, circuit.cost.sealed_out)
        sums: Float = opened[:, :-1].real.sum(axis=1)
        # Written so that a NaN fails.
        checking.refuse_unless(
            bool(np.isfinite(opened).all()),
            bool((np.abs(opened[:, -1] - opening._expected) <= profile.tolerance).all()),
            bool((np.abs(sums) <= circuit.largest + profile.tolerance).all()),
        )
        return sums

    def _checked(self, blocks: Iterable[Float]) -> Iterable[Float]:
        """Let through blocks that are dosages, no more of them than there are variants."""
        variants, seen = self.circuit.variants, 0
        for block in blocks:
            if block.ndim != 1 or block.dtype != np.float64:
                raise Fault("Dosages must be float64, one for each variant.")
            if seen + block.size > len(variants):
                raise Fault(f"There are more dosages than the {len(variants)} variants.")
            inside = (block >= 0.0) & (block <= LARGEST_DOSAGE)
            if not inside.all():
                name = variants[seen + int(np.argmin(inside))]
                raise Fault(f"The dosage of variant {name} is missing, or outside 0 to {LARGEST_DOSAGE:g}.")
            seen += block.size
            yield block
