"""The vault: seals with a fresh key a request, checks what comes back, and lets out rounded numbers only."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import Never, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks import packing, profiles
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.layout import AnyPanel, Laid
from fhirtwin.ckks.sealed import Scores, SealedFeatures, SealedScores
from fhirtwin.ckks.wire import REQUEST_ID_BYTES
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect

_MOST_IDLE_RINGS = 8
_REFUSED = (
    "The answer of the engine failed the checks of the vault and was thrown away; nothing was calculated from it."
)

Float = NDArray[np.float64]


class Opening:
    """What opens the answer to one request, once. Nobody but the vault looks inside; it cannot be copied or pickled."""

    __slots__ = ("_laid", "_request_id", "_ring")

    def __init__(self, ring: Ring, request_id: bytes, laid: Laid) -> None:
        self._ring: Ring | None = ring
        self._request_id = request_id
        self._laid = laid

    def __repr__(self) -> str:
        return "Opening()"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise Fault("What opens an answer does not leave the process.")


class Vault:
    """Seals feature vectors of one panel and opens the scores.

    In masked and sparse mode every request has a key of its own, which is overwritten when its answer was opened. In
    rotating mode one key, with just the rotation keys the panel needs, serves until an answer is refused: whoever sends
    wrong answers to learn from what becomes of them learns of a key that is no longer used. Threads may share a vault.

    Args:
        panel: the linear models, with or without their weights; it must be the engine's.
        mode: `masked`, `rotating`, or `sparse` for a table.

    Raises:
        Incorrect: there is no such mode, or the panel cannot be evaluated safely.
    """

    def __init__(self, panel: AnyPanel, *, mode: str = "masked") -> None:
        self.panel = panel
        self.profile = profiles.for_mode(mode)
        self._layout = packing.layout(panel, self.profile)
        self._idle: deque[Ring] = deque(maxlen=_MOST_IDLE_RINGS)
        self._lock = threading.Lock()
        self._lasting = self._new_lasting() if mode == "rotating" else None

    def seal(self, values: Float) -> tuple[SealedFeatures, Opening]:
        """Encrypt one feature vector.

        Args:
            values: one float64 a feature, in panel order, each within its declared bounds, or 0 where the predictor it
                belongs to is not asked.

        Returns:
            What goes to the engine, and what opens the answer.

        Raises:
            Fault: the vector is not such; the text names the feature, never its value.
        """
        checked = self._checked(values)
        laid = self._layout.lay(checked, _uniform)
        ring, evaluation_keys = self._lasting or (self._take_ring(), b"")
        with self._alone():
            sealed = ring.encrypt(laid.slots, self.profile.input_scale)
        request_id = secrets.token_bytes(REQUEST_ID_BYTES)
        features = SealedFeatures(self.profile.name, self.panel.digest, request_id, sealed, evaluation_keys)
        return features, Opening(ring, request_id, laid)

    def open(self, scores: SealedScores, opening: Opening) -> Scores:
        """Decrypt, check, and round each linear predictor to the step of the profile.

        Raises:
            EngineAnswerWrong: the answer is not exactly what a right engine gives to this request. It is one error with
                one text whatever the reason, so that an engine cannot learn from it by trying.
            Fault: the opening was used before.
        """
        with self._lock:
            ring, opening._ring = opening._ring, None
        if ring is None:
            raise Fault("An answer can be opened once only.")
        try:
            sums = self._sums(ring, scores, opening)
        except EngineAnswerWrong:
            if self._lasting and ring is self._lasting[0]:
                self._lasting = self._new_lasting()
            raise
        finally:
            self._give_back(ring)
        values = dict(zip(self.panel.rows, _rounded(sums, self.profile.step), strict=True))
        return Scores(values, self.profile.name, self.panel.digest)

    def _sums(self, ring: Ring, scores: SealedScores, opening: Opening) -> Float:
        """Unrounded sums of the rows: they never leave this class. All checks are made, whichever fails."""
        named = (self.profile.name, self.panel.digest, opening._request_id)
        if (scores.profile, scores.panel_digest, scores.request_id) != named:
            raise EngineAnswerWrong(_REFUSED)
        try:
            with self._alone():
                opened = ring.decrypt(ring.load(scores.sealed_sums, self.profile.product_scale))
        except (Incorrect, RuntimeError, ValueError):
            raise EngineAnswerWrong(_REFUSED) from None
        layout, tolerance = self._layout, self.profile.tolerance
        totals, residue = layout.sums(opened)
        sums = totals[: layout.rows]
        # Written so that a NaN fails.
        good = [
            bool(np.isfinite(opened).all()),
            bool(opening._laid.off(totals) <= tolerance),
            bool(residue <= tolerance),
            bool(((sums >= layout.low - tolerance) & (sums <= layout.high + tolerance)).all()),
        ]
        if not all(good):
            raise EngineAnswerWrong(_REFUSED)
        return sums

    def _checked(self, values: Float) -> Float:
        panel = self.panel
        if values.shape != (len(panel.features),) or values.dtype != np.float64:
            raise Fault("A feature vector must have one float64 for each feature of the panel.")
        inside = (values >= panel.low) & (values <= panel.high) | (values == 0.0)
        if not inside.all():
            name = panel.features[int(np.argmin(inside))]
            raise Fault(f"Feature {name} is outside the range its predictor declares.")
        if panel.chosen_twice(values):
            raise Fault("A feature vector has more than one feature of a choice.")
        return np.ascontiguousarray(values)

    def _new_ring(self) -> Ring:
        ring = Ring(self.profile)
        ring.make_keys()
        return ring

    def _new_lasting(self) -> tuple[Ring, bytes]:
        """A ring for many requests, and the evaluation keys that go with it."""
        ring = self._new_ring()
        return ring, ring.make_rotation_keys(self._layout.steps)

    def _alone(self) -> AbstractContextManager[object]:
        """Hold the others off a ring that requests share."""
        return self._lock if self._lasting else nullcontext()

    def _take_ring(self) -> Ring:
        """A ring with a key that nothing was sealed under yet."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._new_ring()

    def _give_back(self, ring: Ring) -> None:
        """Overwrite the key of a request that is over; the new one is for the next."""
        if self._lasting is None:
            ring.make_keys()
            self._idle.append(ring)


def _uniform(count: int) -> Float:
    """Secret numbers between -1 and 1."""
    bits = np.frombuffer(secrets.token_bytes(8 * count), dtype="<u8") >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-52 - 1.0


def _rounded(sums: Float, step: Decimal) -> list[Decimal]:
    return [Decimal(round(count)) * step for count in (sums / float(step)).tolist()]
