"""Where the parts are joined: the only place that makes them and hands out secrets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date

from flask import Flask

from fhirtwin import key_shelf, keyfile, machine
from fhirtwin.api import admission, errors, guard, health, metrics
from fhirtwin.api.cds import routes as cds
from fhirtwin.api.cds.trust.sign_in import SignIn
from fhirtwin.api.fhir import routes as fhir
from fhirtwin.api.ui import my_twin, sandbox
from fhirtwin.assess import NOT_KEPT, Assessor, SealedModel
from fhirtwin.assess_genes import SealedGenes
from fhirtwin.courier import Courier
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.doubting import Doubting
from fhirtwin.packages import published, signing
from fhirtwin.packages.kind import Predictive
from fhirtwin.packages.package import Package
from fhirtwin.pgx.knowledge import folder as knowledge
from fhirtwin.pgx.lookup import PLAIN
from fhirtwin.predictors import registry
from fhirtwin.quarantine import Quarantine, is_asked, watched
from fhirtwin.relay import Relay
from fhirtwin.rules import registry as rules
from fhirtwin.rules.genetics import tables
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.vault import Keyring, Lifetime, Shelf, Vault, asking, sealing_key


def from_environment() -> Flask:
    """The application of one gateway process, as `FHIRTWIN_*` describes it."""
    machine.stop_with_parent()
    settings = Settings.from_env()
    machine.close_memory()
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("fhirtwin").setLevel(settings.log_level.upper())
    logging.getLogger("fhirtwin.security").setLevel(logging.INFO)  # whatever else is not worth a line
    app = create_app(settings)
    machine.settle()
    return app


def create_app(settings: Settings, *, today: Callable[[], date] | None = None) -> Flask:
    """Join store, vault, courier, predictors and doors into one application.

    Args:
        settings: `engine_url`, and `base_url`, must be set; `fhirtwin serve` sees to both.
        today: the day that risks are calculated for; tests set it.

    Raises:
        Incorrect: a setting, a key file or the database is not usable; the text says what to do.
    """
    tables.read()  # and import the rules, so that the first patient does not wait for it
    rules.all_rules()
    predictors = registry.all_predictors()
    panel = registry.panel(predictors)
    packages = published.current(settings.models_path, signing.read_authors(settings.authors_path))
    registry.admit([*predictors, *(one.predictor for one in packages if one.predictor is not None)])
    courier = Courier.of(settings)
    store = Store.open(settings)
    lasting = any(isinstance(one.model, Predictive) and one.model.needs_lasting_keys for one in packages)
    shelf = _shelf(settings, lasting=lasting)
    vault = Vault(panel, mode=settings.sealing, shelf=shelf)
    models = _sealed_models(packages, settings, Keyring(shelf))
    quarantine = Quarantine(store, golden=watched(packages, settings))
    assessor = Assessor(predictors, panel, vault, courier.evaluate, settings, quarantine, models)
    genes = SealedGenes(courier.evaluate, quarantine.asked) if settings.genes == "sealed" else PLAIN
    services = Services(
        settings=settings,
        store=store,
        assessor=assessor,
        today=today,
        genes=genes,
        pgx_knowledge=knowledge.load(settings.pgx_kb_path),
        relay=Relay(panel, courier.evaluate, quarantine.asked),
    )
    quarantine.when_found = Doubting(services).begin
    quarantine.remind()

    def engine_ready() -> None:
        quarantine.require()
        courier.ready()

    app = Flask("fhirtwin", static_folder=None)
    app.url_map.strict_slashes = False
    # The redirect that would tidy `//` up leads to whatever host the caller names.
    app.url_map.merge_slashes = False
    guard.install(app, settings, SignIn.open(settings))
    admission.install(app, settings.max_concurrent_requests)
    errors.install(app)
    app.register_blueprint(health.blueprint(services.store, engine_ready))
    app.register_blueprint(metrics.blueprint(services.store))
    app.register_blueprint(fhir.blueprint(services), url_prefix="/fhir")
    app.register_blueprint(cds.blueprint(services), url_prefix="/cds-services")
    app.register_blueprint(sandbox.blueprint(services), url_prefix="/sandbox")
    app.register_blueprint(my_twin.blueprint(services), url_prefix="/my-twin")
    return app


def _sealed_models(packages: Sequence[Package], settings: Settings, keyring: Keyring) -> list[SealedModel]:
    """The models that give risks, each with what asks it, or the reason why nothing does."""
    found = []
    for one in packages:
        if isinstance(one.model, Predictive):
            unkept = not is_asked(one.model, settings)
            asks = None if unkept else asking(one.model, keyring)
            found.append(SealedModel(one.model, one.author, asks, NOT_KEPT if unkept else ""))
    return found


def _shelf(settings: Settings, *, lasting: bool = False) -> Shelf:
    """Where keys of many requests lie, when there are any: of rotating mode, or of models that need them."""
    lifetime = Lifetime(settings.circuit_key_openings, settings.circuit_key_days * 86_400)
    if settings.circuit_keys != "kept" or not (lasting or settings.sealing == "rotating"):
        return Shelf(lifetime=lifetime)
    secret = settings.circuit_keys_secret_path
    if not secret.exists() and not settings.circuit_keys_secret_file:
        keyfile.make(secret)
    kept = key_shelf.KeyShelf(settings.data / key_shelf.NAME)
    return Shelf(kept, sealing_key(keyfile.read_passphrase(secret), kept.salt), lifetime)
