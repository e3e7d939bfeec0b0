"""A service of several parts that do not wait for one another: what is ready is shown, what is not is named.

So a dead engine takes away what needs the engine, and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.api.cds.service import Call, Response
from fhirtwin.api.cds.workers import LateError, Work, Workers
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
    staffed = [(part, Workers()) for part in parts]

    def handler(call: Call) -> Response:
        under_way = [(part, _start(part, call, workers)) for part, workers in staffed]
        try:
            return _gathered(call, under_way)
        finally:  # where one refuses the call, nobody waits for the others
            for _, work in under_way:
                if work is not None:
                    work.give_up()

    return handler


def _gathered(call: Call, under_way: Sequence[tuple[Part, Work[Response] | None]]) -> Response:
    left = call.deadline - time.monotonic()
    until = call.deadline - min(SPARE_SECONDS, max(0.0, left) / 10)
    answers: list[Response] = []
    missing: list[str] = []
    for part, work in under_way:
        given = _given(part, work, until)
        if given is None:
            missing.append(part.advice)
        else:
            answers.append(given)
    if missing and not answers:
        raise Unavailable(f"Advice is missing: {', '.join(missing)}. It was not ready in time, or failed.")
    return _joined(call, answers, missing)


def _start(part: Part, call: Call, workers: Workers) -> Work[Response] | None:
    try:
        return workers.start(lambda: part.handler(call))
    except Busy as error:
        _log.warning("%s is missing: %s", part.advice, error)
        return None


def _given(part: Part, work: Work[Response] | None, until: float) -> Response | None:
    """What a part gave back; None when it is missing."""
    if work is None:
        return None
    try:
        given = work.result(until)
    except FhirtwinError as error:
        if not isinstance(error, Fault | Unavailable):
            raise
        _log.warning("%s is missing: %s", part.advice, error)
        return None
    except LateError:
        _log.error("%s is missing: it is late", part.advice)
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, the other parts have something to say
        _log.error("%s is missing: %s", part.advice, type(error).__name__)
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
