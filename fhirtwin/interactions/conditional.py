"""Conditions: searches that name the resource which an interaction is about.

*Source*: http://hl7.org/fhir/R4/http.html#ccreate, http://hl7.org/fhir/R4/http.html#cond-update.
"""

from __future__ import annotations

from fhirtwin.access import Caller
from fhirtwin.errors import Conflict, Incorrect, Precondition
from fhirtwin.ingest import Received
from fhirtwin.interactions import search_type
from fhirtwin.interactions.context import Services
from fhirtwin.store import Reader


def match(services: Services, caller: Caller, reader: Reader, type_: str, criteria: str, place: str) -> str | None:
    """Find the one resource that fits.

    Args:
        services: the parts.
        caller: who asks.
        reader: the open transaction.
        type_: resource type.
        criteria: search parameters as in a URL, without a question mark.
        place: where the criteria stand, for the text of an error.

    Returns:
        Its id; None when none fits.

    Raises:
        Incorrect: there are no criteria, or one that is not offered.
        Precondition: several fit.
    """
    found = search_type.matches(services, caller, reader, type_, criteria, place)
    if len(found) > 1:
        raise Precondition(
            f"{place} fits several {type_} resources; nothing was changed. Name a condition that one resource fits."
        )
    return found[0] if found else None


def id_for_update(reader: Reader, received: Received, found: str | None) -> str | None:
    """Settle under which id a conditional update stores.

    Args:
        reader: the open transaction.
        received: the body, with an id or without.
        found: the id of the resource that fits, if one does.

    Returns:
        The id; None when the server makes one.

    Raises:
        Incorrect: the body has another id than the resource that fits.
        Conflict: nothing fits, and the body has the id of a resource that is there.
    """
    named: str | None = received.resource.get("id")
    if found is not None:
        if named not in (None, found):
            raise Incorrect(
                "The body has another id than the resource that fits; leave it out.", expression=f"{received.type}.id"
            )
        return found
    current = reader.read(received.type, named) if named is not None else None
    if current and not current.deleted:
        raise Conflict(
            f"There is a {received.type} with the body's id, and it does not fit the condition.",
            expression=f"{received.type}.id",
        )
    return named
