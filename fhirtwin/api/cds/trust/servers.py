"""Whose patients a client may ask about: those of its own FHIR servers; those stored here if it is registered so.

Without this, an EHR could name another's server, or none, and be told of patients that are not its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.errors import Forbidden
from fhirtwin.outbound import places
from fhirtwin.twin.state import LOCAL


def require(client: Client | None, origin: str) -> None:
    """Return when a call of this client may be about patients of that origin.

    Args:
        client: who showed a token of its own; None for callers with the server's own token.
        origin: `LOCAL`, or the base URL of the call's `fhirServer`.

    Raises:
        Forbidden: it may not.
    """
    if client is None or (client.stored_patients if origin == LOCAL else origin in _bases(client.fhir_servers)):
        return
    if origin == LOCAL:
        text = "You are not registered for patients that are stored here: name your server as `fhirServer`."
    else:
        text = "You are not registered for this `fhirServer`."
    raise Forbidden(text, expression="fhirServer")


def _bases(urls: Iterable[str]) -> frozenset[str]:
    return frozenset(place.base for url in urls if (place := places.read(url)))
