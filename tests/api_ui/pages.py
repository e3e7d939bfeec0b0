"""The sandbox in this process, with guard, FHIR and CDS doors, and services that say what a test wants."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhirtwin import keyfile
from fhirtwin.api import admission, errors, guard
from fhirtwin.api.cds import routes as cds
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.api.cds.services import registry
from fhirtwin.api.cds.trust.sign_in import SignIn
from fhirtwin.api.fhir import routes as fhir
from fhirtwin.api.ui import sandbox as ui
from fhirtwin.intake.prefetch import Template
from fhirtwin.interactions.context import Services
from fhirtwin.settings import Settings
from fhirtwin.store import Store

HOST = "http://localhost"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
SUGGESTION = "7a1a0a52-6d0e-4d4e-9a57-0c9a1f5f8f11"
REASONS = [
    {"system": "https://example.org/reasons", "code": "later", "display": "Will do it later"},
    {"system": "https://example.org/reasons", "code": "known", "display": "Known already"},
]


def card(**changes: Any) -> dict[str, Any]:
    """A card with everything that a card may have."""
    return {
        "uuid": CARD,
        "summary": "Creatinine is missing",
        "indicator": "warning",
        "detail": "**Order** it & see.",
        "source": {"label": "Guideline", "url": "https://guideline.example/1"},
        "suggestions": [
            {
                "uuid": SUGGESTION,
                "label": "Order creatinine",
                "isRecommended": True,
                "actions": [
                    {
                        "type": "create",
                        "description": "Order it",
                        "resource": {
                            "resourceType": "ServiceRequest",
                            "status": "draft",
                            "intent": "proposal",
                            "subject": {"reference": "Patient/1"},
                        },
                    }
                ],
            }
        ],
        "selectionBehavior": "any",
        "overrideReasons": REASONS,
        "links": [
            {"label": "Read more", "url": "https://guideline.example/2", "type": "absolute"},
            {"label": "Calculator", "url": "https://app.example/launch", "type": "smart", "appContext": "ctx"},
        ],
        **changes,
    }


@dataclass
class Sandbox:
    """The pages, and what services say and were told."""

    http: FlaskClient
    parts: Services
    says: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> Response:
        self.calls.append(call)
        return Response(self.says)

    def patient(self, family: str = "Keller", **members: Any) -> str:
        """Store a Patient; the id."""
        name = [{"family": family, "given": ["Maria"]}]
        sent = {"resourceType": "Patient", "name": name, "gender": "female", "birthDate": "1964-03-14", **members}
        return str(self.create(sent)["id"])

    def create(self, resource: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(f"/fhir/{resource['resourceType']}", json=resource, headers={"Prefer": ""})
        assert answer.status_code == 201, answer.text
        return dict(self.http.get(answer.headers["Location"].split("/_history")[0]).json or {})

    def fire(self, path: str, text: str | None = None, **changes: Any) -> TestResponse:
        """See a request page, and press its button with its own text or another."""
        seen = self.http.get(path)
        assert seen.status_code == 200, seen.text
        sent = {"token": hidden(seen, "token"), "request": request_text(seen) if text is None else text}
        return self.http.post(path, data=sent | changes.pop("data", {}), headers={"Origin": HOST} | changes)


def sandbox(folder: Path, **settings: Any) -> Sandbox:
    """Open one on a fresh database; `--open` unless told otherwise."""
    keyfile.read_or_make(folder / "token")
    chosen = Settings(**{"data": folder, "base_url": f"{HOST}/fhir", "open": True, **settings})
    parts = Services(chosen, Store.open(chosen))
    app = Flask("test", static_folder=None)
    app.url_map.strict_slashes = False
    made = Sandbox(app.test_client(), parts)

    patient = {"patient": Template("Patient/{{context.patientId}}")}
    problems = {"problems": Template("Condition?patient={{context.patientId}}&_count=1")}
    services = registry.admit(
        [
            Service("orders", ("order-select", "order-sign"), "Orders", "Looks at orders.", patient, made.answer),
            Service("view", ("patient-view",), "Chart", "Looks at the chart.", patient | problems, made.answer),
        ]
    )
    guard.install(app, chosen, SignIn.open(chosen))
    admission.install(app, chosen.max_concurrent_requests)
    errors.install(app)
    app.register_blueprint(fhir.blueprint(parts), url_prefix="/fhir")
    app.register_blueprint(cds.blueprint(parts, services), url_prefix="/cds-services")
    app.register_blueprint(ui.blueprint(parts, services), url_prefix="/sandbox")
    made.http = app.test_client()
    return made


def hidden(answer: TestResponse, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'<input type="hidden" name="{re.escape(name)}" value="([^"]*)">', answer.text)
    assert found, answer.text
    return html.unescape(found[1])


def request_text(answer: TestResponse) -> str:
    """What stands in the textarea."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", answer.text, re.S)
    assert found, answer.text
    return html.unescape(found[1])
