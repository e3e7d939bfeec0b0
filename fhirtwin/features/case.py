"""One patient of many: the vectors of all predictors that apply, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fhirtwin.features import caveats, vector
from fhirtwin.predictors.model import FeatureVector, Predictor, Refusal
from fhirtwin.settings import Settings
from fhirtwin.twin import derived
from fhirtwin.twin.state import PatientKey, TwinState


@dataclass(frozen=True, slots=True)
class Case:
    """A patient as it is scored.

    Attributes:
        reference: to the Patient: relative when stored here, else absolute.
        vectors: one for each predictor that can say something.
        notes: what a reader of a result must know of the record, for each vector.
        refusals: predictors that can say nothing, each with every reason.
    """

    patient: PatientKey
    reference: str
    as_of: date
    vectors: tuple[FeatureVector, ...]
    notes: tuple[tuple[str, ...], ...]
    refusals: tuple[Refusal, ...]


def of(state: TwinState, as_of: date, predictors: Iterable[Predictor], settings: Settings) -> Case:
    """Prepare a twin for its predictors.

    Args:
        state: the twin, as it is now.
        as_of: the day the risks are stated for.
        predictors: those that are asked.
        settings: how old a value may be.
    """
    known = derived.as_of(state, as_of)
    built = [vector.assemble(known, predictor, as_of, settings) for predictor in predictors]
    vectors = tuple(one for one in built if isinstance(one, FeatureVector))
    return Case(
        state.patient,
        state.reference,
        as_of,
        vectors,
        tuple(caveats.notes(known, one.predictor) for one in vectors),
        tuple(one for one in built if isinstance(one, Refusal)),
    )
