"""delete: `DELETE [base]/[type]/[id]`, conditional with `If-Match`.

*Source*: http://hl7.org/fhir/R4/http.html#delete, http://hl7.org/fhir/R4/http.html#concurrency.
"""

from __future__ import annotations

from fhirtwin import ingest
from fhirtwin.access import Caller, permit
from fhirtwin.interactions.context import Answer, Services, require_type, version_headers
from fhirtwin.interactions.update import check_match


def delete(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str,
    *,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Answer:
    """Delete a resource: searches and twins forget it in the same commit, its history stays.

    To delete what is deleted already, or never was, changes nothing and is no error: the outcome is as wished.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type.
        id_: logical id.
        if_match: the header: the version that the caller means to delete.
        if_none_match: the header: versions that must not be deleted.

    Returns:
        204 with the version that is the deletion in `ETag`, where there is one.

    Raises:
        NotFound: no such type.
        Incorrect: a header names no version.
        Precondition: the current version is another one.
    """
    permit(caller, "delete", type_)
    require_type(type_)
    with services.store.write() as write:
        check_match(write, type_, id_, if_match, if_none_match)
        gone = ingest.forget(write, type_, id_)
    return Answer(204, b"", version_headers(services, gone) if gone else {})
