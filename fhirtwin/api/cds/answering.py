"""Between a service's answer and the client: cards are noted for feedback, overridden ones held back, calls counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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


def give(service: Service, call: Call, response: Response) -> Response:
    """What is sent of a service's answer.

    Args:
        service: which one answered.
        call: what it answered.
        response: checked by `response.check`.
    """
    user = call.user.reference if call.user else ""
    to = Audience(service.id, call.hook, call.caller.id, call.patient, user)
    given = giving.give(call.parts, to, response.cards, response.lasting)
    return replace(response, cards=given.cards, extension={**response.extension, **_extension(given)})


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
