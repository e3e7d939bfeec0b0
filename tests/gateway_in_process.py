"""A whole gateway in this process: real vault, real evaluator, no network between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, g
from flask.testing import FlaskClient

from fhirtwin import shipped
from fhirtwin.access import OPEN, Caller
from fhirtwin.api import errors, metrics
from fhirtwin.api.cds import routes as cds
from fhirtwin.api.fhir import routes as fhir
from fhirtwin.assess import UNGATED, Assessor, Gate
from fhirtwin.assess_genes import SealedGenes
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import FhirtwinError
from fhirtwin.interactions import doubting
from fhirtwin.interactions.context import Services
from fhirtwin.pgx.circuits import tables
from fhirtwin.pgx.lookup import PLAIN
from fhirtwin.predictors import registry
from fhirtwin.quarantine import Quarantine
from fhirtwin.relay import Relay
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.vault import Vault

DAY = date(2026, 6, 1)
"""A day after the newest one of the record of Maria Keller."""
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BASE = "https://twin.example/fhir"
FHIR = "application/fhir+json"


@cache
def evaluator() -> Evaluator:
    """The engine's heart, made once."""
    return Evaluator(registry.panel(registry.all_predictors()), tables.panels())


@dataclass
class Beside:
    """Stands in for the courier: hands sealed bytes to the evaluator, and remembers what it was given.

    Attributes:
        way: to another engine.
    """

    sent: list[SealedFeatures] = field(default_factory=list)
    fails: FhirtwinError | None = None
    spoil: Callable[[SealedScores], SealedScores] = lambda scores: scores
    way: Callable[[SealedFeatures], SealedScores] = lambda features: evaluator().evaluate(
        features, wire.keys_digest(features.evaluation_keys)
    )

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        self.sent.append(features)
        if self.fails:
            raise self.fails
        return self.spoil(self.way(features))


def assessor(courier: Any, settings: Settings, gate: Gate = UNGATED) -> Assessor:
    predictors = registry.all_predictors()
    panel = registry.panel(predictors)
    return Assessor(predictors, panel, Vault(panel, mode=settings.sealing), courier.evaluate, settings, gate)


@dataclass
class Gateway:
    """Doors, parts, and what went to the engine."""

    http: FlaskClient
    parts: Services
    courier: Beside
    caller: Caller = OPEN
    day: date = DAY
    now: datetime = NOW

    def load(self, record: str) -> str:
        """Post a transaction; the id of its Patient."""
        answer = self.http.post("/fhir", data=record, content_type=FHIR)
        assert answer.status_code == 200, answer.text
        first = str(answer.json["entry"][0]["response"]["location"])  # type: ignore[index]
        return first.split("Patient/")[1].split("/", maxsplit=1)[0]

    def prefetch(self, patient: str) -> dict[str, Any]:
        """What an EHR that keeps everything here would send."""
        listed = self.http.get("/cds-services").json["services"]  # type: ignore[index]
        (service,) = [each for each in listed if each["id"] == "twin-patient-view"]
        found = {}
        for key, query in service["prefetch"].items():
            answer = self.http.get("/fhir/" + query.replace("{{context.patientId}}", patient))
            assert answer.status_code == 200, (key, answer.text)
            found[key] = answer.json
        return found

    def call(self, patient: str, prefetch: Any, **changes: Any) -> Any:
        """A `patient-view` call; a change to `...` leaves a member out."""
        body = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "fhirServer": BASE,
            "context": {"userId": "Practitioner/p", "patientId": patient},
            "prefetch": prefetch,
            **changes,
        }
        sent = {name: value for name, value in body.items() if value is not ...}
        return self.http.post("/cds-services/twin-patient-view", json=sent)

    def reports(self, patient: str) -> dict[str, dict[str, Any]]:
        """Stored RiskAssessments by predictor."""
        found = self.http.get(f"/fhir/RiskAssessment?patient={patient}").json
        assert found is not None
        resources = [entry["resource"] for entry in found.get("entry", ()) if entry["search"]["mode"] == "match"]
        return {resource["method"]["coding"][0]["code"]: resource for resource in resources}


def gateway(folder: Path, **settings: Any) -> Gateway:
    """Open a gateway on a fresh database."""
    chosen = Settings(**{"data": folder, "base_url": BASE, "open": True, **settings})
    courier = Beside()
    store = Store.open(chosen)
    quarantine = Quarantine(store)
    made = Gateway(
        http=FlaskClient(app := Flask("test", static_folder=None)),
        parts=Services(
            chosen,
            store,
            assessor(courier, chosen, quarantine),
            today=lambda: made.day,
            genes=SealedGenes(courier.evaluate, quarantine.asked) if chosen.genes == "sealed" else PLAIN,
            now=lambda: made.now,
            relay=Relay(registry.panel(registry.all_predictors()), courier.evaluate, quarantine.asked),
        ),
        courier=courier,
    )
    quarantine.when_found = lambda: doubting.withdraw(made.parts)

    @app.before_request
    def admit() -> None:
        g.caller = made.caller

    errors.install(app)
    app.url_map.strict_slashes = False
    app.register_blueprint(metrics.blueprint(made.parts.store))
    app.register_blueprint(fhir.blueprint(made.parts), url_prefix="/fhir")
    app.register_blueprint(cds.blueprint(made.parts), url_prefix="/cds-services")
    made.http = app.test_client()
    return made


@cache
def maria() -> str:
    """The record of the demonstration."""
    return (shipped.folder("fixtures") / "patients" / "maria-keller" / "bundle.json").read_text()
