"""`/health/live` says that the process answers; `/health/ready` that it can do its work."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from fhirtwin.errors import FhirtwinError
from fhirtwin.store import Store


def blueprint(store: Store, engine_ready: Callable[[], None]) -> Blueprint:
    """Both pages; they need no sign-in and tell nothing of any patient.

    Args:
        store: must answer.
        engine_ready: returns when the engine can be asked and may be.
    """
    health = Blueprint("health", __name__, url_prefix="/health")

    @health.get("/live")
    def live() -> Response:
        return jsonify(status="live")

    @health.get("/ready")
    def ready() -> tuple[Response, int]:
        checks = {}
        for name, check in (("store", store.ready), ("engine", engine_ready)):
            try:
                check()
                checks[name] = "ready"
            except FhirtwinError as error:
                checks[name] = str(error)
        well = all(state == "ready" for state in checks.values())
        return jsonify(status="ready" if well else "not ready", checks=checks), 200 if well else 503

    return health
