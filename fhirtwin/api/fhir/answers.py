"""Turns what an interaction answered into what the caller gets, in the format that suits them both."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, g, request

from fhirtwin.api import rendering
from fhirtwin.api.fhir import binaries, negotiation
from fhirtwin.fhir.media_types import Format
from fhirtwin.interactions.context import Answer, Services

_CHANGES_NOTHING: Final = ("GET", "HEAD")


def prepare(fhir: Blueprint, services: Services) -> None:
    """Let the format of each answer be settled before anything is done; `respond` relies on it."""

    @fhir.before_request
    def settle() -> None:
        negotiation.settle(any_type=binaries.is_read())
        negotiation.refuse_other_encodings()
        g.store = services.store


def respond(answer: Answer) -> Response:
    """The response of an answer.

    Raises:
        NotAcceptable: what was read cannot be written as the caller wants it. What was stored is told all the same.
    """
    if not answer.body:
        response = Response(status=answer.status, headers=dict(answer.headers))
        del response.headers["Content-Type"]
        return response
    content = binaries.native(answer)
    if content is not None:
        return content
    render = rendering.respond if request.method in _CHANGES_NOTHING else rendering.respond_whatever
    response = render(answer.status, answer.body, _source(answer))
    response.headers.update(answer.headers)
    return response


def _source(answer: Answer) -> bytes:
    """The XML that the body was sent as, when it is wanted and there is one."""
    if rendering.settled() is not Format.XML or answer.stored is None or answer.stored.data != answer.body:
        return b""
    source: bytes = g.store.source(answer.stored)
    return source
