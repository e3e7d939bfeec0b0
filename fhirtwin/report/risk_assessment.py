"""A `Result` as a FHIR R4 RiskAssessment, and back to the percentages that were stored.

`probabilityDecimal` is a percentage, 0 to 100: see `docs/decisions/0004-probability-is-a-percentage.md`.

Source: http://hl7.org/fhir/R4/riskassessment-definitions.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from fhirtwin.predictors.model import FeatureVector, Output, Predictor, Result, Score
from fhirtwin.report.identity import Identity, basis, refer
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.wording import is_assumed, lower, percent
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.systems import FHIRTWIN, UCUM

PREDICTOR_SYSTEM: Final = f"{FHIRTWIN}/CodeSystem/predictor"
MODEL_SYSTEM: Final = f"{FHIRTWIN}/CodeSystem/model"
MODEL_HASH_SYSTEM: Final = f"{FHIRTWIN}/CodeSystem/model-hash"
CATEGORY_SYSTEM: Final = f"{FHIRTWIN}/CodeSystem/risk-category"
KEY_SYSTEM: Final = f"{FHIRTWIN}/identifier/assessment-key"
CONTENT_SYSTEM: Final = f"{FHIRTWIN}/identifier/assessment-content"


def risk_assessment(
    result: Result, identity: Identity, occasion: Occasion, *, corrected: bool = False, unheld: Collection[str] = ()
) -> dict[str, Any]:
    """The RiskAssessment of one predictor.

    Args:
        result: scores with the inputs they were computed from.
        identity: of this result on this occasion.
        occasion: whom and which day it is about.
        corrected: whether it replaces a version that was calculated from an input since corrected.
        unheld: references to sources that this server does not hold (`fhirtwin.report.identity.refer`).
    """
    resource: dict[str, Any] = {
        "resourceType": "RiskAssessment",
        "id": identity.id,
        "identifier": [
            {"system": KEY_SYSTEM, "value": identity.key},
            {"system": CONTENT_SYSTEM, "value": identity.content},
        ],
        "status": "corrected" if corrected else "final",
        "method": method(result.vector.predictor),
        "subject": {"reference": occasion.subject},
        "occurrenceDateTime": occasion.as_of.isoformat(),
        "basis": [refer(reference, unheld) for reference in basis(result.vector)],
        "prediction": [_prediction(score, result) for score in result.scores],
        "note": [{"text": text} for text in notes(result)],
    }
    return {name: value for name, value in resource.items() if value != []}


def method(predictor: Predictor) -> dict[str, Any]:
    """The model and its version, as a CodeableConcept; of one that came as a package, its hash as well."""
    name = predictor_coding(predictor)
    named = {"system": name["system"], "version": predictor.version, "code": name["code"], "display": name["display"]}
    text = f"{predictor.title}, version {predictor.version}"
    if not predictor.model_hash:
        return {"coding": [named], "text": text}
    model_hash = {"system": MODEL_HASH_SYSTEM, "code": predictor.model_hash}
    return {"coding": [named, model_hash], "text": f"{text}, SHA-256 {predictor.model_hash}"}


def predictor_coding(predictor: Predictor) -> dict[str, str]:
    """What a predictor is called, as a Coding. Names that authors of packages give are in a system of their own."""
    system = MODEL_SYSTEM if predictor.model_hash else PREDICTOR_SYSTEM
    return {"system": system, "code": predictor.id, "display": predictor.title}


def notes(result: Result) -> list[str]:
    """What a reader must know beside the numbers: assumptions, what is left out, how it was computed, the source."""
    vector = result.vector
    texts = [
        f"None recorded, counted as no: {given.label}. The list it would be on was obtained."
        for given in vector.inputs
        if is_assumed(given)
    ]
    texts += [f"Not calculated: {what}, because {why}." for what, why in left_out(vector)]
    return [*texts, *result.notes, result.how, f"Source of the model: {vector.predictor.source}"]


def risk_name(output: Output) -> str:
    """`10-year risk of heart failure`: what one output is called in a sentence."""
    return f"{output.horizon_years}-year risk of {lower(output.outcome.display or output.outcome.code)}"


def left_out(vector: FeatureVector) -> Iterator[tuple[str, str]]:
    """Outputs that were not calculated, those with the same reasons together: what, and why."""
    names: dict[tuple[str, ...], list[str]] = {}
    for refusal in vector.refusals:
        names.setdefault(refusal.reasons, []).append(risk_name(refusal.output) if refusal.output else "a part of it")
    for reasons, what in names.items():
        yield ", ".join(what), "; ".join(reasons)


def content_of(resource: Mapping[str, Any]) -> str:
    """The content digest that a stored RiskAssessment carries; empty when it carries none."""
    for identifier in resource.get("identifier", ()):
        if identifier.get("system") == CONTENT_SYSTEM:
            return str(identifier.get("value", ""))
    return ""


def as_stored(result: Result, resource: Mapping[str, Any], occasion: Occasion) -> Result:
    """The result with the percentages of the RiskAssessment that is stored for it, so that card and resource agree.

    The last digit of a number opened from a ciphertext may differ between two calls; the first one stored stands.
    """
    stored = [prediction.get("probabilityDecimal") for prediction in resource.get("prediction", ())]
    if len(stored) != len(result.scores) or any(value is None for value in stored):
        return result
    scores = tuple(
        _restated(score, Decimal(value), occasion) for score, value in zip(result.scores, stored, strict=True)
    )
    return replace(result, scores=scores)


def _restated(score: Score, value: Decimal, occasion: Occasion) -> Score:
    if score.percent == value:
        return score
    return Score(score.output, value, score.output.category(value, occasion.settings))


def _prediction(score: Score, result: Result) -> dict[str, Any]:
    output, age = score.output, result.vector.age_years
    codings = [coding(output.outcome), *([coding(output.snomed)] if output.snomed else [])]
    prediction: dict[str, Any] = {
        "outcome": {"coding": codings, "text": output.outcome.display or output.outcome.code},
        "probabilityDecimal": score.percent,
        "whenRange": {"low": _years(age), "high": _years(age + output.horizon_years)},
        "rationale": _rationale(score, age, result.how),
    }
    if score.category:
        named = {"system": CATEGORY_SYSTEM, "code": score.category.code}
        text = f"{score.category.text}, {score.category.guideline}"
        prediction["qualitativeRisk"] = {"coding": [named], "text": text}
    return prediction


def _rationale(score: Score, age: int, how: str) -> str:
    horizon = score.output.horizon_years
    category = f", {score.category.text} by {score.category.guideline}" if score.category else ""
    return (
        f"{percent(score.percent)} (a percentage, not a fraction) within {horizon} years, "
        f"from age {age} to age {age + horizon}{category}. {how}"
    )


def coding(given: Coding) -> dict[str, str]:
    """A coding as FHIR writes it."""
    display = {"display": given.display} if given.display else {}
    return {"system": given.system, "code": given.code, **display}


def _years(years: int) -> dict[str, Any]:
    return {"value": years, "unit": "years", "system": UCUM, "code": "a"}
