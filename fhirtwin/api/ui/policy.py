"""What browsers are told about a page, and which posts are taken: those of pages that this server made.

Under `--open` nobody signs in, so a page of another site could post here in the name of whoever sits before the
browser. Three things stand against it: the browser says which site a post comes from, `Origin` is our own, and a
token in the form is that of a cookie which other sites can neither read nor send along.

Source: https://www.w3.org/TR/CSP3/ and https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from flask import Response, g, request

from fhirtwin.errors import Forbidden

COOKIE: Final = "fhirtwin-sandbox"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PARTS: Final = ("text/html", "text/css", "image/svg+xml")
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def mark(response: Response, base_url: str) -> Response:
    """Put the page's own policy on an answer: styles of this server, forms to this server, nothing that runs.

    Args:
        response: the answer.
        base_url: this server's FHIR base, whose scheme is the one that browsers see, behind a proxy too.
    """
    if response.mimetype not in _PARTS:
        return response
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # With `no-referrer` browsers would send `Origin: null` with the forms of our own pages.
    response.headers["Referrer-Policy"] = "same-origin"
    if "form_token" in g and request.cookies.get(COOKIE) != g.form_token:
        response.set_cookie(
            COOKIE,
            g.form_token,
            path="/sandbox",
            httponly=True,
            samesite="Strict",
            secure=base_url.startswith("https:"),
        )
    return response


def form_token() -> str:
    """The token to put into a form: the one of this browser, or a new one."""
    if "form_token" not in g:
        known = request.cookies.get(COOKIE, "")
        g.form_token = known if _TOKEN.fullmatch(known) else secrets.token_urlsafe(32)
    return str(g.form_token)


def require_own_site(base_url: str) -> None:
    """Return when a post comes from a page of ours; to be asked before its body is read.

    Args:
        base_url: this server's FHIR base: its origin is ours, as the one that was called is.

    Raises:
        Forbidden: it comes from another site, or nobody knows from where.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        raise _not_ours()
    public = urlsplit(base_url)
    ours = (None, request.host_url.rstrip("/"), f"{public.scheme}://{public.netloc}")
    if site not in (None, "same-origin") or origin not in ours:
        raise _not_ours()


def require_own_form(form: Mapping[str, str]) -> None:
    """Return when a form was made for this browser.

    Raises:
        Forbidden: its token is not that of the cookie.
    """
    cookie, given = request.cookies.get(COOKIE, ""), form.get("token", "")
    if not _TOKEN.fullmatch(cookie) or not hmac.compare_digest(cookie.encode(), given.encode()):
        raise _not_ours()


def _not_ours() -> Forbidden:
    return Forbidden(
        "This was not sent by a page that this server made for this browser. Open /sandbox anew, with cookies allowed."
    )
