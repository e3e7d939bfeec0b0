"""Feedback over HTTP.

Source: https://cds-hooks.hl7.org/2.0/#feedback
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, g

from fhirtwin import timing
from fhirtwin.api import body
from fhirtwin.api.cds.service import Service
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import NotFound
from fhirtwin.fhir import codec
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.feedback import feedback


def add(cds: Blueprint, services: Mapping[str, Service], parts: Services) -> None:
    """Let a blueprint take feedback on the cards of its services."""

    @cds.post("/<service_id>/feedback")
    def receive(service_id: str) -> Response:
        if service_id not in services:
            raise NotFound(f"There is no such CDS service; there are {', '.join(services)}.")
        negotiation.require_json_sent()
        with timing.stage("parse"):
            sent = codec.decode(body.read_body(parts.settings.max_body_bytes), max_depth=parts.settings.max_depth)
        feedback(parts, g.caller, service_id, sent)
        # No body is defined; clients read one all the same, so there is the shortest that is JSON.
        return Response(b"{}", mimetype="application/json")
