"""read: `GET [base]/[type]/[id]`, conditional with `If-None-Match`.

*Source*: http://hl7.org/fhir/R4/http.html#read, http://hl7.org/fhir/R4/http.html#cread.
"""

from __future__ import annotations

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Gone, NotFound
from fhirtwin.interactions.context import Answer, Services, require_type, version_headers, versions
from fhirtwin.store import Reader
from fhirtwin.twin.state import StoredVersion


def read(services: Services, caller: Caller, type_: str, id_: str, *, if_none_match: str | None = None) -> Answer:
    """Give the current version of a resource.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type.
        id_: logical id.
        if_none_match: the header: versions that the caller has already.

    Returns:
        200 with the bytes that are stored, or 304 without any.

    Raises:
        NotFound: no such type or resource.
        Gone: it was deleted.
        Incorrect: the header names no version.
    """
    permit(caller, "read", type_)
    require_type(type_)
    with services.store.snapshot() as reader:
        stored = current(reader, type_, id_)
    headers = version_headers(services, stored)
    if if_none_match is not None:
        known = versions("If-None-Match", if_none_match)
        if known is None or stored.version in known:
            return Answer(304, b"", headers)
    return Answer(200, stored.data, headers)


def current(reader: Reader, type_: str, id_: str) -> StoredVersion:
    """The current version of a resource that is there.

    Raises:
        NotFound: it never was.
        Gone: it was deleted.
    """
    stored = reader.read(type_, id_)
    if stored is None:
        raise NotFound(f"There is no {type_} with this id.")
    if stored.deleted:
        raise Gone(f"This {type_} was deleted.")
    return stored
