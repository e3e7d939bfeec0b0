"""Where the parts are joined: the only place that makes them and hands out secrets."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from fhirtwin import keyfile, machine, timing
from fhirtwin.access import LOCAL_TOKEN, OPEN
from fhirtwin.api import admission, errors, health
from fhirtwin.api.cds import fetching
from fhirtwin.api.cds import routes as cds
from fhirtwin.api.fhir import routes as fhir
from fhirtwin.assess import Assessor
from fhirtwin.courier import Courier
from fhirtwin.errors import Forbidden, Unauthenticated
from fhirtwin.interactions.context import Services
from fhirtwin.predictors import registry
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.vault import Vault

_log = logging.getLogger("fhirtwin.request")


def from_environment() -> Flask:
    """The application of one gateway process, as `FHIRTWIN_*` describes it."""
    machine.stop_with_parent()
    settings = Settings.from_env()
    machine.close_memory()
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("fhirtwin").setLevel(settings.log_level.upper())
    return create_app(settings)


def create_app(settings: Settings, *, today: Callable[[], date] | None = None) -> Flask:
    """Join store, vault, courier, predictors and doors into one application.

    Args:
        settings: `engine_url`, and `base_url`, must be set; `fhirtwin serve` sees to both.
        today: the day that risks are calculated for; tests set it.

    Raises:
        Incorrect: a setting, a key file or the database is not usable; the text says what to do.
    """
    predictors = registry.all_predictors()
    panel = registry.panel(predictors)
    courier = Courier(
        settings.engine_url,
        bytes.fromhex(keyfile.read(settings.engine_key_path)),
        timeout=settings.engine_timeout_seconds,
        ca_file=settings.engine_ca_file or None,
    )
    assessor = Assessor(predictors, panel, Vault(panel, mode=settings.sealing), courier, settings)
    services = Services(
        settings=settings,
        store=Store.open(settings),
        assessor=assessor,
        today=today,
        outbound=fetching.way(settings),
    )

    app = Flask("fhirtwin", static_folder=None)
    app.url_map.strict_slashes = False
    # The redirect that would tidy `//` up leads to whatever host the caller names.
    app.url_map.merge_slashes = False
    _guard(app, settings)
    admission.install(app, settings.max_concurrent_requests)
    errors.install(app)
    app.register_blueprint(health.blueprint(services.store, courier))
    app.register_blueprint(fhir.blueprint(services), url_prefix="/fhir")
    app.register_blueprint(cds.blueprint(services), url_prefix="/cds-services")
    return app


def _guard(app: Flask, settings: Settings) -> None:
    """Who may come in, what every answer carries, and one log line a call, without anything of the patient's."""
    token = "" if settings.open else keyfile.read(settings.token_path)

    @app.before_request
    def admit() -> None:
        g.request_id, g.start = secrets.token_hex(8), time.perf_counter()
        timing.begin()
        g.caller = OPEN if settings.open else LOCAL_TOKEN
        if settings.open and not _names_this_machine(request.headers.get("Host", ""), settings.base_url):
            raise Forbidden("With --open this server answers only to a loopback address, and this Host is none.")
        if settings.open or request.blueprint == "health":
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise Unauthenticated(
                "This server wants `Authorization: Bearer TOKEN`; the token is in the file `token` of its data folder."
            )

    @app.after_request
    def finish(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-Id"] = g.request_id
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
        headers["Referrer-Policy"] = "no-referrer"
        headers.setdefault("Cache-Control", "no-store")
        if response.status_code == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if settings.open and (spent := timing.header()):
            headers["Server-Timing"] = spent
        rule = request.url_rule.rule if request.url_rule else "-"
        milliseconds = (time.perf_counter() - g.start) * 1000
        level = logging.DEBUG if request.blueprint == "health" else logging.INFO
        _log.log(level, "%s %s %s %d %.1fms", g.request_id, request.method, rule, response.status_code, milliseconds)
        return response


def _names_this_machine(host_header: str, base_url: str) -> bool:
    """Whether a Host is loopback's, or the one of our own address.

    A page of another site can have its own name resolve to 127.0.0.1; to a browser that is then one site with us, and
    only the Host tells. With a token it does no harm, since the page does not have it.
    """
    try:
        name = urlsplit(f"//{host_header}").hostname or ""
        if name in ("localhost", urlsplit(base_url).hostname):
            return True
        return ip_address(name).is_loopback
    except ValueError:
        return False
