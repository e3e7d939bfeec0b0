"""The engine's door: `POST /evaluate` takes and gives binary messages, `GET /ready` tells what this engine is.

Every refusal is `{"version": ..., "error": ...}` and signed, so that a courier can say in words what is wrong; except
to whom nobody knows, for there is nothing to sign with.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import nullcontext

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.tenants.book import Several, Sole
from fhirtwin.engine.tenants.tenant import Tenant
from fhirtwin.engine.tenants.turns import Bounds, Turns
from fhirtwin.errors import Busy, Conflict, FhirtwinError, Incorrect, Unauthenticated, Unprocessable

MEDIA_TYPE = "application/octet-stream"
_CHALLENGE = re.compile(rf"[0-9a-f]{{{2 * wire.CHALLENGE_BYTES}}}")
_LARGE_BYTES = 1_000_000
"""Messages from here on are read two at a time: a worker's memory has no room for one of everybody's. Who waits to be
read holds no memory, so it may wait for longer."""


def create_app(evaluator: Evaluator, gateways: Sole | Several | bytes) -> Flask:
    """The engine's web application.

    Args:
        evaluator: holds the weights.
        gateways: whose messages are answered; a secret stands for the one gateway that has it.
    """
    app = Flask("fhirtwin.engine", static_folder=None)
    book = Sole(gateways) if isinstance(gateways, bytes) else gateways
    door = _Door(evaluator, book)

    @app.before_request
    def know_caller() -> None:
        g.tenant = book.known(request.headers.get(wire.KEY_HEADER, ""))

    app.post(wire.EVALUATE)(door.evaluate)
    app.get(wire.READY)(door.ready)

    @app.errorhandler(FhirtwinError)
    def refused(error: FhirtwinError) -> Response:
        return _refuse(error.status, str(error), error.retry_after if isinstance(error, Busy) else 0)

    @app.errorhandler(HTTPException)
    def not_here(error: HTTPException) -> Response:
        return _refuse(error.code or 500, error.name)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        app.logger.error("an evaluation failed: %s", type(error).__name__)
        return _refuse(500, "The engine failed.")

    return app


class _Door:
    """Answers the two addresses."""

    def __init__(self, evaluator: Evaluator, book: Sole | Several) -> None:
        self._evaluator, self._book = evaluator, book
        self._evaluating = Turns(Bounds(), shared=book.shared)
        self._reading = Turns(Bounds(longest_seconds=10.0), shared=book.shared)

    def evaluate(self) -> Response:
        # Before anything is read, let alone parsed: SEAL believes the lengths that a ciphertext says of itself.
        length, tenant = request.content_length or 0, _caller()
        if tenant is None:
            raise Unauthenticated("This engine knows no gateway with that secret.")
        lengths = self._evaluator.request_lengths  # what is published while it runs may have others
        if not any(length in right for right in lengths.values()):
            # Of a length that only a model has which is not served (any more), so nothing else is wrong with it.
            raise Unprocessable("No message of that length is right for any profile of this engine.")
        request.max_content_length = length
        with self._reading.turn(tenant.name) if length >= _LARGE_BYTES else nullcontext():
            asked = self._read(tenant, lengths)
            answer = self._answer(tenant, asked, length)
        return Response(answer, mimetype=MEDIA_TYPE)

    def ready(self) -> Response:
        if (tenant := _caller()) is None:  # told that this is an engine, and no more
            return Response(json.dumps({"version": __version__}), mimetype="application/json")
        body = _about(self._evaluator, tenant)
        response = Response(body, mimetype="application/json")
        challenge = request.args.get("challenge", "")
        if _CHALLENGE.fullmatch(challenge):
            response.headers[wire.MAC_HEADER] = wire.sign_ready(tenant.key, bytes.fromhex(challenge), body).hex()
        return response

    def _read(self, tenant: Tenant, lengths: Mapping[str, frozenset[int]]) -> wire.Request:
        data = request.get_data(cache=False)
        asked = wire.read_request(data, tenant.key)
        if asked.version != __version__:
            raise Conflict(f"The gateway's version is {asked.version}.")
        # Of a profile that nothing here lies in, the evaluator says that the panel is another.
        right = lengths.get(asked.features.profile)
        if right is not None and len(data) not in right:
            self._evaluator.kind(asked.features.panel_digest)  # what is not held may have another length
            raise Incorrect("The message has not the length that its profile says.")
        return asked

    def _answer(self, tenant: Tenant, asked: wire.Request, length: int) -> bytes:
        evaluator, model = self._evaluator, asked.features.panel_digest
        tenant.require(evaluator.model_of(model), evaluator.kind(model))
        counted = self._book.counted(tenant, model, length, evaluator.vectors(model))
        with self._evaluating.turn(tenant.name), counted:
            start = time.perf_counter()
            scores = evaluator.evaluate(asked.features, asked.keys_digest, tenant.name)
            spent = time.perf_counter() - start
        return wire.write_response(scores, __version__, tenant.key, asked, spent)


def _caller() -> Tenant | None:
    """Whose secret the request names; that it has it, only the MAC shows."""
    tenant: Tenant | None = g.tenant
    return tenant


def _refuse(status: int, text: str, wait: int = 0) -> Response:
    told = {"version": __version__, "error": text} | ({"retry_after": wait} if wait else {})
    body = json.dumps(told).encode()
    response = Response(body, status, mimetype="application/json")
    if wait:
        response.headers["Retry-After"] = str(wait)
    if tenant := _caller():
        response.headers[wire.MAC_HEADER] = wire.sign_error(tenant.key, status, body).hex()
    return response


def _about(evaluator: Evaluator, tenant: Tenant) -> bytes:
    """What this engine has for a tenant."""

    def open_to(digests: list[str], kind: str) -> list[str]:
        return sorted(digest for digest in digests if tenant.may_ask(digest, kind))

    told = {
        "version": __version__,
        "panel": next(iter(open_to([evaluator.panel.digest], "panel")), None),
        "tables": open_to([table.digest for table in evaluator.tables], "tables"),
        "circuits": open_to(evaluator.circuits, "circuits"),
        "profiles": sorted(evaluator.request_lengths),
    }
    return json.dumps(told).encode()
