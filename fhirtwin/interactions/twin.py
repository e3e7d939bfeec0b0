"""$twin: `GET [base]/Patient/[id]/$twin`: what is known of a patient, each fact with where it came from.

*Source*: `profiles/OperationDefinition-twin.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, NotFound, Unsupported
from fhirtwin.fhir import codec
from fhirtwin.interactions import read
from fhirtwin.interactions.context import Answer, Services
from fhirtwin.interactions.operation import Operation
from fhirtwin.terms.systems import FHIRTWIN
from fhirtwin.twin import derived, projection
from fhirtwin.twin.state import LOCAL, PatientKey


def twin(
    services: Services, caller: Caller, id_: str, params: Mapping[str, tuple[str, ...]], method: str = "GET"
) -> Answer:
    """Give the twin of a patient who is stored here, as a Bundle.

    Args:
        services: the parts.
        caller: who asks.
        id_: logical id of the Patient.
        params: `date`: give what was known to hold on that day, with what is derived as of it; else all facts.
        method: `GET`.

    Raises:
        NotFound: no such patient.
        Gone: the patient was deleted.
        Incorrect: the date is none.
        Unsupported: another parameter.
    """
    permit(caller, "operation", "Patient")
    day = _day(params)
    with services.store.snapshot() as reader:
        read.current(reader, "Patient", id_)
        state = reader.twin(PatientKey(LOCAL, id_))
    if state is None:
        raise NotFound("There is no twin of this Patient.")
    shown = state if day is None else derived.as_of(state, day)
    headers = {"ETag": f'W/"{state.version}"'} if day is None else {}
    return Answer(200, codec.encode(projection.to_fhir(shown, base_url=services.base_url)), headers)


def _day(params: Mapping[str, tuple[str, ...]]) -> date | None:
    if params.keys() - {"date"}:
        raise Unsupported("$twin has one parameter, `date`.")
    match params.get("date", ()):
        case ():
            return None
        case (text,):
            try:
                return date.fromisoformat(text)
            except ValueError:
                raise Incorrect("`date` must be a day: YYYY-MM-DD.") from None
    raise Incorrect("`date` may be given once.")


OPERATION: Final = Operation("twin", "Patient", frozenset({"GET"}), f"{FHIRTWIN}/OperationDefinition/twin", twin)
