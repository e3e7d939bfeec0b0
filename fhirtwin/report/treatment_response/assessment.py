"""One candidate medicine as a RiskAssessment: response and discontinuation, each with interval, terms and DOIs.

`probabilityDecimal` is a percentage, as everywhere (`docs/decisions/0004-probability-is-a-percentage.md`).

*Source*: http://hl7.org/fhir/R4/riskassessment-definitions.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from fhirtwin.pgx.response.cautions import Caution
from fhirtwin.pgx.response.compare import Candidate
from fhirtwin.pgx.response.exposure import SideEffect
from fhirtwin.pgx.response.terms import Estimate, Missing, Term
from fhirtwin.report.genomics import codes
from fhirtwin.report.genomics.implication import About, converted
from fhirtwin.report.genomics.made import Made, made
from fhirtwin.report.treatment_response.findings import Findings
from fhirtwin.terms.systems import UCUM, profile

Json = dict[str, Any]

INTERVAL: Final = profile("probability-interval")
METHOD: Final = "Published effects against placebo added up on the logit, their errors taken as independent"
DOI: Final = "https://doi.org/"


def assessment(one: Candidate, found: Findings, about: About) -> Made | None:
    """Write what is expected of a candidate; None where there is no evidence of it at all."""
    estimates = [each for each in (one.response, one.discontinuation) if each]
    if not estimates:
        return None
    told = found.told
    resource: Json = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "method": {"text": METHOD},
        "code": {"text": f"Expected response to {one.drug} in {told.setting}, treatment step {told.step}"},
        "subject": {"reference": about.subject},
        "occurrenceDateTime": about.day,
        "reasonCode": [codes.medicine(one.drug, one.rxnorm or found.medicines[one.drug].code)],
        "basis": [about.refer(source) for source in found.sources(one)],
        "prediction": [_prediction(each, one.drug) for each in estimates],
        "note": [{"text": text} for text in notes(one, found)],
    }
    whole = {name: value for name, value in resource.items() if value != []}
    return made(whole, about.subject, about.day, "treatment-response", told.setting, str(told.step), one.drug)


def notes(one: Candidate, found: Findings) -> Iterator[str]:
    """What must be known beside the numbers, and what they are not."""
    yield from (f"{each.strength.capitalize()} by its label: {_caution(each)}" for each in one.met)
    yield from (f"Not known whether there is: {_caution(each, each.strength)}" for each in one.unasked)
    yield from (f"By the genes, and no part of the numbers: {text}." for text in found.by_genes(one.drug))
    yield from (f"{text}." for text in one.no_evidence)
    if one.like:
        yield f"In response it cannot be told apart from {', '.join(one.like)}."
    yield from (f"{text}." for text in one.exposure)
    for each in found.shown[one.drug].conversions:
        if each.changed:
            yield f"{converted(each)} {each.rule}."
        yield from (f"{text}." for text in each.notices)
    yield from map(_side_effect, one.side_effects)
    # R4 lets `workflow-relatedArtifact` stand on no RiskAssessment.
    yield f"Publications: {' '.join(f'{DOI}{doi}' for doi in publications(one))}"
    yield found.told.statement


def publications(one: Candidate) -> tuple[str, ...]:
    """Every DOI that a number is from, once."""
    estimates = [each for each in (one.response, one.discontinuation) if each]
    dois = [term.doi for each in estimates for term in each.terms]
    dois += [term.doi for each in estimates for term in each.missing]
    dois += [doi for effect in one.side_effects for doi in effect.doi]
    return tuple(dict.fromkeys(filter(None, dois)))


def _prediction(estimate: Estimate, drug: str) -> Json:
    low, high = estimate.interval
    value = {"low": _percent(low), "high": _percent(high)}
    return {
        "extension": [{"url": INTERVAL, "valueRange": {end: _quantity(number) for end, number in value.items()}}],
        "outcome": {"text": f"{estimate.outcome.capitalize()}: {drug}"},
        "probabilityDecimal": _percent(estimate.probability),
        "rationale": _rationale(estimate),
    }


def _rationale(estimate: Estimate) -> str:
    low, high = map(_percent, estimate.interval)
    terms = "; ".join(map(_term, estimate.terms))
    missing = "; ".join(map(_missing, estimate.missing))
    return (
        f"{_percent(estimate.probability)} % (95 % interval of the average {low} to {high} %; percentages, not "
        f"fractions). Added up on the logit: {terms}. Not added: {missing}."
    )


def _term(one: Term) -> str:
    return f"{one.name} {one.figure.value:+.3f} (standard error {one.figure.error:.3f}; {one.note}; doi {one.doi})"


def _missing(one: Missing) -> str:
    return f"{one.name}, because {one.reason}{f' (doi {one.doi})' if one.doi else ''}"


def _caution(one: Caution, strength: str = "") -> str:
    how = f", {strength}" if strength else ""
    return f"{one.condition}{how} ({one.why}; {one.source}, {one.url})."


def _side_effect(one: SideEffect) -> str:
    form = f" ({one.form})" if one.form else ""
    said = f"Side effect, {one.effect}{form}: {one.published:g} % by the monograph"
    if one.label:
        capped = ", at the most that is told" if one.capped else ""
        width = f" ({one.low:.0f} to {one.high:.0f} %)" if one.low < one.high else ""
        said += f", {one.expected:.0f} %{width} by exposure{capped}: {one.label}"
    return f"{said}; {', '.join(f'doi {doi}' for doi in one.doi)}."


def _percent(share: float) -> Decimal:
    return Decimal(f"{100 * share:.1f}")


def _quantity(value: Decimal) -> Json:
    return {"value": value, "unit": "%", "system": UCUM, "code": "%"}
