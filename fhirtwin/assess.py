"""ROAD 2: the twin of a patient → features → sealed → engine → opened → scores. The whole way on one screen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from fhirtwin import __version__, timing
from fhirtwin.ckks.panel import Panel
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import EngineClosesModel, EngineLacksModel
from fhirtwin.features import caveats, vector
from fhirtwin.features.panel import panel_values
from fhirtwin.packages.kind import Predictive
from fhirtwin.predictors import score
from fhirtwin.predictors.model import FeatureVector, Predictor, Refusal, Result
from fhirtwin.settings import Settings
from fhirtwin.twin import derived
from fhirtwin.twin.state import PatientKey, TwinState
from fhirtwin.vault import Asking, Golden, Send, Vault, answered
from fhirtwin.vault import golden as golden_cases

WITHDRAWN: Final = (
    "the engine does not serve this version of the model; whoever runs it has withdrawn it, or not published it yet"
)

CLOSED: Final = (
    "the engine does not let this gateway ask for this model; whoever runs the engine can (`models` of the tenant)"
)

NOT_KEPT: Final = (
    "this model is sealed under keys that last, and this gateway keeps none; whoever runs it can set "
    "FHIRTWIN_CIRCUIT_KEYS=kept"
)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What came of all predictors that were asked, for one patient on one day."""

    patient: PatientKey
    subject: str
    """Reference to the Patient: relative when stored here, else absolute."""
    as_of: date
    results: tuple[Result, ...]
    refusals: tuple[Refusal, ...]


class Gate(Protocol):
    """Within which the engine is asked: it keeps one that answered wrongly from being asked. `Quarantine` is one."""

    def probed(self) -> AbstractContextManager[None]:
        """Where the answer has a probe."""

    def asked(self, what: str) -> AbstractContextManager[None]:
        """Where a right answer says nothing of the engine; `what` is the hash of the model."""

    def judged(self, what: str) -> AbstractContextManager[None]:
        """Where a golden case is asked beside such, and judged."""


class _Open:
    """Keeps nobody from being asked."""

    def probed(self) -> AbstractContextManager[None]:
        """Nothing is kept."""
        return nullcontext()

    def asked(self, what: str) -> AbstractContextManager[None]:
        """Nothing is kept."""
        return nullcontext()

    judged = asked


UNGATED: Final[Gate] = _Open()
"""Where nobody is kept from being asked."""


@dataclass(frozen=True, slots=True)
class SealedModel:
    """A model that came as a package, and what asks it. It has ciphertexts of its own.

    Attributes:
        author: what we call whoever signed it.
        asks: None when it cannot be asked here.
        why_not: why, in words.
    """

    model: Predictive
    author: str
    asks: Asking | None
    why_not: str = ""

    @property
    def predictor(self) -> Predictor:
        """Its public half."""
        return self.model.predictor


class Assessor:
    """Runs predictors on a twin. The vault in it seals and opens; `send` leads to the engine, which sees ciphertext.

    `opener` is who holds the key, in the words of the results.
    """

    def __init__(
        self,
        predictors: Sequence[Predictor],
        panel: Panel,
        vault: Vault,
        send: Send,
        settings: Settings,
        gate: Gate = UNGATED,
        models: Sequence[SealedModel] = (),
        opener: str = "the gateway",
    ) -> None:
        self.predictors = (*predictors, *(model.predictor for model in models))
        self._models = tuple(models)
        self.panel = panel
        self._vault, self._send, self._settings, self._gate = vault, send, settings, gate
        self._opener, self._golden = opener, Golden(settings.golden_share)

    def assess(self, state: TwinState, as_of: date, *, only: Collection[str] | None = None) -> Assessment:
        """Calculate what can be calculated, and say why the rest cannot.

        All eligible predictors go in one ciphertext of the whole panel, zeros for the others, so the engine cannot tell
        which were asked. When none is eligible nothing is sent: a call of zeros would cost tens of milliseconds to hide
        from the engine no more than that somebody, whom it does not know, was not scored. Models that came as packages
        are asked in the same way, all or none, with ciphertexts of their own.

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
        if not vectors:
            return Assessment(state.patient, state.reference, as_of, (), refusals)
        own = [v for v in vectors if not v.predictor.model_hash]
        sums = self._sums(own)
        profile, what = self._vault.profile, "weighted sum"
        results = [self._result(v, _of(v.predictor, sums), profile, known, what) for v in own]
        for model in self._models:
            chosen = next((v for v in vectors if v.predictor is model.predictor), None)
            told = self._asked(model, chosen)
            if chosen is None:
                continue
            if isinstance(told, str):
                refusals += (Refusal(chosen.predictor, (told,)),)
            elif model.asks is not None:
                how = " ".join(["", *filter(None, (model.model.told_of(chosen.values), _signed(model)))])
                results.append(self._result(chosen, told, model.asks.profile, known, model.asks.what, how))
        return Assessment(state.patient, state.reference, as_of, tuple(results), refusals)

    def _sums(self, vectors: Sequence[FeatureVector]) -> Mapping[str, Decimal]:
        with self._gate.probed():
            return answered(self._vault, panel_values(vectors, self.panel), self._send).values

    def _asked(self, model: SealedModel, chosen: FeatureVector | None) -> Mapping[str, Decimal] | str:
        """What a model opens to, or why it does not, in words. It is asked although it was not chosen."""
        if model.asks is None:
            return model.why_not
        given = model.model.nothing if chosen is None else model.model.given(chosen.features)
        refused = "" if chosen is None else model.model.refuses(given)
        try:
            sums = self._opened(model, model.asks, model.model.nothing if refused else given)
        except EngineClosesModel:
            return refused or CLOSED
        except EngineLacksModel:
            return refused or WITHDRAWN
        return refused or sums

    def _opened(self, model: SealedModel, asks: Asking, given: NDArray[np.float64]) -> Mapping[str, Decimal]:
        send, what = self._send, model.predictor.model_hash
        if model.model.is_probed:
            with self._gate.probed():
                return asks.ask(given, send)

        def patient() -> Mapping[str, Decimal]:
            with self._gate.asked(what):
                return asks.ask(given, send)

        def case() -> None:
            with self._gate.judged(what):
                golden_cases.judge(asks, model.model, send)

        return self._golden.beside(patient, case)

    def _result(
        self,
        given: FeatureVector,
        sums: Mapping[str, Decimal],
        profile: Profile,
        known: TwinState,
        what: str,
        more: str = "",
    ) -> Result:
        how = (
            f"The {what} was computed on ciphertext by fhirtwin engine {__version__} (CKKS, parameter profile "
            f"{profile.name}, {profile.mode} mode), which held no key that opens; {self._opener} opened and "
            f"rounded it, and applied the equation's constant and link.{more}"
        )
        return Result(given, score.scores(given, sums, self._settings), how, caveats.notes(known, given.predictor))


def _of(predictor: Predictor, sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The sums of one predictor out of those of the panel, by the names that it gives them."""
    prefix = f"{predictor.id}:"
    return {name.removeprefix(prefix): value for name, value in sums.items() if name.startswith(prefix)}


def _signed(model: SealedModel) -> str:
    predictor = model.predictor
    return (
        f"Its weights are the engine's alone: model {predictor.id}, version {predictor.version}, SHA-256 "
        f"{predictor.model_hash}, signed by {model.author}."
    )
