"""$twin: `GET` or `POST [base]/Patient/[id]/$twin`: what is known of a patient, each fact with where it came from.

*Source*: `profiles/OperationDefinition-twin.json`.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from fhirtwin.access.visibility import require_whole_record
from fhirtwin.errors import Incorrect, NotFound
from fhirtwin.fhir import codec
from fhirtwin.interactions import replaced
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.terms.systems import FHIRTWIN
from fhirtwin.twin import derived, projection
from fhirtwin.twin.state import LOCAL, PatientKey


def twin(call: Call) -> Answer:
    """Give the twin of a patient who is stored here, as a Bundle.

    Args:
        call: `date`: give what was known to hold on that day, with what is derived as of it; else all facts.

    Raises:
        Forbidden: a part of the record is withheld from the caller.
        NotFound: no such patient.
        Gone: the patient was deleted.
        Unprocessable: the patient was replaced by another, whom the text names.
        Incorrect: the date is no whole one.
    """
    require_whole_record(call.caller)
    day = _day(call.one("date"))
    with call.services.store.snapshot() as reader:
        replaced.current(reader, call.caller, call.id)
        state = reader.twin(PatientKey(LOCAL, call.id))
    if state is None:
        raise NotFound("There is no twin of this Patient.")
    shown = state if day is None else derived.as_of(state, day)
    headers = {"ETag": f'W/"{state.version}"'} if day is None else {}
    return Answer(200, codec.encode(projection.to_fhir(shown, base_url=call.services.base_url)), headers)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Incorrect("`date` must be a day: YYYY-MM-DD.") from None


OPERATION: Final = Operation(
    name="twin",
    definition=f"{FHIRTWIN}/OperationDefinition/twin",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=twin,
    parameters=(Parameter("date", "date"),),
)
