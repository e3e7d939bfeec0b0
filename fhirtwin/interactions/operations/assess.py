"""$assess: `GET` or `POST [base]/Patient/[id]/$assess`, the risks of a patient who is stored here.

*Source*: `profiles/OperationDefinition-assess.json`, http://hl7.org/fhir/R4/operations.html#executing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from fhirtwin.access.visibility import require_whole_record
from fhirtwin.errors import Incorrect, Issue, MethodNotAllowed
from fhirtwin.fhir import codec, outcome
from fhirtwin.interactions import replaced, reporting
from fhirtwin.interactions.context import Answer, Services
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.interactions.reporting import Findings, Report
from fhirtwin.predictors.model import Refusal
from fhirtwin.report.risk_assessment import left_out
from fhirtwin.terms.systems import FHIRTWIN
from fhirtwin.twin.state import LOCAL, PatientKey, TwinState


def assess(call: Call) -> Answer:
    """Calculate the risks of a patient.

    Args:
        call: `predictor` (any number of ids; all when absent), `date` (today when absent, never later), `store`
            (true stores the RiskAssessments; only when POSTed, since R4 lets a GET change nothing).

    Returns:
        200 with a Bundle of RiskAssessments and, for what could not be calculated, one OperationOutcome with every
        reason: `warning` for a whole predictor, `information` for an output of one that was calculated.

    Raises:
        Incorrect: a parameter is wrong.
        MethodNotAllowed: `store` in a GET.
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another, whom the text names.
        EngineUnavailable, EngineAnswerRefused: the engine failed; nothing is calculated, and nothing stored.
    """
    services = call.services
    require_whole_record(call.caller)
    if call.method == "GET" and call.one("store") is not None:
        raise MethodNotAllowed("A GET changes nothing, so it takes no `store`; POST to $assess with store=true.")
    day = _day(call.one("date"), reporting.today(services))
    only = _predictors(call.every("predictor"), services)
    with services.store.snapshot() as reader:
        replaced.current(reader, call.caller, call.id)
        patient = PatientKey(LOCAL, call.id)
        state = reader.twin(patient) or TwinState(patient, 0, (), reference=patient.reference)
    keep = call.one("store") is True
    found = reporting.assess(services, call.caller, state, day, keep=keep, only=only)
    entries = [_entry(report, services) for report in found.reports]
    if issues := list(_issues(found)):
        entries.append(_with_full_url(outcome.operation_outcome(issues)))
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return Answer(200, codec.encode(bundle))


def _day(text: str | None, today: date) -> date:
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Incorrect("`date` must be a day: YYYY-MM-DD.") from None
    if day > today:
        raise Incorrect("`date` must not lie in the future: what will be known then is not known now.")
    return day


def _predictors(asked: tuple[str, ...], services: Services) -> tuple[str, ...] | None:
    known = [predictor.id for predictor in reporting.assessor(services).predictors]
    if set(asked) - set(known):
        raise Incorrect(f"There is no such predictor; there are {', '.join(known)}.")
    return asked or None


def _entry(report: Report, services: Services) -> dict[str, Any]:
    if report.stored:
        return {"fullUrl": f"{services.base_url}/RiskAssessment/{report.identity.id}", "resource": report.resource}
    # What is not stored is at no address, so it goes out without an id.
    return _with_full_url({name: value for name, value in report.resource.items() if name != "id"})


def _with_full_url(resource: dict[str, Any]) -> dict[str, Any]:
    return {"fullUrl": uuid.uuid4().urn, "resource": resource}


def _issues(found: Findings) -> Iterator[Issue]:
    for refusal in found.refusals:
        yield from _refused(refusal)
    for report in found.reports:
        for what, why in left_out(report.result.vector):
            yield Issue("business-rule", f"Not calculated: {what}, because {why}.", severity="information")


def _refused(refusal: Refusal) -> Iterator[Issue]:
    for reason in refusal.reasons:
        text = f"{refusal.predictor.title} ({refusal.predictor.id}) not calculated: {reason}."
        yield Issue("business-rule", text, severity="warning")


OPERATION: Final = Operation(
    name="assess",
    definition=f"{FHIRTWIN}/OperationDefinition/assess",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=assess,
    parameters=(Parameter("predictor", "code", many=True), Parameter("date", "date"), Parameter("store", "boolean")),
    affects_state=True,
    get=True,  # without `store` nothing is changed, and `store` is taken from a POST only
)
