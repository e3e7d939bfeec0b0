"""The way from here to the engine: through the gateway, which sees what the engine sees, and that is ciphertext."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

import requests

from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.errors import EngineAnswerRefused, Fault, Incorrect, KeyWanted, Unavailable
from fhirtwin.fhir import codec

FHIR_JSON: Final = "application/fhir+json"
KNOWN: Final = frozenset({"request", "sums", "engine", "vector-kept", "sums-kept"})
"""What an answer may hold. Anything else is something that this client was not made for, so it goes no further."""

_LONGEST_ANSWER = 400_000
_UNFIT: Final = "The gateway's answer is not one to this request, so it was thrown away."


class SealedRoad:
    """Carries sealed features of one patient to the engine behind a gateway.

    Args:
        base_url: FHIR base of the gateway.
        patient: id of the Patient there, in whose name it is asked.
        token: bearer token for the gateway; empty for none.
        ca_file: authority that its certificate is checked with; the system's when empty.
        keep: whether the gateway shall store the sealed vector and the sealed answer.

    Raises:
        Incorrect: the token would travel unprotected.
    """

    def __init__(self, base_url: str, patient: str, *, token: str = "", ca_file: str = "", keep: bool = False) -> None:
        if token and not base_url.startswith(("https://", "http://127.0.0.1:", "http://[::1]:", "http://localhost:")):
            raise Incorrect(f"{base_url} is not https, and the token would be readable on the way there.")
        self._url = f"{base_url.rstrip('/')}/Patient/{patient.removeprefix('Patient/')}/$evaluate-sealed"
        self._keep = keep
        self._http = requests.Session()
        self._http.trust_env = False  # neither a proxy nor ~/.netrc has a say in where this goes
        self._http.verify = ca_file or True
        self._http.headers.update({"Accept": FHIR_JSON, "Content-Type": FHIR_JSON})
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"

    def evaluate(self, features: SealedFeatures) -> SealedScores:
        """Have sealed features evaluated.

        Raises:
            KeyWanted: the gateway asks for something else than was sent.
            Unavailable: there is no answer, or a refusal; the text has the gateway's reason.
            EngineAnswerRefused: what came answers something else.
        """
        if features.evaluation_keys or features.count != 1:
            raise Fault("Only one ciphertext without any key goes through a gateway.")
        told = _values(self._answer(codec.encode(self._message(features))))
        if told.keys() - KNOWN:
            raise KeyWanted(
                "The gateway's answer has more in it than sealed sums. This client sends nothing but a sealed vector, "
                "whatever it is asked for, least of all a key; do not use a gateway that asks for one."
            )
        try:
            sums = base64.b64decode(told["sums"], validate=True)
            request_id = bytes.fromhex(told["request"])
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise EngineAnswerRefused(_UNFIT) from None
        if request_id != features.request_id:
            raise EngineAnswerRefused(_UNFIT)
        return SealedScores(features.profile, features.panel_digest, request_id, sums)

    def _message(self, features: SealedFeatures) -> dict[str, Any]:
        """All that ever leaves this process: a name, a digest, a random number and a ciphertext."""
        return {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "profile", "valueCode": features.profile},
                {"name": "panel", "valueString": features.panel_digest},
                {"name": "request", "valueString": features.request_id.hex()},
                {"name": "vector", "valueBase64Binary": base64.b64encode(features.sealed_vector).decode()},
                {"name": "keep", "valueBoolean": self._keep},
            ],
        }

    def _answer(self, message: bytes) -> dict[str, Any]:
        try:
            with self._http.post(
                self._url, data=message, timeout=(5, 30), allow_redirects=False, stream=True
            ) as answer:
                data = answer.raw.read(_LONGEST_ANSWER + 1, decode_content=True)
                status = answer.status_code
        except OSError as error:  # of which requests' errors are some
            raise Unavailable(f"The gateway does not answer ({type(error).__name__}); is it running?") from None
        if len(data) > _LONGEST_ANSWER:
            raise EngineAnswerRefused(_UNFIT)
        try:
            read = codec.decode(data, max_depth=20)
        except Incorrect:
            read = {}
        if status != requests.codes.ok:
            raise Unavailable(f"The gateway refuses with status {status}. {_reason(read)}".rstrip())
        return read


def _values(answer: dict[str, Any]) -> dict[str, Any]:
    """Name to value of a Parameters resource."""
    given = answer.get("parameter")
    if answer.get("resourceType") != "Parameters" or not isinstance(given, list):
        raise EngineAnswerRefused(_UNFIT)
    found: dict[str, Any] = {}
    for one in given:
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or name in found:
            raise EngineAnswerRefused(_UNFIT)
        found[name] = next((value for member, value in one.items() if member.startswith("value")), None)
    return found


def _reason(answer: dict[str, Any]) -> str:
    """What an OperationOutcome says, without what a terminal would obey."""
    issues = answer.get("issue")
    texts = (
        [str(one.get("diagnostics", "")) for one in issues if isinstance(one, dict)] if isinstance(issues, list) else []
    )
    return "".join(sign if sign.isprintable() else " " for sign in " ".join(texts))[:1000]
