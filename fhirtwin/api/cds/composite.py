"""A service of several parts that do not wait for one another: what is ready is shown, what is not is named.

So a dead engine takes away what needs the engine, and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, Final

from fhirtwin.api.cds import deadlines
from fhirtwin.api.cds.service import Call, Response
from fhirtwin.errors import Busy, Fault, FhirtwinError, Unavailable
from fhirtwin.report.cards import advice_missing_card

_log = logging.getLogger("fhirtwin.cds")

SPARE_SECONDS: Final = 0.1
"""What the parts leave of the budget for putting the answer together; a tenth of a shorter budget."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a service.

    Attributes:
        advice: what is missing without it, as a noun: `renal dosing`.
        handler: as a service's.
    """

    advice: str
    handler: Callable[[Call], Response]


def together(*parts: Part) -> Callable[[Call], Response]:
    """A handler that lets every part answer at the same time.

    An error that is the caller's (the prefetch of a replaced patient, say) refuses the whole call. A part that fails
    otherwise, or is late, is named on a card of indicator `warning`. When no part answers, that is an error.
    """
    rooms = [BoundedSemaphore(deadlines.MOST_AT_WORK) for _ in parts]

    def handler(call: Call) -> Response:
        under_way = [(part, _start(part, call, room)) for part, room in zip(parts, rooms, strict=True)]
        left = call.deadline - time.monotonic()
        until = call.deadline - min(SPARE_SECONDS, max(0.0, left) / 10)
        answers: list[Response] = []
        missing: list[str] = []
        for part, future in under_way:
            given = _given(part, future, until)
            if given is None:
                missing.append(part.advice)
            else:
                answers.append(given)
        if missing and not answers:
            raise Unavailable(f"Advice is missing: {', '.join(missing)}. It was not ready in time, or failed.")
        return _joined(call, answers, missing)

    return handler


def _start(part: Part, call: Call, at_work: BoundedSemaphore) -> Future[Response]:
    try:
        return deadlines.start(part.handler, call, at_work)
    except Busy as error:
        failed: Future[Response] = Future()
        failed.set_exception(Unavailable(str(error)))
        return failed


def _given(part: Part, future: Future[Response], until: float) -> Response | None:
    try:
        given = future.result(timeout=max(0.0, until - time.monotonic()))
    except FhirtwinError as error:
        if not isinstance(error, Fault | Unavailable):
            raise
        _log.warning("%s is missing: %s", part.advice, error)
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, the other parts have something to say
        late = isinstance(error, TimeoutError) and not future.done()
        _log.error("%s is missing: %s", part.advice, "it is late" if late else type(error).__name__)
        return None
    return given if isinstance(given, Response) else None


def _joined(call: Call, answers: list[Response], missing: list[str]) -> Response:
    extension: dict[str, Any] = {}
    for each in answers:
        extension |= each.extension
    cards = [card for each in answers for card in each.cards]
    lasting = frozenset[str]().union(*(each.lasting for each in answers))
    if missing:
        cards.append(advice_missing_card(missing, call.patient, call.parts.settings))
        lasting |= {cards[-1]["uuid"]}
    return Response(cards, [action for each in answers for action in each.system_actions], extension, lasting)
