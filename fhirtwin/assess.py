"""ROAD 2: the twin of a patient → features → sealed → engine → opened → scores. The whole way on one screen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from fhirtwin import __version__, timing
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.sealed import Scores, SealedFeatures, SealedScores
from fhirtwin.features import caveats, vector
from fhirtwin.features.panel import panel_values
from fhirtwin.predictors import score
from fhirtwin.predictors.model import FeatureVector, Predictor, Refusal, Result
from fhirtwin.settings import Settings
from fhirtwin.twin import derived
from fhirtwin.twin.state import PatientKey, TwinState
from fhirtwin.vault import Vault


@dataclass(frozen=True, slots=True)
class Assessment:
    """What came of all predictors that were asked, for one patient on one day."""

    patient: PatientKey
    subject: str
    """Reference to the Patient: relative when stored here, else absolute."""
    as_of: date
    results: tuple[Result, ...]
    refusals: tuple[Refusal, ...]


class Road(Protocol):
    """The way to the engine: a courier, or a gateway between."""

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        """Have sealed features evaluated."""


class Assessor:
    """Runs predictors on a twin. The vault in it seals and opens; the courier carries; the engine sees ciphertext.

    The engine is asked within `gate`, which keeps one that answered wrongly from being asked. `opener` is who holds the
    key, in the words of the results.
    """

    def __init__(
        self,
        predictors: Sequence[Predictor],
        panel: Panel,
        vault: Vault,
        courier: Road,
        settings: Settings,
        gate: Callable[[], AbstractContextManager[None]] = nullcontext,
        opener: str = "the gateway",
    ) -> None:
        self.predictors = tuple(predictors)
        self.panel = panel
        self._vault, self._courier, self._settings, self._gate = vault, courier, settings, gate
        self._opener = opener

    def assess(self, state: TwinState, as_of: date, *, only: Collection[str] | None = None) -> Assessment:
        """Calculate what can be calculated, and say why the rest cannot.

        All eligible predictors go in one ciphertext of the whole panel, zeros for the others, so the engine cannot tell
        which were asked. When none is eligible nothing is sent: a call of zeros would cost tens of milliseconds to hide
        from the engine no more than that somebody, whom it does not know, was not scored.

        Args:
            state: the twin, as it is now.
            as_of: the day the risks are stated for.
            only: ids of the predictors to run; None means all.

        Raises:
            EngineUnavailable: the engine did not answer in time, or is of another version.
            EngineAnswerRefused: its answer failed a check, or one did before. In all cases nothing is calculated, not
                even in part.
        """
        with timing.stage("map"):
            asked = [p for p in self.predictors if only is None or p.id in only]
            known = derived.as_of(state, as_of)
            built = [vector.assemble(known, predictor, as_of, self._settings) for predictor in asked]
        vectors = tuple(v for v in built if isinstance(v, FeatureVector))
        refusals = tuple(r for r in built if isinstance(r, Refusal))
        opened = self._sums(vectors) if vectors else None
        results = tuple(self._result(v, opened, known) for v in vectors) if opened else ()
        return Assessment(state.patient, state.reference, as_of, results, refusals)

    def _sums(self, vectors: Sequence[FeatureVector]) -> Scores:
        with self._gate():
            with timing.stage("seal"):
                sealed_features, opening = self._vault.seal(panel_values(vectors, self.panel))
            sealed_scores = self._courier.evaluate(sealed_features)
            with timing.stage("open"):
                return self._vault.open(sealed_scores, opening)

    def _result(self, given: FeatureVector, opened: Scores, known: TwinState) -> Result:
        prefix = f"{given.predictor.id}:"
        sums = {name.removeprefix(prefix): s for name, s in opened.values.items() if name.startswith(prefix)}
        how = (
            f"The weighted sum was computed on ciphertext by fhirtwin engine {__version__} (CKKS, parameter profile "
            f"{opened.profile}, {self._settings.sealing} mode), which held no key that opens; {self._opener} opened "
            "and rounded it, and applied the equation's constant and link."
        )
        return Result(given, score.scores(given, sums, self._settings), how, caveats.notes(known, given.predictor))
