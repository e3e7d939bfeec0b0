"""delete: `DELETE [base]/[type]/[id]`; conditional with `If-Match` or a search.

*Source*: http://hl7.org/fhir/R4/http.html#delete, http://hl7.org/fhir/R4/http.html#cdelete,
http://hl7.org/fhir/R4/http.html#concurrency.
"""

from __future__ import annotations

from fhirtwin import ingest
from fhirtwin.access import Caller, permit
from fhirtwin.interactions import conditional, offered
from fhirtwin.interactions.context import ALL_OK, Answer, Returning, Services, outcome_bytes, version_headers
from fhirtwin.interactions.update import check_match


def delete(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str,
    *,
    criteria: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    prefer: str = "",
) -> Answer:
    """Delete a resource: searches and twins forget it in the same commit, its history stays.

    To delete what is deleted already, or never was, changes nothing and is no error: the outcome is as wished.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type.
        id_: logical id; does not count where `criteria` are given.
        criteria: a search: the one resource that fits is deleted.
        if_match: the header: the version that the caller means to delete.
        if_none_match: the header: versions that must not be deleted.
        prefer: the `Prefer` header; there is no resource left to return.

    Returns:
        204 with the version that is the deletion in `ETag`, where there is one; 200 where an OperationOutcome is
        preferred.

    Raises:
        NotFound: no such type.
        Incorrect: a header names no version.
        Precondition: the current version is another one, or several resources fit.
    """
    permit(caller, "delete", type_)
    offered.require(type_, "delete")
    with services.store.write() as write:
        place: str | None = id_
        if criteria is not None:
            place = conditional.match(services, caller, write, type_, criteria, "The URL")
        check_match(write, type_, place, if_match, if_none_match)
        gone = ingest.forget(write, type_, place) if place is not None else None
    headers = version_headers(services, gone) if gone else {}
    if Returning.preferred(prefer, Returning.MINIMAL) is Returning.OUTCOME:
        return Answer(200, outcome_bytes([ALL_OK]), headers)
    return Answer(204, b"", headers)
