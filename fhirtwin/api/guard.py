"""Who may come in, what every answer carries, and one log line a call, without anything of the patient's.

| caller | without `--open` | with `--open` |
|---|---|---|
| nobody | 401 | in, from this machine |
| the token of the data folder | in | in |
| that token as a password, on `/sandbox` and `/my-twin` | in | in |
| an EHR's own token, on CDS Hooks | in, when it is right | in as that EHR, when it is right; else 401 |
| an EHR's own token, on FHIR | 401 | in, as anybody |

Under `--open` tokens are looked at only when an EHR is registered: sandboxes send theirs whether they are known or not.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from fhirtwin import keyfile, timing
from fhirtwin.access import LOCAL_TOKEN, OPEN
from fhirtwin.api import cors
from fhirtwin.api.cds.trust import sign_in, token
from fhirtwin.api.cds.trust.sign_in import SignIn
from fhirtwin.api.origins import read_origins
from fhirtwin.errors import Forbidden, Unauthenticated
from fhirtwin.settings import Settings

_PAGES = ("/sandbox", "/my-twin")
_log = logging.getLogger("fhirtwin.request")
_WANTED = "This server wants `Authorization: Bearer TOKEN`; the token is in the file `token` of its data folder."


def install(app: Flask, settings: Settings, ehrs: SignIn) -> None:
    """Let nobody into `app` who may not, and say on every answer what browsers must know.

    Sets `g.caller` to who calls, `g.ehr` to the EHR if it is one (else None), and `g.fhir_servers` to the FHIR servers
    that may be called for it: its own, or those of all EHRs for who holds the token of the data folder.

    Raises:
        Incorrect: the token or the list of origins is not usable.
    """
    secret = "" if settings.open else keyfile.read(settings.token_path)
    listed = read_origins(settings.cors_origins, "FHIRTWIN_CORS_ORIGINS")

    def origins() -> frozenset[str]:
        return listed | ehrs.clients().origins

    @app.before_request
    def admit() -> Response | None:
        g.request_id, g.start = secrets.token_hex(8), time.perf_counter()
        timing.begin()
        g.caller, g.ehr, g.fhir_servers = (OPEN if settings.open else LOCAL_TOKEN), None, ()
        if settings.open and not _names_this_machine(request.headers.get("Host", ""), settings.base_url):
            raise Forbidden("With --open this server answers only to a loopback address, and this Host is none.")
        if answer := cors.preflight(origins):
            return answer
        if request.blueprint != "health":
            _sign_in(settings, secret, ehrs)
        return None

    @app.after_request
    def finish(response: Response) -> Response:
        cors.mark(response, origins)
        _complete(response, open_=settings.open)
        return response


def _sign_in(settings: Settings, secret: str, ehrs: SignIn) -> None:
    """Settle who calls.

    Raises:
        Unauthenticated: nobody who may.
    """
    bearer = bearer_token()
    is_cds = request.path == "/cds-services" or request.path.startswith("/cds-services/")
    local = settings.open or hmac.compare_digest(bearer.strip().encode(), secret.encode())
    if is_cds and token.looks_like_one(bearer) and (ehrs.expects() if settings.open else not local):
        _sign_in_ehr(bearer, ehrs)
        return
    if not local:
        raise Unauthenticated(_WANTED)
    if is_cds:
        g.fhir_servers = tuple(server for client in ehrs.clients().all for server in client.servers())


def bearer_token() -> str:
    """The token that the request at hand brings; empty when it brings none.

    Browsers cannot send a bearer token. For pages they ask who sits before them for a password, and
    that is the token; what the pages do is taken from pages of this server only (`ui.policy`).
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given
    basic = request.authorization if _is_page() else None
    return (basic.password or "") if basic and basic.type == "basic" else ""


def _is_page() -> bool:
    return any(request.path == page or request.path.startswith(f"{page}/") for page in _PAGES)


def _sign_in_ehr(bearer: str, ehrs: SignIn) -> None:
    try:
        client = ehrs.client(bearer, request.path, g.request_id)
    except Unauthenticated:
        raise Unauthenticated(_WANTED) from None
    g.caller, g.ehr, g.fhir_servers = sign_in.caller(client), client, client.servers()


def _complete(response: Response, *, open_: bool) -> None:
    headers = response.headers
    headers["X-Request-Id"] = g.request_id
    headers["X-Content-Type-Options"] = "nosniff"
    # A page for people brings a policy of its own.
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cache-Control", "no-store")
    if response.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
        if _is_page():
            headers.add("WWW-Authenticate", 'Basic realm="fhirtwin: the password is the token", charset="UTF-8"')
    if open_ and (spent := timing.header()):
        headers["Server-Timing"] = spent
    rule = request.url_rule.rule if request.url_rule else "-"
    milliseconds = (time.perf_counter() - g.start) * 1000
    level = logging.DEBUG if request.blueprint == "health" else logging.INFO
    _log.log(level, "%s %s %s %d %.1fms", g.request_id, request.method, rule, response.status_code, milliseconds)


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
