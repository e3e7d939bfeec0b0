"""Discovery and calls over HTTP.

Source: https://cds-hooks.hl7.org/2.0/#discovery and https://cds-hooks.hl7.org/2.0/#calling-a-cds-service
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g

from fhirtwin import timing
from fhirtwin.api import body
from fhirtwin.api.cds import completing, deadlines, discovery, fetching, lenient, response
from fhirtwin.api.cds import request as calls
from fhirtwin.api.cds.fetching import FindWay
from fhirtwin.api.cds.request import Request
from fhirtwin.api.cds.service import Call, Service
from fhirtwin.api.cds.service import Response as Answer
from fhirtwin.api.cds.services import registry
from fhirtwin.api.cds.trust import servers
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import NotFound
from fhirtwin.fhir import codec
from fhirtwin.intake import prefetch
from fhirtwin.intake.prefetch import Prefetched
from fhirtwin.interactions.context import Services
from fhirtwin.report.cards import not_judged_card


def blueprint(
    parts: Services, services: Mapping[str, Service] | None = None, *, find_way: FindWay = fetching.way
) -> Blueprint:
    """The routes below `/cds-services`.

    Args:
        parts: what services work with.
        services: by id, passed through the registry's gate; None means all of this installation.
        find_way: how FHIR servers of clients are reached; tests set it.

    Raises:
        Incorrect: a setting names a leniency or a server that is none.
    """
    cds = Blueprint("cds", __name__)
    services = registry.all_services() if services is None else services
    allowed = lenient.chosen(parts.settings.cds_lenient)
    find_way(parts.settings, ())

    @cds.get("")
    def discover() -> Response:
        return _json(discovery.discovery(services.values(), parts.settings.cds_hooks_version))

    @cds.post("/<service_id>")
    def call(service_id: str) -> Response:
        service = services.get(service_id)
        if service is None:
            raise NotFound(f"There is no such CDS service; there are {', '.join(services)}.")
        negotiation.require_json_sent()
        with timing.stage("parse"):
            sent = codec.decode(body.read_body(parts.settings.max_body_bytes), max_depth=parts.settings.max_depth)
        deadline = time.monotonic() + (service.budget or parts.settings.cds_budget_seconds)
        asked = calls.read(lenient.mended(sent, allowed, service.id), service, parts.settings, allowed)
        servers.require(g.get("ehr"), asked.patient.origin)
        made = Call(
            hook=asked.hook,
            hook_instance=asked.hook_instance,
            patient=asked.patient,
            context=asked.context,
            prefetched=_prefetched(asked, service, deadline, parts, find_way),
            caller=g.caller,
            parts=parts,
            fhir_server=asked.fhir_server,
            bases=asked.bases,
            deadline=deadline,
        )
        answer = completing.completed(
            service, asked.patient, _with_unread(deadlines.answer(service, made), made, service)
        )
        return _json(response.as_json(service.id, answer))

    return cds


def _with_unread(answer: Answer, call: Call, service: Service) -> Answer:
    """An answer that also names what a leniency set aside."""
    if not call.context.unread:
        return answer
    lenient.note(lenient.SET_ASIDE, service.id)
    card = not_judged_card(call.context.unread, call.patient, call.parts.settings)
    return replace(answer, cards=[*answer.cards, card])


def _prefetched(asked: Request, service: Service, deadline: float, parts: Services, find_way: FindWay) -> Prefetched:
    """What the call brought and, where it may be, what its FHIR server was asked for."""
    fetch = fetching.source(asked, parts, deadline, lambda: find_way(parts.settings, g.get("fhir_servers", ())))
    templates = service.templates(asked.hook)
    return prefetch.read(asked.prefetch, templates, asked.patient, bases=asked.bases, fetch=fetch)


def _json(value: Any) -> Response:
    return Response(codec.encode(value), mimetype="application/json")
