"""vread: `GET [base]/[type]/[id]/_history/[vid]`: what the sources of a twin's facts point at.

*Source*: http://hl7.org/fhir/R4/http.html#vread.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhirtwin.access import Caller, permit
from fhirtwin.access.visibility import one_by_one
from fhirtwin.errors import Gone, NotFound
from fhirtwin.interactions import parts
from fhirtwin.interactions.context import Answer, Services, require_type, version_headers
from fhirtwin.store import Reader
from fhirtwin.twin.state import StoredVersion


def vread(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str,
    version: str,
    parameters: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Give one version of a resource, as it was stored, or the part of it that the parameters ask for.

    Raises:
        NotFound: no such type, resource or version.
        Gone: that version is a deletion.
        Incorrect: a parameter cannot be read.
    """
    with services.store.snapshot() as reader:
        stored = within(caller, reader, type_, id_, version)
    return Answer(200, parts.part(type_, stored.data, parameters), version_headers(services, stored), stored)


def within(caller: Caller, reader: Reader, type_: str, id_: str, version: str) -> StoredVersion:
    """The version, asked for in an open transaction; raises as `vread` does."""
    permit(caller, "vread", type_)
    require_type(type_)
    number = int(version) if version.isascii() and version.isdigit() and len(version) <= 9 else 0
    stored = reader.vread(type_, id_, number)
    if stored is None or not reader.shows(type_, id_, one_by_one(caller)):
        raise NotFound(f"There is no such version of a {type_} with this id.")
    if stored.deleted:
        raise Gone(f"This {type_} was deleted in this version.")
    return stored
