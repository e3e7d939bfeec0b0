"""The engine's door: `POST /evaluate` takes and gives binary messages, `GET /ready` tells what this engine is.

Every refusal is `{"version": ..., "error": ...}` and signed, so that a courier can say in words what is wrong.
"""

from __future__ import annotations

import json
import re
import time

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import Conflict, FhirtwinError, Incorrect

MEDIA_TYPE = "application/octet-stream"
_CHALLENGE = re.compile(rf"[0-9a-f]{{{2 * wire.CHALLENGE_BYTES}}}")


def create_app(evaluator: Evaluator, key: bytes) -> Flask:
    """The engine's web application.

    Args:
        evaluator: holds the weights.
        key: the secret shared with the gateway; it signs messages and opens no ciphertext.
    """
    app = Flask("fhirtwin.engine", static_folder=None)
    lengths = evaluator.request_lengths
    right_lengths = frozenset[int]().union(*lengths.values())
    app.config["MAX_CONTENT_LENGTH"] = max(right_lengths)
    about = json.dumps(
        {
            "version": __version__,
            "panel": evaluator.panel.digest,
            "tables": sorted(table.digest for table in evaluator.tables),
            "circuits": evaluator.circuits,
            "profiles": sorted(lengths),
        }
    ).encode()

    @app.post(wire.EVALUATE)
    def evaluate() -> Response:
        # Before anything is read, let alone parsed: SEAL believes the lengths that a ciphertext says of itself.
        if request.content_length not in right_lengths:
            raise Incorrect("No message of that length is right for any profile of this engine.")
        data = request.get_data(cache=False)
        asked = wire.read_request(data, key)
        if asked.version != __version__:
            raise Conflict(f"The gateway's version is {asked.version}.")
        # Of a profile that nothing here lies in, the evaluator says that the panel is another.
        if len(data) not in lengths.get(asked.features.profile, right_lengths):
            raise Incorrect("The message has not the length that its profile says.")
        start = time.perf_counter()
        scores = evaluator.evaluate(asked.features, asked.keys_digest)
        spent = time.perf_counter() - start
        return Response(wire.write_response(scores, __version__, key, asked, spent), mimetype=MEDIA_TYPE)

    @app.get(wire.READY)
    def ready() -> Response:
        response = Response(about, mimetype="application/json")
        challenge = request.args.get("challenge", "")
        if _CHALLENGE.fullmatch(challenge):
            response.headers[wire.MAC_HEADER] = wire.sign_ready(key, bytes.fromhex(challenge), about).hex()
        return response

    def refuse(status: int, text: str) -> Response:
        body = json.dumps({"version": __version__, "error": text}).encode()
        response = Response(body, status, mimetype="application/json")
        response.headers[wire.MAC_HEADER] = wire.sign_error(key, status, body).hex()
        return response

    @app.errorhandler(FhirtwinError)
    def refused(error: FhirtwinError) -> Response:
        return refuse(error.status, str(error))

    @app.errorhandler(HTTPException)
    def not_here(error: HTTPException) -> Response:
        return refuse(error.code or 500, error.name)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        app.logger.error("an evaluation failed: %s", type(error).__name__)
        return refuse(500, "The engine failed.")

    return app
