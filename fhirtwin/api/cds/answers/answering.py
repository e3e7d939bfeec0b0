"""Between a service's answer and the client: cards are noted for feedback, overridden ones held back, calls counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Fault, FhirtwinError
from fhirtwin.interactions import giving
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.giving import Audience, Given

QUIETENED: Final = "org.fhirtwin.quietened"
"""Extension of a response that lacks cards because their user overrode them: how many, and until when."""
NO_FEEDBACK: Final = "org.fhirtwin.no-feedback"
"""Extension of a response whose cards could not be noted, so that they have no uuid and take no feedback."""


def give(service: Service, call: Call, answer: Response) -> dict[str, Any]:
    """The members of an answer that this call gets otherwise than the service gave them: `cards`, and `extension`.

    Args:
        service: which one answered.
        call: what it answered.
        answer: complete, and checked by `response.as_json`.
    """
    user = call.user.reference if call.user else ""
    to = Audience(service.id, call.hook, call.caller.id, call.patient, user)
    given = giving.give(call.parts, to, answer.cards, answer.lasting)
    extension = {**answer.extension, **_extension(given)}
    return {"cards": list(given.cards), **({"extension": extension} if extension else {})}


@contextmanager
def counted(parts: Services, service: str) -> Iterator[None]:
    """Count a call of a service that ends in an error; the error goes on."""
    try:
        yield
    except Exception as error:
        giving.count_unanswered(parts, service, error.status if isinstance(error, FhirtwinError) else Fault.status)
        raise


def _extension(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given.quietened:
        found[QUIETENED] = {
            "count": len(given.quietened),
            "until": _instant(min(until for _, until in given.quietened)),
            "cards": [{"uuid": card, "until": _instant(until)} for card, until in given.quietened],
        }
    if not given.noted:
        found[NO_FEEDBACK] = {"reason": "The cards could not be noted, so no feedback on them can be taken."}
    return found


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
