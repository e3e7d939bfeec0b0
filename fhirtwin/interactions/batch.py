"""batch: `POST [base]` with a Bundle whose entries are carried out each by itself, whatever becomes of the others.

Done in the order of a transaction, DELETE, POST, PUT and PATCH, GET and HEAD, so that reads see what was written.

*Source*: http://hl7.org/fhir/R4/http.html#transaction.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from fhirtwin.access import Caller, permit
from fhirtwin.errors import FhirtwinError
from fhirtwin.interactions import bundle_answers
from fhirtwin.interactions.bundle_entries import METHODS, Entry, Refused, at_entry, receive_batch
from fhirtwin.interactions.context import Answer, Returning, Services, outcome_bytes
from fhirtwin.interactions.transaction import Work


def batch(services: Services, caller: Caller, data: bytes, *, prefer: str = "") -> Answer:
    """Carry out each entry of a Bundle of type batch as a unit of work of its own.

    Args:
        services: the parts.
        caller: who asks; each entry is permitted by itself.
        data: the body.
        prefer: the `Prefer` header; unless it asks for more, entries that wrote come back without their resource.

    Returns:
        200 with a Bundle of type batch-response, its entries in the order sent, each with its own status; one that
        failed has an OperationOutcome with issues that name the place as `Bundle.entry[n]`.

    Raises:
        Incorrect: the Bundle itself is wrong; nothing is done then.
        TooLarge: more entries than the setting `max_bundle_entries`.
    """
    permit(caller, "batch")
    received = receive_batch(services, data)
    returning = Returning.preferred(prefer, Returning.MINIMAL)
    answers = {one.number: _failed(one.error) for one in received if isinstance(one, Refused)}
    entries = [one for one in received if isinstance(one, Entry)]
    for entry in sorted(entries, key=lambda e: METHODS.index(e.method)):
        try:
            answers[entry.number] = _carried_out(services, caller, entry, returning)
        except FhirtwinError as error:
            answers[entry.number] = _failed(error)
    return bundle_answers.bundle("batch-response", [answers[one.number] for one in received])


def _carried_out(services: Services, caller: Caller, entry: Entry, returning: Returning) -> dict[str, Any]:
    if entry.method in ("GET", "HEAD"):
        with at_entry(entry.number), services.store.snapshot() as reader:
            return bundle_answers.looked_up(services, caller, reader, entry)
    with at_entry(entry.number), services.store.write() as write:
        (answer,) = Work(services, caller, write, returning).carry_out((entry,))
    return answer


def _failed(error: FhirtwinError) -> dict[str, Any]:
    status = f"{error.status} {HTTPStatus(error.status).phrase}"
    return {"response": {"status": status, "outcome": msgspec.Raw(outcome_bytes(error.issues))}}
