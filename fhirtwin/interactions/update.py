"""update: `PUT [base]/[type]/[id]`, as create where nothing is there; conditional with `If-Match` or a search.

*Source*: http://hl7.org/fhir/R4/http.html#update, http://hl7.org/fhir/R4/http.html#upsert,
http://hl7.org/fhir/R4/http.html#cond-update, http://hl7.org/fhir/R4/http.html#concurrency.
"""

from __future__ import annotations

from fhirtwin import ingest
from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, Precondition
from fhirtwin.ingest import Received
from fhirtwin.interactions import conditional, offered
from fhirtwin.interactions.context import Answer, Returning, Services, is_id, versions, written
from fhirtwin.store import Writer


def update(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str,
    data: bytes,
    *,
    criteria: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    prefer: str = "",
) -> Answer:
    """Store the next version of a resource; the first one, when there is none.

    A body that says what is stored already makes no new version.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type, as in the URL.
        id_: logical id, as in the URL; the body must have the same. Does not count where `criteria` are given.
        data: the body.
        criteria: a search: the resource that fits is replaced, and where none does, one is created.
        if_match: the header: the version that the caller means to replace.
        if_none_match: the header: versions that must not be replaced; `*` when nothing may be there yet.
        prefer: the `Prefer` header.

    Returns:
        200, or 201 when there was none or it was deleted, with the current version.

    Raises:
        Incorrect: the body, its id or a header is wrong.
        Precondition: the current version is another one, or several resources fit.
        Conflict: none fits, and the body has the id of one that is there.
    """
    permit(caller, "update", type_)
    offered.require(type_, "update")
    received = ingest.receive(data, type_, services.settings)
    if criteria is None:
        require_same_id(received, id_)
    with services.store.write() as write:
        place: str | None = id_
        if criteria is not None:
            found = conditional.match(services, caller, write, type_, criteria, "The URL")
            place = conditional.id_for_update(write, received, found)
        check_match(write, type_, place, if_match, if_none_match)
        kept = ingest.keep(write, received, place, services.base_url)
    returning = Returning.preferred(prefer, Returning.REPRESENTATION)
    return written(services, kept.stored, status=201 if kept.created else 200, returning=returning)


def require_same_id(received: Received, id_: str) -> None:
    """Return when the body has the id of the URL.

    Raises:
        Incorrect: it has none or another, or the URL's cannot be an id.
    """
    if not is_id(id_):
        raise Incorrect("A logical id has 1 to 64 letters, digits, dots and hyphens.")
    if received.resource.get("id") != id_:
        raise Incorrect("The body must have the id that the URL names.", expression=f"{received.type}.id")


def check_match(write: Writer, type_: str, id_: str | None, if_match: str | None, if_none_match: str | None) -> None:
    """Return when the current version is one that may be replaced or deleted.

    *Source*: RFC 9110, 13.1.1 and 13.1.2. R4 names `If-Match` alone for an update; the other is HTTP's, and to pass
    over it would overwrite what its sender meant to keep.

    Raises:
        Precondition: it is not one of `if_match`, or is one of `if_none_match`.
    """
    if if_match is None and if_none_match is None:
        return
    current = write.read(type_, id_) if id_ is not None else None
    there = current.version if current and not current.deleted else None
    if if_match is not None and not _names("If-Match", if_match, there):
        raise Precondition(f"If-Match does not name the current version of this {type_}; read it again and repeat.")
    if if_none_match is not None and _names("If-None-Match", if_none_match, there):
        raise Precondition(f"If-None-Match names the current version of this {type_}; nothing was changed.")


def _names(header: str, value: str, version: int | None) -> bool:
    named = versions(header, value)
    return version is not None and (named is None or version in named)
