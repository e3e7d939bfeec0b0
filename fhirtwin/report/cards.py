"""Results, refusals and failures as CDS Hooks cards.

Of predictors there are three kinds: a card for each that was calculated, one for all that were not, and one that says
that the prediction engine failed. There is always at least one, for no cards would mean "nothing to say". Of any
service there are two: advice that is missing, and resources of the call that were set aside.

Source: https://cds-hooks.hl7.org/2.0/#card-attributes
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fhirtwin.errors import EngineQuarantined, EngineUnavailable, FhirtwinError, Issue
from fhirtwin.predictors.model import Predictor, Refusal, Result, Score, UsedInput
from fhirtwin.report import filing, requests
from fhirtwin.report.card import Card, this_server
from fhirtwin.report.identity import Identity
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.override_reasons import REASONS
from fhirtwin.report.risk_assessment import left_out, predictor_coding, risk_name
from fhirtwin.report.wording import citation, day, escape, is_assumed, lower, percent, plain, quantity, summary, table
from fhirtwin.settings import Settings
from fhirtwin.twin.state import PatientKey

INDICATORS: Final = ("info", "warning", "critical")
"""From least to most urgent."""

_NAMESPACE: Final = uuid.UUID("0a4ff2f5-8d6c-5d0f-9a3e-6f2d0c1b7e55")
_URL: Final = re.compile(r"https://[^\s<>\"]+[^\s<>\".,;)]")
_LIMITS: Final = (
    "An estimate for people with these values, not a diagnosis; it supports a decision and does not make one."
)

_MOST_LINES: Final = 10


def risk_card(
    result: Result, identity: Identity, occasion: Occasion, *, resource: Mapping[str, Any], stored: bool
) -> Card:
    """What one predictor says, with what can be done: file it, and order what a part of it waits for.

    Args:
        result: its scores, inputs and how it was computed.
        identity: makes the card's uuid the same for the same finding, and names the stored RiskAssessment.
        occasion: the patient and the day.
        resource: the RiskAssessment of it.
        stored: whether there is a stored RiskAssessment to link to.
    """
    scores = sorted(result.scores, key=_urgency, reverse=True)
    key = _uuid("risk", identity.key, identity.content)
    card: Card = {
        "uuid": key,
        "summary": summary(_headlines(scores)),
        "indicator": _indicator(scores[0]),
        "source": _source(result.vector.predictor, occasion),
        "detail": "\n\n".join(_risk_detail(result, occasion, stored=stored)),
        "overrideReasons": [dict(reason) for reason in REASONS],
    }
    if stored:
        url = f"{occasion.settings.base_url}/RiskAssessment/{identity.id}"
        card["links"] = [{"label": "RiskAssessment with its sources", "url": url, "type": "absolute"}]
    filed = filing.is_in_the_record(occasion, stored=stored)
    offered = [] if filed else [filing.suggestion(resource, key, occasion)]
    return _offering(card, [*offered, *requests.suggestions(result.vector.refusals, key, occasion)])


def not_calculated_card(refusals: Sequence[Refusal], occasion: Occasion) -> Card:
    """Which predictors said nothing, and every reason why, with an order of each thing that is missing.

    Args:
        refusals: at least one, each of a whole predictor.
        occasion: the patient and the day.
    """
    lines = []
    for refusal in refusals:
        reasons = "\n".join(f"* {escape(reason)}" for reason in refusal.reasons)
        lines.append(f"**{escape(refusal.predictor.title)}** was not calculated:\n\n{reasons}")
    topics = [f"{refusal.predictor.id} {' '.join(refusal.reasons)}" for refusal in refusals]
    if written := requests.only_written(refusals):
        lines.append(f"**To be recorded, not ordered:** {escape(', '.join(written))}.")
    key = _uuid("not-calculated", occasion.patient.origin, occasion.patient.id, *topics)
    card: Card = {
        "uuid": key,
        "summary": summary(_headline_of(refusals)),
        "indicator": "info",
        "source": _source(refusals[0].predictor if len(refusals) == 1 else None, occasion),
        "detail": "\n\n".join([*lines, "No statement is made about these risks: they are neither low nor high."]),
        "overrideReasons": [dict(reason) for reason in REASONS],
    }
    return _offering(card, requests.suggestions(refusals, key, occasion))


def engine_failed_card(error: FhirtwinError, occasion: Occasion) -> Card:
    """Says that risks are missing because the engine failed; a broken engine must never look like no risk."""
    what, then = _failure(error)
    return {
        "uuid": _uuid("engine-failed", occasion.patient.origin, occasion.patient.id),
        "summary": f"Risks not calculated: the prediction engine {what}",
        "indicator": "warning",
        "source": _source(None, occasion),
        "detail": (
            f"The prediction engine {what}, so no risk was calculated and nothing was stored. This says nothing about "
            f"the patient: it is not a low risk. {then}"
        ),
    }


def _failure(error: FhirtwinError) -> tuple[str, str]:
    """What the engine did, and what there is to do."""
    later = "Open the chart again later; if it stays so, tell those who run it."
    if isinstance(error, EngineQuarantined):
        return "is in quarantine because it gave a wrong answer", (
            "Opening the chart again does not help: tell those who run it. Risks that were stored since its last right "
            "answer are being withdrawn."
        )
    if isinstance(error, EngineUnavailable):
        return "did not answer in time or was not there", later
    return "gave an answer that failed its checks", later


def advice_missing_card(missing: Sequence[str], patient: PatientKey, settings: Settings) -> Card:
    """Says which advice is missing because a part of a service failed or was late.

    Args:
        missing: at least one, each as a noun.
        patient: whom the call is about.
        settings: those in force.
    """
    names = ", ".join(missing)
    return {
        "uuid": _uuid("advice-missing", patient.origin, patient.id, *missing),
        "summary": summary([f"Advice is missing: {names}"]),
        "indicator": "warning",
        "source": this_server(settings.base_url),
        "detail": (
            f"**{escape(names)}** was not ready in time, or failed, so nothing is said about it. This says nothing "
            "about the patient: it does not mean that all is well. What other cards say holds. Call again; if it stays "
            "so, tell those who run this server."
        ),
    }


def not_judged_card(issues: Sequence[Issue], patient: PatientKey, settings: Settings) -> Card:
    """Says that resources of a call were set aside because they are not valid, so nothing was said of them.

    Args:
        issues: what is wrong with them, each with its place; at least one.
        patient: whom the call is about.
        settings: those in force.
    """
    lines = [f"* {escape(', '.join(issue.expression))}: {escape(issue.text)}" for issue in issues[:_MOST_LINES]]
    return {
        "uuid": _uuid("not-judged", patient.origin, patient.id, *lines),
        "summary": "Not judged: a part of what was sent is not valid FHIR R4",
        "indicator": "warning",
        "source": this_server(settings.base_url),
        "detail": "\n\n".join(
            [
                "What is named here was set aside and nothing is said of it. This does not mean that all is well.",
                "\n".join(lines),
            ]
        ),
    }


def _offering(card: Card, suggestions: list[dict[str, Any]]) -> Card:
    """The card with its suggestions, of which any number may be taken: none excludes another."""
    return {**card, "suggestions": suggestions, "selectionBehavior": "any"} if suggestions else card


def _headlines(scores: Sequence[Score]) -> Iterator[str]:
    years = 0
    for score in scores:
        output = score.output
        name = (
            lower(output.outcome.display or output.outcome.code) if output.horizon_years == years else risk_name(output)
        )
        years = output.horizon_years
        yield f"{name} {percent(score.percent)}" + (f", {score.category.text}" if score.category else "")


def _headline_of(refusals: Sequence[Refusal]) -> Iterator[str]:
    """The reasons when one predictor said nothing; else the names of all, for each must be seen to be missing."""
    first, *others = refusals
    if others:
        yield f"Risks not calculated: {first.predictor.title}"
        yield from (refusal.predictor.title for refusal in others)
    else:
        yield f"{first.predictor.title} not calculated: {first.reasons[0]}"
        yield from first.reasons[1:]


def _urgency(score: Score) -> tuple[int, bool]:
    """A category outranks none, and a more urgent one a less urgent one; equals stay in the predictor's order."""
    return INDICATORS.index(_indicator(score)), score.category is not None


