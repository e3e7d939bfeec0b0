"""Two web applications for `benchmarks.cds_call`: the CDS Hooks door with a trivial service, and the least of Flask.

The door is the gateway's own: guard, admission, errors, sign-in off. What it has no part of is the engine, which a
trivial service does not need.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask, jsonify, request

from fhirtwin import machine
from fhirtwin.api import admission, errors, guard
from fhirtwin.api.cds import routes
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.api.cds.services import registry
from fhirtwin.api.cds.trust.sign_in import SignIn
from fhirtwin.intake.templates import Template
from fhirtwin.interactions.context import Services
from fhirtwin.settings import Settings
from fhirtwin.store import Store

CARD: dict[str, Any] = {"summary": "Hello", "indicator": "info", "source": {"label": "Benchmark"}}
TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "procedures": "Procedure?patient={{context.patientId}}",
    "medications": "MedicationRequest?patient={{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}",
}


def door() -> Flask:
    """The gateway's door, with one service that always says the same."""
    settings = Settings(data=Path(os.environ["BENCH_FOLDER"]), open=True, base_url="http://127.0.0.1/fhir")
    parts = Services(settings, Store.open(settings))
    prefetch = {key: Template(query) for key, query in TEMPLATES.items()}
    service = Service("hello", ("patient-view",), "Hello", "Says hello.", prefetch, _hello)
    app = Flask("door", static_folder=None)
    guard.install(app, settings, SignIn.open(settings))
    admission.install(app, settings.max_concurrent_requests)
    errors.install(app)
    app.register_blueprint(routes.blueprint(parts, registry.admit([service])), url_prefix="/cds-services")
    machine.settle()
    return app


def _hello(call: Call) -> Response:
    return Response([{**CARD, "detail": f"{len(call.prefetched.resources)} resources"}])


def plain() -> Flask:
    """JSON in, JSON out, as Flask does it by itself; nothing is checked."""
    app = Flask("plain", static_folder=None)

    @app.get("/cds-services")
    def discovery() -> Any:
        return jsonify({"services": []})

    @app.post("/cds-services/hello")
    def call() -> Any:
        sent = request.get_json()
        return jsonify({"cards": [{**CARD, "detail": f"{len(sent['prefetch'])} keys"}]})

    return app
