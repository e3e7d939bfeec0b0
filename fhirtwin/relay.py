"""ROAD 3: what somebody sealed under a key of their own → engine → what came, still sealed. Nothing here can open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import MASKED
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.ckks.wire import REQUEST_ID_BYTES
from fhirtwin.errors import Conflict, Incorrect


class Relay:
    """Passes sealed vectors of patients on to the engine. Threads may share it.

    It serves the masked profile alone, which is the one that needs no key from whoever seals, not even a public one.

    Args:
        panel: the engine's.
        evaluate: carries sealed features to the engine and gives its answer.
        gate: within which the engine is asked; it keeps one in quarantine from being asked.
    """

    def __init__(
        self,
        panel: Panel,
        evaluate: Callable[[SealedFeatures], SealedScores],
        gate: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.panel, self.profile = panel, MASKED
        self._evaluate, self._gate = evaluate, gate

    def evaluate(self, profile: str, panel_digest: str, request_id: bytes, sealed_vector: bytes) -> SealedScores:
        """Have the engine evaluate a sealed vector. Whether the answer is right only the holder of the key can tell.

        Args:
            profile: parameter profile that it was sealed under.
            panel_digest: of the panel that it was laid out for, in hex.
            request_id: 16 bytes, new for each request.
            sealed_vector: one ciphertext.

        Raises:
            Incorrect: another profile, or a part has not exactly the length it must have.
            Conflict: laid out for another panel than this gateway's.
            EngineUnavailable, EngineAnswerRefused: the engine failed.
        """
        if profile != self.profile.name:
            raise Incorrect(
                f"Who holds the key seals under profile {self.profile.name}: any other would need a key to be sent."
            )
        if len(request_id) != REQUEST_ID_BYTES:
            raise Incorrect(f"`request` must be {2 * REQUEST_ID_BYTES} hexadecimal digits, new for each request.")
        if len(sealed_vector) != self.profile.ciphertext_bytes:
            raise Incorrect(f"`vector` must have exactly {self.profile.ciphertext_bytes} bytes: one ciphertext.")
        if panel_digest != self.panel.digest:
            raise Conflict(
                "The vector was sealed for another panel of predictors than this gateway has: load the page anew, or "
                "install the same version of fhirtwin on both sides."
            )
        with self._gate():
            return self._evaluate(SealedFeatures(profile, panel_digest, request_id, sealed_vector))