def _indicator(score: Score) -> str:
    return score.category.indicator if score.category else "info"


def _source(predictor: Predictor | None, occasion: Occasion) -> dict[str, Any]:
    if predictor is None:
        return this_server(occasion.settings.base_url)
    found = _URL.search(predictor.source)
    topic = predictor_coding(predictor)
    url = found[0] if found else f"{occasion.settings.base_url}/metadata"
    return {"label": plain(predictor.title), "url": url, "topic": topic}


def _risk_detail(result: Result, occasion: Occasion, *, stored: bool) -> Iterator[str]:
    vector = result.vector
    title = f"{escape(vector.predictor.title)}, version {escape(vector.predictor.version)}"
    yield f"**{title}**, for {occasion.as_of.isoformat()}, at age {vector.age_years}."
    yield table(("Risk", "Percent", "Category"), map(_score_row, result.scores))
    yield table(("Input", "Value", "Date", "Source"), map(_input_row, vector.inputs))
    if assumed := [lower(given.label) for given in vector.inputs if is_assumed(given)]:
        names = escape(", ".join(assumed))
        yield f"**None recorded, counted as no:** {names}. The lists they would be on were obtained."
    if vector.checks:
        yield table(("Checked before", "Found", "Date", "Source"), map(_input_row, vector.checks))
    for what, why in left_out(vector):
        yield f"**Not calculated:** {escape(what)}, because {escape(why)}."
    for note in result.notes:
        yield escape(note)
    yield f"**How it was computed:** {escape(result.how)}"
    yield f"**Model:** {escape(vector.predictor.source)}"
    if not stored:
        yield (
            "**Not stored:** the call names no other FHIR server and this server holds no such patient, so there is "
            "nobody to attach a RiskAssessment to."
        )
    yield _LIMITS


def _score_row(score: Score) -> tuple[str, ...]:
    named = score.category
    category = f"{named.text}, {named.guideline}" if named else "none named by a guideline"
    return risk_name(score.output), percent(score.percent), category


def _input_row(given: UsedInput) -> tuple[str, ...]:
    value = quantity(given.value, given.unit) + (f" ({given.note})" if given.note else "")
    return given.label, value, day(given.time) or "–", ", ".join(map(citation, given.sources)) or "–"


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\x00".join(parts)))
