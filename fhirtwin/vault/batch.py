"""Seals thousands of patients at once and opens what comes back, under a fresh key a batch."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.batch import PROBES, Batch, BatchScores
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.ckks.wire import REQUEST_ID_BYTES
from fhirtwin.errors import Fault
from fhirtwin.vault import checking
from fhirtwin.vault.keys import FreshKeys, Opening

Float = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Seats:
    """Who sits where: places of patients in their order, of probes, of nobody, and what the probes must open to."""

    patients: Places
    probes: Places
    nobody: Places
    expected: Float


class BatchVault:
    """Seals batches of one panel and opens their scores. Threads may share it.

    Args:
        circuit: the panel as a batch; it must be the engine's.
    """

    def __init__(self, circuit: Batch) -> None:
        self.circuit = circuit
        self._keys = FreshKeys(circuit.profile)
        self._low, self._high = circuit.panel.range()

    def seal(self, values: Float) -> tuple[SealedFeatures, Opening[Seats]]:
        """Encrypt the vectors of up to `circuit.patients` patients. How many there are does not show.

        Args:
            values: float64, shape (patients, features), each within its declared bounds, or 0 where the predictor it
                belongs to is not asked.

        Returns:
            What goes to the engine, and what opens the answer.

        Raises:
            Fault: the vectors are not such; the text names the feature, never its value or whose it is.
        """
        circuit, profile = self.circuit, self.circuit.profile
        checked = checking.admissible(circuit.panel, values)
        if not 0 < len(checked) <= circuit.patients:
            raise Fault(f"A batch has from 1 to {circuit.patients} patients.")
        everybody, seats = self._seated(checked)
        with self._keys.sealing() as (ring, _):
            sealed = b"".join(ring.encrypt_again(line, profile.input_scale) for line in circuit.spread(everybody))
        request_id = secrets.token_bytes(REQUEST_ID_BYTES)
        features = SealedFeatures(
            profile.name,
            circuit.digest,
            request_id,
            sealed,
            count=circuit.cost.sealed_in,
            answer_bytes=circuit.answer_bytes,
        )
        return features, Opening(ring, features, seats)

    def open(self, scores: SealedScores, opening: Opening[Seats]) -> BatchScores:
        """Decrypt, check, and round each linear predictor to the step of the profile.

        Raises:
            EngineAnswerWrong: the answer is not exactly what a right engine gives to this batch; it is thrown away as
                a whole, and one text says so whatever the reason.
            Fault: the opening was used before.
        """
        sums = self._sums(scores, opening)
        panel, profile = self.circuit.panel, self.circuit.profile
        counted = checking.counts(sums, float(profile.step))
        return BatchScores(panel.rows, counted, profile.step, profile.name, self.circuit.digest)

    def _sums(self, scores: SealedScores, opening: Opening[Seats]) -> Float:
        """Unrounded sums of the patients: they never leave this class."""
        profile, seats = self.circuit.profile, opening._expected
        with self._keys.opening(opening) as ring:
            opened = checking.opened(ring, scores, opening, profile.product_scale, self.circuit.cost.sealed_out)
        everybody, tolerance = self.circuit.gathered(opened), profile.tolerance
        sums: Float = everybody[seats.patients]
        # Written so that a NaN fails.
        checking.refuse_unless(
            bool((np.abs(everybody[seats.probes] - seats.expected) <= tolerance).all()),
            bool((np.abs(everybody[seats.nobody]) <= tolerance).all()),
            bool(((sums >= self._low - tolerance) & (sums <= self._high + tolerance)).all()),
        )
        return sums

    def _seated(self, values: Float) -> tuple[Float, Seats]:
        """Give patients their places in order, between probes at random ones; the rest stays empty."""
        panel, places = self.circuit.panel, self.circuit.patients + PROBES
        probes = np.array(sorted(secrets.SystemRandom().sample(range(places), PROBES)), dtype=np.intp)
        free = np.setdiff1d(np.arange(places), probes)
        everybody = np.zeros((places, len(panel.features)))
        everybody[probes] = _drawn(panel, PROBES)
        everybody[free[: len(values)]] = values
        expected = everybody[probes] @ panel.weights.T
        return everybody, Seats(free[: len(values)], probes, free[len(values) :], expected)


def _drawn(panel: Panel, count: int) -> Float:
    """Vectors at random within the bounds, with one feature of each choice; nobody can tell them from patients."""
    draw = np.random.default_rng(secrets.randbits(256))
    values: Float = draw.uniform(panel.low, panel.high, (count, len(panel.features)))
    for choice in panel.choices:
        hidden = np.ones((count, len(choice)), dtype=bool)
        hidden[np.arange(count), draw.integers(len(choice), size=count)] = False
        values[:, list(choice)] *= ~hidden
    return values
