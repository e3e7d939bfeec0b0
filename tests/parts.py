"""The FHIR side of a gateway without engine and token, and resources made in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Flask, g

from fhirtwin.access import OPEN
from fhirtwin.api import errors
from fhirtwin.api.fhir import routes
from fhirtwin.interactions.context import Services
from fhirtwin.settings import Settings
from fhirtwin.store import Store

BASE = "http://fhir.test/fhir"


def services(folder: Path, **settings: Any) -> Services:
    made = Settings(data=folder, open=True, base_url=BASE, **settings)
    return Services(made, Store.open(made))


def application(parts: Services) -> Flask:
    app = Flask("fhirtwin", static_folder=None)
    app.url_map.strict_slashes = False

    @app.before_request
    def admit() -> None:
        g.caller = OPEN

    errors.install(app)
    app.register_blueprint(routes.blueprint(parts), url_prefix="/fhir")
    return app


def body(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "gender": "female", "birthDate": "1960-05-04", **members}


def observation(subject: str, code: str = "2093-3", **members: Any) -> dict[str, Any]:
    """A total cholesterol; a member given as None is left out."""
    made = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2024-03-01T10:00:00Z",
        "valueQuantity": {"value": 200, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
        **members,
    }
    return {name: value for name, value in made.items() if value is not None}


def condition(subject: str, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44054006"}]},
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "subject": {"reference": subject},
        **members,
    }


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """One entry of a transaction; `fullUrl` goes to the entry, everything else to its request."""
    made: dict[str, Any] = {"request": {"method": method, "url": url}}
    if "fullUrl" in more:
        made["fullUrl"] = more.pop("fullUrl")
    made["request"] |= more
    return made if resource is None else {**made, "resource": resource}


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
