"""Origins of web pages: read strictly, and compared letter by letter."""

from __future__ import annotations

from fhirtwin.errors import Incorrect
from fhirtwin.outbound import places


def read_origin(text: str, place: str) -> str:
    """One origin as a browser writes it: `https://host`, with a port when it is not the scheme's.

    Args:
        text: what somebody who runs the server wrote.
        place: where, for the error.

    Raises:
        Incorrect: it is none, is `*` or `null`, or is http and not of this machine.
    """
    found = places.read(text)
    if found is None or found.base != text or found.path or not (found.scheme == "https" or found.is_loopback):
        raise Incorrect(f"{place} must be an origin as a browser sends it, like https://ehr.example.org.")
    return text


def read_origins(text: str, place: str) -> frozenset[str]:
    """Origins with commas between them."""
    return frozenset(read_origin(one.strip(), place) for one in text.split(",") if one.strip())
