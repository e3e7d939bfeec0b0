"""One request to this very application, through everything that a request over HTTP passes, and what came of it."""

from __future__ import annotations

import contextvars
import time
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, current_app, request
from werkzeug.test import EnvironBuilder

from fhirtwin.api.guard import bearer_token
from fhirtwin.errors import FhirtwinError
from fhirtwin.fhir import codec


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer.

    Attributes:
        path: that was posted to.
        status: code and reason, `200 OK`.
        code: the code alone.
        headers: of the answer, in its order.
        text: the answer's body, indented when it is JSON.
        answer: the body read; empty when it is no JSON object.
        milliseconds: from sending to the last byte.
    """

    path: str
    status: str
    code: int
    headers: tuple[tuple[str, str], ...]
    text: str
    answer: dict[str, Any]
    milliseconds: float

    @property
    def is_success(self) -> bool:
        """Whether the status says that it went well."""
        return 200 <= self.code < 300


def post(path: str, body: bytes) -> Exchange:
    """Post JSON to a path of this application, as who looks at the page; guard, doors and errors are all passed.

    Args:
        path: from the root, `/cds-services/...`.
        body: sent as it is, JSON or not.
    """
    headers = [("Accept", "application/json")]
    if token := bearer_token():
        headers.append(("Authorization", f"Bearer {token}"))
    environ = EnvironBuilder(
        path=path,
        base_url=request.host_url,
        method="POST",
        data=body,
        content_type="application/json",
        headers=headers,
    ).get_environ()
    start = time.perf_counter()
    # In a context of its own, so that the inner request measures its stages by itself.
    response = contextvars.copy_context().run(Response.from_app, current_app.wsgi_app, environ, True)
    milliseconds = (time.perf_counter() - start) * 1000
    return _exchange(path, response, milliseconds)


def _exchange(path: str, response: Any, milliseconds: float) -> Exchange:
    data = response.get_data()
    answer = read(data)
    return Exchange(
        path=path,
        status=response.status,
        code=response.status_code,
        headers=tuple(response.headers.items()),
        text=pretty(answer) if answer else data.decode(errors="replace"),
        answer=answer,
        milliseconds=milliseconds,
    )


def read(data: bytes) -> dict[str, Any]:
    """A JSON object; empty when it is none."""
    try:
        return codec.decode(data)
    except FhirtwinError:
        return {}


def pretty(value: Any) -> str:
    """JSON for people, numbers with the digits they have."""
    return msgspec.json.format(codec.encode(value), indent=2).decode()
