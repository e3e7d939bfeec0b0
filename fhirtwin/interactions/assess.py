"""$assess: `GET` or `POST [base]/Patient/[id]/$assess`, the risks of a patient who is stored here.

*Source*: `profiles/OperationDefinition-assess.json`, http://hl7.org/fhir/R4/operations.html#executing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, Issue, MethodNotAllowed
from fhirtwin.fhir import codec, outcome
from fhirtwin.interactions import read, reporting
from fhirtwin.interactions.context import Answer, Services
from fhirtwin.interactions.operation import Operation
from fhirtwin.interactions.reporting import Findings, Report
from fhirtwin.predictors.model import Refusal
from fhirtwin.report.risk_assessment import left_out
from fhirtwin.terms.systems import FHIRTWIN
from fhirtwin.twin.state import LOCAL, PatientKey, TwinState

_PARAMETERS: Final = ("predictor", "date", "store")


def assess(services: Services, caller: Caller, id_: str, params: Mapping[str, tuple[str, ...]], method: str) -> Answer:
    """Calculate the risks of a patient.

    Args:
        services: the parts.
        caller: who asks.
        id_: of the Patient.
        params: `predictor` (any number of ids; all when absent), `date` (today when absent, never later), `store`
            (`true` stores the RiskAssessments; only when POSTed, since R4 lets a GET change nothing).
        method: `GET` or `POST`.

    Returns:
        200 with a Bundle of RiskAssessments and, for what could not be calculated, one OperationOutcome with every
        reason: `warning` for a whole predictor, `information` for an output of one that was calculated.

    Raises:
        Incorrect: a parameter is unknown, repeated or wrong.
        MethodNotAllowed: `store` in a GET.
        NotFound, Gone: no such Patient.
        EngineUnavailable, EngineAnswerRefused: the engine failed; nothing is calculated, and nothing stored.
    """
    permit(caller, "operation", "Patient")
    if unknown := params.keys() - set(_PARAMETERS):
        raise Incorrect(f"$assess has no parameter {min(unknown)}; it has {', '.join(_PARAMETERS)}.")
    keep = _keep(params, method)
    day = _day(params, reporting.today(services))
    only = _predictors(params, services)
    with services.store.snapshot() as reader:
        read.current(reader, "Patient", id_)
        patient = PatientKey(LOCAL, id_)
        state = reader.twin(patient) or TwinState(patient, 0, (), reference=f"Patient/{id_}")
    found = reporting.assess(services, caller, state, day, keep=keep, only=only)
    entries = [_entry(report, services) for report in found.reports]
    if issues := list(_issues(found)):
        entries.append(_with_full_url(outcome.operation_outcome(issues)))
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return Answer(200, codec.encode(bundle))


def _keep(params: Mapping[str, tuple[str, ...]], method: str) -> bool:
    store = _single("store", params)
    if store not in (None, "true", "false"):
        raise Incorrect("`store` must be true or false.")
    if store is not None and method != "POST":
        raise MethodNotAllowed("A GET changes nothing, so it takes no `store`; POST to $assess with store=true.")
    return store == "true"


def _day(params: Mapping[str, tuple[str, ...]], today: date) -> date:
    text = _single("date", params)
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or text != day.isoformat():
        raise Incorrect("`date` must be a day: YYYY-MM-DD.")
    if day > today:
        raise Incorrect("`date` must not lie in the future: what will be known then is not known now.")
    return day


def _predictors(params: Mapping[str, tuple[str, ...]], services: Services) -> tuple[str, ...] | None:
    known = [predictor.id for predictor in reporting.assessor(services).predictors]
    if set(params.get("predictor", ())) - set(known):
        raise Incorrect(f"There is no such predictor; there are {', '.join(known)}.")
    return params.get("predictor") or None


def _single(name: str, params: Mapping[str, tuple[str, ...]]) -> str | None:
    values = params.get(name, ())
    if len(values) > 1:
        raise Incorrect(f"`{name}` may be given once.")
    return values[0] if values else None


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
    type="Patient",
    methods=frozenset({"GET", "POST"}),
    definition=f"{FHIRTWIN}/OperationDefinition/assess",
    run=assess,
)
