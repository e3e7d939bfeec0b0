"""vread: `GET [base]/[type]/[id]/_history/[vid]`: what the sources of a twin's facts point at.

*Source*: http://hl7.org/fhir/R4/http.html#vread.
"""

from __future__ import annotations

from fhirtwin.access import Caller, permit
from fhirtwin.errors import Gone, NotFound
from fhirtwin.interactions.context import Answer, Services, require_type, version_headers


def vread(services: Services, caller: Caller, type_: str, id_: str, version: str) -> Answer:
    """Give one version of a resource, as it was stored.

    Raises:
        NotFound: no such type, resource or version.
        Gone: that version is a deletion.
    """
    permit(caller, "vread", type_)
    require_type(type_)
    number = int(version) if version.isascii() and version.isdigit() and len(version) <= 9 else 0
    stored = services.store.vread(type_, id_, number)
    if stored is None:
        raise NotFound(f"There is no such version of a {type_} with this id.")
    if stored.deleted:
        raise Gone(f"This {type_} was deleted in this version.")
    return Answer(200, stored.data, version_headers(services, stored), stored)
