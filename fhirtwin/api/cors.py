"""Lets pages of listed origins call from a browser: exactly those, and never with what the browser keeps for us.

No origin is reflected that is not on the list, and no credentials are allowed, so a page has to bring a token itself.

*Source*: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response, request

_METHODS: Final = {"/cds-services": "GET, POST", "/fhir": "GET, POST, PUT, PATCH, DELETE"}
_SENT: Final = "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer"
_READ: Final = "Content-Location, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-Request-Id"
_KEPT_SECONDS: Final = "600"

Origins = Callable[[], frozenset[str]]
"""The origins that are on the list now."""


def preflight(origins: Origins) -> Response | None:
    """The answer to a browser that asks whether a page may call; None when it does not ask, or may not be told so."""
    methods = _methods()
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not (asks and methods and _is_listed(origins)):
        return None
    answer = Response(status=204)
    answer.headers["Access-Control-Allow-Methods"] = methods
    answer.headers["Access-Control-Allow-Headers"] = _SENT
    answer.headers["Access-Control-Max-Age"] = _KEPT_SECONDS
    return answer


def mark(response: Response, origins: Origins) -> None:
    """Say on an answer that the page that called may read it, if it may; to caches, that this depends on the page."""
    if not _methods() or not origins():
        return
    response.vary.add("Origin")
    if _is_listed(origins):
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = _READ


def _methods() -> str:
    for door, methods in _METHODS.items():
        if request.path == door or request.path.startswith(f"{door}/"):
            return methods
    return ""


def _is_listed(origins: Origins) -> bool:
    return request.headers.get("Origin", "") in origins()
