"""$evaluate-sealed: `POST [base]/Patient/[id]/$evaluate-sealed`: a vector that the patient sealed, and its sealed sums.

The gateway passes both on and keeps both as Binaries. It has no key to them.

*Source*: `profiles/OperationDefinition-evaluate-sealed.json`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from fhirtwin import __version__, ingest
from fhirtwin.access import permit
from fhirtwin.ckks.sealed import SealedScores
from fhirtwin.errors import Incorrect, Unavailable
from fhirtwin.fhir import binary
from fhirtwin.interactions import replaced
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter, with_parameters
from fhirtwin.store import Writer
from fhirtwin.terms.systems import FHIRTWIN

MEDIA_TYPE: Final = "application/vnd.fhirtwin.sealed"
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")


def evaluate_sealed(call: Call) -> Answer:
    """Pass a sealed vector on to the engine and give its answer, sealed as it came.

    Args:
        call: `profile`, `panel`, `request`, `vector`, and `keep` (true when absent: vector and answer are stored).

    Returns:
        200 with Parameters: `request`, `sums`, `engine`, and where both are kept.

    Raises:
        Incorrect: a parameter has not the form or length that the profile says.
        Conflict: sealed for another panel.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another, whom the text names.
        EngineUnavailable, EngineAnswerRefused: the engine failed; nothing is stored.
    """
    relay = call.services.relay
    if relay is None:
        raise Unavailable("This server passes no sealed vectors on: it was started without an engine.")
    keep = call.one("keep") is not False
    if keep:
        permit(call.caller, "create", "Binary")
    with call.services.store.snapshot() as reader:
        replaced.current(reader, call.caller, call.id)
    vector = _bytes(call.one("vector"))
    scores = relay.evaluate(call.one("profile"), call.one("panel"), _hex(call.one("request")), vector)
    told: list[tuple[str, str, Any]] = [
        ("request", "valueString", scores.request_id.hex()),
        ("sums", "valueBase64Binary", base64.b64encode(scores.sealed_sums).decode()),
        ("engine", "valueString", __version__),
    ]
    if keep:
        with call.services.store.write() as write:
            replaced.current(write, call.caller, call.id)
            told += [
                (f"{what}-kept", "valueReference", {"reference": _kept(call, write, what, scores, data)})
                for what, data in (("vector", vector), ("sums", scores.sealed_sums))
            ]
    return with_parameters(told)


def _hex(text: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise Incorrect("`request` must be hexadecimal digits, in small letters.")
    return bytes.fromhex(text)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Incorrect("`vector` must be base64 without white space.") from None


def _kept(call: Call, write: Writer, what: str, scores: SealedScores, data: bytes) -> str:
    """Store sealed bytes as a Binary that belongs to the patient; gives the reference to it."""
    media_type = (
        f"{MEDIA_TYPE}; kind={what}; profile={scores.profile}; panel={scores.panel_digest}; "
        f"request={scores.request_id.hex()}"
    )
    resource = binary.to_resource(binary.Content(data, media_type, f"Patient/{call.id}"))
    received = ingest.receive(resource, "Binary", call.services.settings)
    return f"Binary/{ingest.keep(write, received, None, call.services.base_url).stored.id}"


OPERATION: Final = Operation(
    name="evaluate-sealed",
    definition=f"{FHIRTWIN}/OperationDefinition/evaluate-sealed",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=evaluate_sealed,
    parameters=(
        Parameter("profile", "code", required=True),
        Parameter("panel", "string", required=True),
        Parameter("request", "string", required=True),
        Parameter("vector", "base64Binary", required=True),
        Parameter("keep", "boolean"),
    ),
    affects_state=True,
)
