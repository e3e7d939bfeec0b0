"""$evaluate-measure: `GET` or `POST [base]/Measure/alert-burden/$evaluate-measure`: how often CDS services speak.

*Source*: http://hl7.org/fhir/R4/operation-measure-evaluate-measure.html, `profiles/Measure-alert-burden.json`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from fhirtwin.access.visibility import bounded
from fhirtwin.errors import Forbidden, Incorrect, Unsupported
from fhirtwin.fhir import codec, dates
from fhirtwin.interactions import burden
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.report import alert_burden

_NAMES: Final = frozenset(
    {
        alert_burden.URL,
        f"{alert_burden.URL}|{alert_burden.VERSION}",
        alert_burden.ID,
        f"Measure/{alert_burden.ID}",
    }
)


def evaluate_measure(call: Call) -> Answer:
    """Report on a period.

    Args:
        call: `periodStart` and `periodEnd`, both counted in; on the type, `measure`; `reportType`, which can be
            `population` alone.

    Returns:
        200 with a MeasureReport, which is not stored.

    Raises:
        Forbidden: the caller may see some patients only, and these are figures of all.
        Unsupported: another Measure, or another kind of report.
        Incorrect: the period ends before it begins.
    """
    if bounded(call.caller):
        raise Forbidden("These figures are of all patients, and you may not see all.")
    if (call.id or call.one("measure")) not in _NAMES:
        raise Unsupported(f"This server evaluates one Measure: {alert_burden.URL}.")
    if call.one("reportType") not in (None, "population"):
        raise Unsupported("This Measure is about services, so `reportType` can only be `population`.")
    first, last = _first(call.one("periodStart")), _last(call.one("periodEnd"))
    if last < first:
        raise Incorrect("`periodEnd` lies before `periodStart`.")
    counted = burden.of_services(call.services.store, first, last)
    return Answer(200, codec.encode(alert_burden.measure_report(counted, first, last, call.services.now())))


def _first(text: str) -> date:
    return dates.parse(text).start.date()


def _last(text: str) -> date:
    return (dates.parse(text).end - timedelta(microseconds=1)).date()


OPERATION: Final = Operation(
    name="evaluate-measure",
    definition="http://hl7.org/fhir/OperationDefinition/Measure-evaluate-measure",
    types=frozenset({"Measure"}),
    levels=frozenset({Level.TYPE, Level.INSTANCE}),
    run=evaluate_measure,
    parameters=(
        Parameter("periodStart", "date", required=True),
        Parameter("periodEnd", "date", required=True),
        Parameter("measure", "string"),
        Parameter("reportType", "code"),
    ),
)
