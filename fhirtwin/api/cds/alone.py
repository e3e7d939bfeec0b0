"""The CDS Hooks door by itself, in this process: for who writes a service and wants to see it called."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, g

from fhirtwin.access import OPEN
from fhirtwin.api import errors
from fhirtwin.api.cds import routes
from fhirtwin.api.cds.service import Service
from fhirtwin.interactions.context import Services


def post(parts: Services, services: Mapping[str, Service], id_: str, body: bytes) -> tuple[int, bytes]:
    """Call a service as anybody on this machine; status and body of the answer.

    Args:
        parts: what services work with.
        services: those that are there, through the registry's gate.
        id_: which of them.
        body: of the call, as JSON.
    """
    app = Flask("alone", static_folder=None)

    @app.before_request
    def admit() -> None:
        g.caller = OPEN

    errors.install(app)
    app.register_blueprint(routes.blueprint(parts, services), url_prefix="/cds-services")
    answer = app.test_client().post(f"/cds-services/{id_}", data=body, content_type="application/json")
    return answer.status_code, answer.data
