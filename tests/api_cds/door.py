"""The CDS Hooks door alone, with services made for a test and a FHIR server that is only pretended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g
from flask.testing import FlaskClient

from fhirtwin.access import OPEN
from fhirtwin.api import errors
from fhirtwin.api.cds import routes
from fhirtwin.api.cds.calls import fetching
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.api.cds.services import registry
from fhirtwin.interactions.context import Services
from fhirtwin.outbound import Fetched
from fhirtwin.settings import Settings
from fhirtwin.store import Store

EHR = "https://ehr.example/fhir"
AUTHORIZATION = {
    "access_token": "opaque-secret",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "subject": "fhirtwin",
}
CARD: dict[str, Any] = {"summary": "Something to say", "indicator": "info", "source": {"label": "Test"}}


def body(hook: str = "patient-view", **changes: Any) -> dict[str, Any]:
    """A call; a change to `...` leaves a member out."""
    sent = {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/p", "patientId": "p1"},
        **changes,
    }
    return {name: value for name, value in sent.items() if value is not ...}


def service(handler: Callable[[Call], Any] = lambda _: Response(), **changes: Any) -> Service:
    return Service(
        **{
            "id": "s",
            "hooks": ("patient-view",),
            "title": "Service",
            "description": "Says what the test wants.",
            "prefetch": {},
            "handler": handler,
            **changes,
        }
    )


@dataclass
class Pretended:
    """Stands in for the way out: answers by path and query, and remembers what it was asked."""

    answers: Mapping[str, Any]
    lists: tuple[str, ...] = (EHR,)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def allows(self, url: str) -> bool:
        return any(url.startswith(base) for base in self.lists)

    def get(self, url: str, *, headers: Mapping[str, str], deadline: float) -> Fetched:
        self.asked.append((url, dict(headers)))
        assert self.allows(url), url
        parts = urlsplit(url)
        path = parts.path.removeprefix("/fhir/") + (f"?{parts.query}" if parts.query else "")
        answer = self.answers.get(path, 404)
        if callable(answer):
            answer = answer(deadline)
        if isinstance(answer, int):
            return Fetched(answer, {}, b"")
        return Fetched(200, {}, answer if isinstance(answer, bytes) else json.dumps(answer).encode())


@dataclass
class Door:
    http: FlaskClient
    parts: Services

    def call(self, sent: Any, id_: str = "s") -> Any:
        return self.http.post(f"/cds-services/{id_}", json=sent)


def door(folder: Path, *services: Service, outbound: Any = None, **settings: Any) -> Door:
    """A door with these services; the caller closes the store. An `outbound` of `...` is the real one."""
    folder.mkdir(exist_ok=True)
    chosen = Settings(**{"data": folder, "base_url": "https://twin.example/fhir", "open": True, **settings})
    parts = Services(chosen, Store.open(chosen))
    app = Flask("test", static_folder=None)

    @app.before_request
    def admit() -> None:
        g.caller = OPEN

    errors.install(app)
    find_way = fetching.way if outbound is ... else lambda *_: outbound
    app.register_blueprint(
        routes.blueprint(parts, registry.admit(services), find_way=find_way), url_prefix="/cds-services"
    )
    return Door(app.test_client(), parts)
