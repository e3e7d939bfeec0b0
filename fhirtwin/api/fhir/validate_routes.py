"""The routes of $validate, on a type and on an instance."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, g, request

from fhirtwin.api import body
from fhirtwin.api.fhir import negotiation
from fhirtwin.errors import Incorrect
from fhirtwin.interactions.context import Answer, Services
from fhirtwin.interactions.validate import validate_operation


def register(fhir: Blueprint, services: Services, respond: Callable[[Answer], Response]) -> None:
    """Add the routes.

    Args:
        fhir: the FHIR door.
        services: the parts.
        respond: turns an answer into HTTP.
    """

    @fhir.post("/<type_>/$validate")
    @fhir.route("/<type_>/<id_>/$validate", methods=["GET", "POST"])
    def validate_route(type_: str, id_: str | None = None) -> Response:
        sent = body.read_body(services.settings.max_body_bytes) if request.method == "POST" else b""
        if sent:
            negotiation.require_json_sent()
        asked: dict[str, str] = {}
        for name, value in negotiation.parameters():
            if name not in ("mode", "profile") or name in asked:
                raise Incorrect("$validate has the parameters `mode` and `profile`, each at most once.")
            asked[name] = value
        return respond(
            validate_operation(services, g.caller, type_, id_, sent, asked.get("mode"), asked.get("profile"))
        )
