"""Answers calls of one service: read, mended, completed with what is fetched, handled in time, checked.

No web framework in here: bytes in, the body of an answer out, errors raised.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from fhirtwin import timing
from fhirtwin.access import Caller
from fhirtwin.api.cds.answers import answering, completing, response
from fhirtwin.api.cds.calls import fetching, lenient, request
from fhirtwin.api.cds.calls.fetching import FindWay
from fhirtwin.api.cds.calls.request import Request
from fhirtwin.api.cds.contexts import Unread
from fhirtwin.api.cds.deadlines import Room, answer
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.api.cds.trust import servers
from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.fhir import codec
from fhirtwin.intake import prefetch
from fhirtwin.intake.prefetch import Prefetched
from fhirtwin.interactions.context import Services
from fhirtwin.outbound import Allowed
from fhirtwin.report.cards import not_judged_card


@dataclass(frozen=True, slots=True)
class Asking:
    """Who calls.

    Attributes:
        caller: for every interaction to judge.
        ehr: the EHR that signed in; None for who holds the server's own token.
        servers: FHIR servers that may be called for it.
    """

    caller: Caller
    ehr: Client | None = None
    servers: Iterable[Allowed] = ()


class Desk:
    """Where the calls of one service are answered.

    Args:
        service: passed through the registry's gate.
        parts: what it works with.
        allowed: names of the leniencies that are on.
        find_way: how FHIR servers of clients are reached.
    """

    def __init__(self, service: Service, parts: Services, allowed: frozenset[str], find_way: FindWay) -> None:
        self._service = service
        self._parts = parts
        self._allowed = allowed
        self._find_way = find_way
        self._room = Room()

    def answer(self, data: bytes, asking: Asking) -> dict[str, Any]:
        """Answer one call, within the service's budget from now on.

        Args:
            data: the body of the call.
            asking: who calls.

        Raises:
            FhirtwinError: the call is refused, or the service is late or broken.
        """
        settings = self._parts.settings
        deadline = time.monotonic() + (self._service.budget or settings.cds_budget_seconds)
        with self._room.turn(deadline):
            with timing.stage("parse"):
                sent = codec.decode(data, max_depth=settings.max_depth)
            call = self._call(sent, asking, deadline)
            made = _with_unread(self._made(call), call, self._service)
            made = completing.completed(self._service, call.patient, made)
            return {**response.as_json(self._service.id, made), **answering.give(self._service, call, made)}

    def _made(self, call: Call) -> Response:
        """What the service says; nothing where the one resource that the call is about was set aside."""
        return Response() if isinstance(call.context, Unread) else answer(self._service, call, self._room)

    def _call(self, sent: dict[str, Any], asking: Asking, deadline: float) -> Call:
        meant = lenient.mended(sent, self._allowed, self._service.id)
        asked = request.read(meant, self._service, self._parts.settings, self._allowed)
        servers.require(asking.ehr, asked.patient.origin)
        return Call(
            hook=asked.hook,
            hook_instance=asked.hook_instance,
            patient=asked.patient,
            context=asked.context,
            prefetched=self._prefetched(asked, asking, deadline),
            caller=asking.caller,
            parts=self._parts,
            fhir_server=asked.fhir_server,
            bases=asked.bases,
            deadline=deadline,
        )

    def _prefetched(self, asked: Request, asking: Asking, deadline: float) -> Prefetched:
        """What the call brought and, where it may be, what its FHIR server was asked for."""
        settings = self._parts.settings
        fetch = fetching.source(asked, self._parts, deadline, lambda: self._find_way(settings, asking.servers))
        templates = self._service.templates(asked.hook)
        return prefetch.read(asked.prefetch, templates, asked.patient, bases=asked.bases, fetch=fetch)


def _with_unread(made: Response, call: Call, service: Service) -> Response:
    """An answer that also names what a leniency set aside."""
    if not call.context.unread:
        return made
    lenient.note(lenient.SET_ASIDE, service.id)
    card = not_judged_card(call.context.unread, call.patient, call.parts.settings)
    return replace(made, cards=[*made.cards, card], lasting=made.lasting | {card["uuid"]})
