"""Discovery and calls over HTTP.

Source: https://cds-hooks.hl7.org/2.0/#discovery and https://cds-hooks.hl7.org/2.0/#calling-a-cds-service
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g

from fhirtwin.api import body
from fhirtwin.api.cds import feedback
from fhirtwin.api.cds.answers import answering
from fhirtwin.api.cds.calls import fetching, lenient
from fhirtwin.api.cds.calls.fetching import FindWay
from fhirtwin.api.cds.desk import Asking, Desk
from fhirtwin.api.cds.discovery import discovery
from fhirtwin.api.cds.service import Service
from fhirtwin.api.cds.services import registry
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import NotFound
from fhirtwin.fhir import codec
from fhirtwin.interactions.context import Services


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
    desks = {id_: Desk(service, parts, allowed, find_way) for id_, service in services.items()}

    @cds.get("")
    def discover() -> Response:
        return _json(discovery(services.values(), parts.settings.cds_hooks_version))

    @cds.post("/<service_id>")
    def call(service_id: str) -> Response:
        desk = desks.get(service_id)
        if desk is None:
            raise NotFound(f"There is no such CDS service; there are {', '.join(desks)}.")
        g.pop("turn", None)  # a service has turns of its own, so that one that hangs holds up no writer
        with answering.counted(parts, service_id):
            negotiation.require_json_sent()
            data = body.read_body(parts.settings.max_body_bytes)
            return _json(desk.answer(data, Asking(g.caller, g.get("ehr"), g.get("fhir_servers", ()))))

    feedback.add(cds, services, parts)
    return cds


def _json(value: Any) -> Response:
    return Response(codec.encode(value), mimetype="application/json")
