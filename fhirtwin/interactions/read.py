"""read: `GET [base]/[type]/[id]`, conditional with `If-None-Match` or `If-Modified-Since`.

*Source*: http://hl7.org/fhir/R4/http.html#read, http://hl7.org/fhir/R4/http.html#cread.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from fhirtwin import definitions
from fhirtwin.access import Caller, permit
from fhirtwin.access.visibility import one_by_one
from fhirtwin.errors import Gone, NotFound
from fhirtwin.fhir import dates
from fhirtwin.fhir.dates import Interval
from fhirtwin.interactions import parts
from fhirtwin.interactions.context import Answer, Services, require_type, version_headers, versions
from fhirtwin.store import Reader
from fhirtwin.twin.state import StoredVersion


def read(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str,
    *,
    if_none_match: str | None = None,
    if_modified_since: str | None = None,
    parameters: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Give the current version of a resource, or a definition of this project's that nothing took the place of.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type.
        id_: logical id.
        if_none_match: the header: versions that the caller has already.
        if_modified_since: the header: the time of the version that the caller has already.
        parameters: of the URL; `_summary` and `_elements` ask for a part of the resource.

    Returns:
        200 with the bytes that are stored, or a part of the resource, or 304 without any.

    Raises:
        NotFound: no such type or resource.
        Gone: it was deleted.
        Incorrect: `If-None-Match` names no version, or a parameter cannot be read.
    """
    permit(caller, "read", type_)
    require_type(type_)
    with services.store.snapshot() as reader:
        shipped = None if reader.read(type_, id_) else definitions.shipped_version(type_, id_)
        stored = shipped or current(reader, caller, type_, id_)
        since = _second(if_modified_since) if if_modified_since is not None else None
        known = is_known(reader, stored, if_none_match, since)
    headers = version_headers(services, stored)
    given = parts.part(type_, stored.data, parameters)
    return Answer(304, b"", headers) if known else Answer(200, given, headers, stored)


def current(reader: Reader, caller: Caller, type_: str, id_: str) -> StoredVersion:
    """The current version of a resource that is there.

    Raises:
        NotFound: it never was, or the caller may not see it; the two look alike.
        Gone: it was deleted.
    """
    stored = reader.read(type_, id_)
    if stored is None or not reader.shows(type_, id_, one_by_one(caller)):
        raise NotFound(f"There is no {type_} with this id.")
    if stored.deleted:
        raise Gone(f"This {type_} was deleted.")
    return stored


def is_known(reader: Reader, stored: StoredVersion, if_none_match: str | None, since: Interval | None) -> bool:
    """Whether the caller has the current version already.

    *Source*: RFC 9110, 13.1.2 and 13.1.3: where versions are named, the time does not count.

    Args:
        reader: the open transaction.
        stored: the current version.
        if_none_match: versions that the caller has; None where none were named.
        since: the time of the version that the caller has, as long as it is imprecise; None where none was named.

    Raises:
        Incorrect: `if_none_match` names no version.
    """
    if if_none_match is not None:
        named = versions("If-None-Match", if_none_match)
        return named is None or stored.version in named
    if since is None or dates.parse(stored.last_updated).start >= since.end:
        return False
    # A second may have seen two versions. Then nobody can tell which of them the caller has.
    earlier = reader.vread(stored.type, stored.id, stored.version - 1)
    return earlier is None or dates.parse(earlier.last_updated).start < since.start


def _second(text: str) -> Interval | None:
    """The second that an HTTP date names; None for what is none, which RFC 9110, 13.1.3 says to pass over."""
    try:
        moment = parsedate_to_datetime(text)
        start = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return Interval(start, start + timedelta(seconds=1), "second")
    except (ValueError, OverflowError):
        return None
