"""The only place that turns errors into HTTP: every one becomes an OperationOutcome, whichever door it came through.

A person in a browser gets a page instead (`error_page`).

An unexpected error is told by a number alone. The log has that number, the class of the error, the route's template and
the places in the code it came through, but not its text: that might repeat what a patient's record says.
"""

from __future__ import annotations

import logging
import traceback
import uuid
from pathlib import Path
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod

from fhirtwin import errors
from fhirtwin.api import error_page, rendering
from fhirtwin.errors import Fault, FhirtwinError, Issue
from fhirtwin.fhir import codec
from fhirtwin.fhir.outcome import operation_outcome

_log = logging.getLogger("fhirtwin.error")

_BY_STATUS: Final[dict[int, tuple[type[FhirtwinError], str]]] = {
    400: (errors.Incorrect, "This is not a request that can be read."),
    404: (errors.NotFound, "There is nothing at this address; `metadata` lists what there is."),
    405: (errors.MethodNotAllowed, "This address does not take this method."),
    413: (errors.TooLarge, "This request is too large."),
    415: (errors.WrongMediaType, "This media type is not read here; send the body as application/fhir+json."),
}


def install(app: Flask) -> None:
    """Let `app` answer every error, unknown addresses and unexpected exceptions included, with an OperationOutcome."""
    app.register_error_handler(FhirtwinError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: FhirtwinError) -> Response:
    if isinstance(error, Fault):
        _log.error("%s at %s %s: %s", type(error).__name__, request.method, _route(), error)
    answer = render(error.status, error.issues)
    if error.status == errors.Busy.status:
        answer.headers["Retry-After"] = "1"
    if isinstance(error, errors.MethodNotAllowed) and error.allowed:
        answer.headers["Allow"] = ", ".join(error.allowed)
    return answer


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect is no error
        return Response(status=status, headers=dict(error.get_headers()))
    kind, text = _BY_STATUS.get(status, (errors.Incorrect if status < 500 else Fault, error.name))
    answer = render(status, [Issue(kind.code, text)])
    if isinstance(error, WrongMethod) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def _unexpected(error: Exception) -> Response:
    number = uuid.uuid4().hex
    _log.error("error %s: %s at %s %s, %s", number, type(error).__name__, request.method, _route(), _places(error))
    text = f"Something went wrong inside this server. Its log has more under the number {number}."
    return render(Fault.status, [Issue(Fault.code, text)])


def _places(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)


def render(status: int, issues: tuple[Issue, ...] | list[Issue]) -> Response:
    """An OperationOutcome as a response, or a page for a person."""
    if error_page.wanted():
        return error_page.page(status, issues)
    return rendering.respond_whatever(status, codec.encode(operation_outcome(issues)))


def _route() -> str:
    """The template of the route, not the address: that may hold a patient's name."""
    return request.url_rule.rule if request.url_rule else "-"
