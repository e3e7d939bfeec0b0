"""What is written of a patient: a row with every score and every reason, and RiskAssessments where they are wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from fhirtwin.features.case import Case
from fhirtwin.predictors.model import Refusal, Result
from fhirtwin.report.identity import identity
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.risk_assessment import risk_assessment
from fhirtwin.settings import Settings

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

Json = dict[str, Any]


def row(case: Case, results: tuple[Result, ...], model: str, place: Json) -> bytes:
    """Give the row of a patient as a line.

    Args:
        case: what was asked.
        results: of its vectors, in their order.
        model: digest of the circuit with its weights.
        place: where the patient was found: a line with its digest, or a version of the twin.
    """
    said: Json = {"patient": case.reference, "date": case.as_of.isoformat(), **place, "model": model}
    said["results"] = [_result(result, score) for result in results for score in result.scores]
    said["refused"] = list(_refusals(case))
    return _ENCODER.encode(said) + b"\n"


def assessments(case: Case, results: tuple[Result, ...], panel: str, settings: Settings) -> bytes:
    """Give the RiskAssessments of a patient as lines.

    Args:
        case: what was asked.
        results: of its vectors.
        panel: digest of the weights, as every other RiskAssessment names them.
        settings: those in force.
    """
    occasion = Occasion(case.patient, case.reference, case.as_of, panel, settings)
    made = (risk_assessment(one, identity(one.vector, occasion), occasion) for one in results)
    return b"".join(_ENCODER.encode(one) + b"\n" for one in made)


def digest(case: Case) -> bytes:
    """Name a patient in 16 bytes."""
    return hashlib.sha256(f"{case.patient.origin}\x00{case.patient.id}".encode()).digest()[:16]


def _result(result: Result, score: Any) -> Json:
    predictor = result.vector.predictor
    said = {
        "predictor": predictor.id,
        "version": predictor.version,
        "output": score.output.id,
        "percent": score.percent,
    }
    return {**said, "category": score.category.code} if score.category else said


def _refusals(case: Case) -> Iterator[Json]:
    for vector in case.vectors:
        yield from map(_refusal, vector.refusals)
    yield from map(_refusal, case.refusals)


def _refusal(refusal: Refusal) -> Json:
    output = {"output": refusal.output.id} if refusal.output else {}
    return {"predictor": refusal.predictor.id, **output, "reasons": refusal.reasons}
