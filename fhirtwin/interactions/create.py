"""create: `POST [base]/[type]`, conditional with `If-None-Exist`.

*Source*: http://hl7.org/fhir/R4/http.html#create, http://hl7.org/fhir/R4/http.html#ccreate.
"""

from __future__ import annotations

from fhirtwin import ingest
from fhirtwin.access import Caller, permit
from fhirtwin.ingest import Kept
from fhirtwin.interactions import conditional, offered
from fhirtwin.interactions.context import Answer, Returning, Services, written
from fhirtwin.store import Writer
from fhirtwin.twin.state import StoredVersion


def create(
    services: Services, caller: Caller, type_: str, data: bytes, *, if_none_exist: str | None = None, prefer: str = ""
) -> Answer:
    """Store a new resource under an id that the server makes; an id in the body does not count.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type, as in the URL.
        data: the body.
        if_none_exist: a search; when one resource fits, that one is the answer and nothing is stored.
        prefer: the `Prefer` header.

    Returns:
        201 with the new version, or 200 with the one that was there.

    Raises:
        Incorrect: the body or the condition is wrong.
        Precondition: several resources fit the condition.
    """
    permit(caller, "create", type_)
    offered.require(type_, "create")
    received = ingest.receive(data, type_, services.settings)
    with services.store.write() as write:
        there = existing(services, caller, write, type_, if_none_exist)
        kept = Kept(there, changed=False) if there else ingest.keep(write, received, None, services.base_url)
    returning = Returning.preferred(prefer, Returning.REPRESENTATION)
    return written(services, kept.stored, status=201 if kept.changed else 200, returning=returning)


def existing(
    services: Services, caller: Caller, write: Writer, type_: str, if_none_exist: str | None
) -> StoredVersion | None:
    """Find the one resource that makes a conditional create needless.

    Raises:
        Precondition: several fit.
    """
    if if_none_exist is None:
        return None
    found = conditional.match(services, caller, write, type_, if_none_exist, "If-None-Exist")
    return write.read(type_, found) if found is not None else None
