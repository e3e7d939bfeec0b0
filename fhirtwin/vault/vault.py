"""The vault: seals with a fresh key a request, checks what comes back, and lets out rounded numbers only."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks import drawing, packing, profiles
from fhirtwin.ckks.context import Complex, Ring
from fhirtwin.ckks.layout import AnyPanel, Laid
from fhirtwin.ckks.sealed import Scores, SealedFeatures, SealedScores
from fhirtwin.ckks.wire import REQUEST_ID_BYTES
from fhirtwin.vault import checking
from fhirtwin.vault.keeping import Shelf
from fhirtwin.vault.keys import FreshKeys, Keys, LastingKeys, Opening

Float = NDArray[np.float64]


class Vault:
    """Seals feature vectors of one panel and opens the scores.

    In masked and sparse mode every request has a key of its own, which is overwritten when its answer was opened. In
    rotating mode one key, with just the rotation keys the panel needs, serves until an answer is refused: whoever sends
    wrong answers to learn from what becomes of them learns of a key that is no longer used. Threads may share a vault.

    Args:
        panel: the linear models, with or without their weights; it must be the engine's.
        mode: `masked`, `rotating`, or `sparse` for a table.
        shelf: where a key of many requests lies between starts, and how much it is used.

    Raises:
        Incorrect: there is no such mode, or the panel cannot be evaluated safely.
    """

    def __init__(self, panel: AnyPanel, *, mode: str = "masked", shelf: Shelf | None = None) -> None:
        self.panel = panel
        self.profile = profiles.for_mode(mode)
        self._layout = packing.layout(panel, self.profile)
        self._keys: Keys = self._lasting(shelf) if self._layout.steps else FreshKeys(self.profile)

    def seal(self, values: Float) -> tuple[SealedFeatures, Opening[Laid]]:
        """Encrypt one feature vector.

        Args:
            values: one float64 a feature, in panel order, each within its declared bounds, or 0 where the predictor it
                belongs to is not asked.

        Returns:
            What goes to the engine, and what opens the answer.

        Raises:
            Fault: the vector is not such; the text names the feature, never its value.
        """
        (checked,) = checking.admissible(self.panel, values[None])
        laid = self._layout.lay(checked, _uniform)
        with self._keys.sealing() as (ring, evaluation_keys):
            sealed = self._encryption(ring)(laid.slots, self.profile.input_scale)
        request_id = secrets.token_bytes(REQUEST_ID_BYTES)
        features = SealedFeatures(self.profile.name, self.panel.digest, request_id, sealed, evaluation_keys)
        return features, Opening(ring, features, laid)

    def open(self, scores: SealedScores, opening: Opening[Laid]) -> Scores:
        """Decrypt, check, and round each linear predictor to the step of the profile.

        Raises:
            EngineAnswerWrong: the answer is not exactly what a right engine gives to this request. It is one error with
                one text whatever the reason, so that an engine cannot learn from it by trying.
            Fault: the opening was used before.
        """
        with self._keys.opening(opening) as ring:
            sums = self._sums(ring, scores, opening)
        values = checking.rounded(self.panel.rows, sums, self.profile.step)
        return Scores(values, self.profile.name, self.panel.digest)

    def _encryption(self, ring: Ring) -> Callable[[Complex, float], bytes]:
        """The cheapest that the key allows."""
        if isinstance(self._keys, FreshKeys):
            return ring.encrypt_alone
        return ring.encrypt_again if ring.made_its_keys else ring.encrypt

    def _sums(self, ring: Ring, scores: SealedScores, opening: Opening[Laid]) -> Float:
        """Unrounded sums of the rows: they never leave this class. All checks are made, whichever fails."""
        (opened,) = checking.opened(ring, scores, opening, self.profile.product_scale)
        layout, tolerance = self._layout, self.profile.tolerance
        totals, residue = layout.sums(opened)
        sums = totals[: layout.rows]
        # Written so that a NaN fails.
        checking.refuse_unless(
            bool(np.isfinite(opened).all()),
            bool(opening._expected.off(totals) <= tolerance),
            bool(residue <= tolerance),
            bool(((sums >= layout.low - tolerance) & (sums <= layout.high + tolerance)).all()),
        )
        return sums

    def _lasting(self, shelf: Shelf | None) -> LastingKeys:
        keeping = (shelf or Shelf()).of(f"{self.profile.name} {self.panel.digest}")
        return LastingKeys(self._new, lambda: Ring(self.profile), keeping)

    def _new(self) -> tuple[Ring, bytes]:
        """A ring with a new key, and the evaluation keys that go with it."""
        ring = Ring(self.profile)
        ring.make_keys()
        return ring, ring.make_rotation_keys(self._layout.steps)


def _uniform(count: int) -> Float:
    """Secret numbers between -1 and 1."""
    return drawing.uniform(secrets.token_bytes(8 * count))
