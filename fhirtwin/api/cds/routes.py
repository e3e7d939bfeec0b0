"""Discovery and calls over HTTP.

Source: https://cds-hooks.hl7.org/2.0/#discovery and https://cds-hooks.hl7.org/2.0/#calling-a-cds-service
"""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, g

from fhirtwin import timing
from fhirtwin.api import body
from fhirtwin.api.cds import discovery, response
from fhirtwin.api.cds import request as calls
from fhirtwin.api.cds.service import Call
from fhirtwin.api.cds.services import registry
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import NotFound
from fhirtwin.fhir import codec
from fhirtwin.intake import prefetch
from fhirtwin.interactions.context import Services


def blueprint(parts: Services) -> Blueprint:
    """The routes below `/cds-services`."""
    cds = Blueprint("cds", __name__)
    services = registry.all_services()

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
        asked = calls.read(sent, service, parts.settings)
        brought = prefetch.read(asked.prefetch, service.templates(asked.hook), asked.patient, bases=asked.bases)
        answer = service.handler(
            Call(
                hook=asked.hook,
                hook_instance=asked.hook_instance,
                patient=asked.patient,
                context=asked.context,
                prefetched=brought,
                caller=g.caller,
                parts=parts,
                fhir_server=asked.fhir_server,
                bases=asked.bases,
                deadline=deadline,
            )
        )
        response.check(service.id, answer.cards)
        return _json({"cards": list(answer.cards)})

    return cds


def _json(value: Any) -> Response:
    return Response(codec.encode(value), mimetype="application/json")
