"""How sealed features and sealed scores travel: one binary message each, of exact length, under a MAC.

    bytes  request                                   response
    4      b"FTq2"                                   b"FTs2"
    16     version of the sender, ASCII, zero-padded  the same
    16     profile, ASCII, zero-padded                the same
    32     panel digest                               the same
    16     request id                                 the same
    32     SHA-256 of the evaluation keys, or zeros   MAC of the request that is answered
    8      0 when there is one ciphertext, else how   time of evaluation, nanoseconds, big-endian
           many, big-endian
    n      ciphertexts, of the profile's length       ciphertexts, of the length the circuit declares
    m      evaluation keys, or nothing                nothing
    32     MAC: nonce and tag                         the same

The digit changes whenever a panel lies otherwise in its slots, so that an engine of before refuses, rather than answers
wrongly.

The MAC (`fhirtwin.ckks.mac`) covers a label that names method, path and direction, and everything before it. A response
carries the MAC of its request, so an answer to anything else fails. A request that is sent again is answered again: the
engine is stateless, and learns and changes nothing by it. The MAC's key is a secret shared by file; it opens no
ciphertext.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final

from fhirtwin.ckks import mac
from fhirtwin.ckks.mac import MAC_BYTES
from fhirtwin.ckks.profiles import Profile, profile
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.errors import Incorrect

EVALUATE: Final = "/evaluate"
READY: Final = "/ready"
MAC_HEADER: Final = "Fhirtwin-Mac"
KEY_HEADER: Final = "Fhirtwin-Key"
"""In requests: the name of the secret that signed, by which an engine of many gateways finds it (`key_name`)."""
REQUEST_ID_BYTES: Final = 16
CHALLENGE_BYTES: Final = 16
NO_KEYS: Final = bytes(32)

_HEADER = struct.Struct(">4s16s16s32s16s32sQ")
OVERHEAD_BYTES: Final = _HEADER.size + MAC_BYTES

_REQUEST, _RESPONSE = b"FTq2", b"FTs2"
_REQUEST_LABEL = b"fhirtwin request POST " + EVALUATE.encode() + b"\x00"
_RESPONSE_LABEL = b"fhirtwin response POST " + EVALUATE.encode() + b"\x00"
_ERROR_LABEL = b"fhirtwin error POST " + EVALUATE.encode() + b"\x00"
_NAME_LABEL = b"fhirtwin name of a secret\x00"
_READY_LABEL = b"fhirtwin response GET " + READY.encode() + b"\x00"


@dataclass(frozen=True, slots=True)
class Request:
    """What the engine reads: sealed features, who sent them, and what its answer is bound to.

    Attributes:
        features: `evaluation_keys` are empty when the engine is expected to have them.
        version: of the gateway.
        keys_digest: SHA-256 of the evaluation keys; `NO_KEYS` in masked mode.
        mac: of the whole request.
    """

    features: SealedFeatures
    version: str
    keys_digest: bytes
    mac: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What the courier reads.

    Attributes:
        version: of the engine.
        evaluate_seconds: what the engine says the evaluation took.
    """

    scores: SealedScores
    version: str
    evaluate_seconds: float


def request_lengths(known: Profile, keys_bytes: int, count: int = 1) -> frozenset[int]:
    """Exact lengths a request under this profile may have: without evaluation keys and, when there are any, with."""
    bare = OVERHEAD_BYTES + count * known.ciphertext_bytes
    return frozenset({bare, bare + keys_bytes})


def answer_bytes(features: SealedFeatures) -> int:
    """Exact length of the ciphertexts that answer sealed features."""
    return features.answer_bytes or profile(features.profile).ciphertext_bytes


def keys_digest(keys: bytes) -> bytes:
    """What a request names its evaluation keys by."""
    return hashlib.sha256(keys).digest() if keys else NO_KEYS


def write_request(features: SealedFeatures, version: str, key: bytes, digest: bytes, *, with_keys: bool) -> bytes:
    """Frame and sign sealed features.

    Args:
        features: as the vault sealed them.
        version: of the gateway.
        key: shared with the engine.
        digest: of the evaluation keys, from `keys_digest`.
        with_keys: whether to send the evaluation keys along.
    """
    several = features.count if features.count > 1 else 0
    head = _head(_REQUEST, version, features.profile, features.panel_digest, features.request_id, digest, several)
    body = b"".join((head, features.sealed_vector, features.evaluation_keys if with_keys else b""))
    return body + mac.of_long(key, _REQUEST_LABEL, body)


def read_request(data: bytes, key: bytes) -> Request:
    """Check and read a request.

    Raises:
        Incorrect: it is too short or no request, its MAC is wrong, or its profile is not known.
    """
    body, signed = _authentic(data, key, _REQUEST_LABEL)
    version, profile_name, digest, request_id, keys, several = _read_head(body, _REQUEST)
    count = several or 1
    end = _HEADER.size + count * profile(profile_name).ciphertext_bytes
    if several == 1 or end > len(body):
        raise Incorrect("The message is shorter than the ciphertexts it says it has.")
    vector, sent_keys = bytes(body[_HEADER.size : end]), bytes(body[end:])
    features = SealedFeatures(profile_name, digest, request_id, vector, sent_keys, count)
    if features.evaluation_keys and not hmac.compare_digest(keys_digest(features.evaluation_keys), keys):
        raise Incorrect("The evaluation keys are not those that the message names.")
    return Request(features, version, keys, signed)


def write_response(scores: SealedScores, version: str, key: bytes, request: Request, evaluate_seconds: float) -> bytes:
    """Frame and sign sealed scores as the answer to `request`."""
    nanoseconds = round(evaluate_seconds * 1e9)
    head = _head(_RESPONSE, version, scores.profile, scores.panel_digest, scores.request_id, request.mac, nanoseconds)
    body = head + scores.sealed_sums
    return body + mac.of_long(key, _RESPONSE_LABEL, body)


def read_response(data: bytes, key: bytes, features: SealedFeatures, request: bytes) -> Response:
    """Check and read the answer to a request.

    Args:
        data: the answer, whole.
        key: shared with the engine.
        features: what was asked.
        request: the message it was asked by.

    Raises:
        Incorrect: it is damaged, signed with another key, or answers something else.
    """
    body, _ = _authentic(data, key, _RESPONSE_LABEL)
    version, profile_name, digest, request_id, answered, nanoseconds = _read_head(body, _RESPONSE)
    fits = (
        hmac.compare_digest(answered, request[-MAC_BYTES:])
        and (profile_name, digest, request_id) == (features.profile, features.panel_digest, features.request_id)
        and len(body) == _HEADER.size + answer_bytes(features)
    )
    if not fits:
        raise Incorrect("The message answers another request.")
    return Response(
        SealedScores(profile_name, digest, request_id, bytes(body[_HEADER.size :])), version, nanoseconds / 1e9
    )


def sign_error(key: bytes, status: int, body: bytes) -> bytes:
    """MAC of an answer that is no evaluation. Who repeats an old one could as well cut the line."""
    return mac.of_short(key, _ERROR_LABEL, status.to_bytes(2) + body)


def sign_ready(key: bytes, challenge: bytes, body: bytes) -> bytes:
    """MAC of what an engine says of itself, bound to a random challenge."""
    return mac.of_short(key, _READY_LABEL, challenge + body)


def key_name(key: bytes) -> str:
    """What a secret is called before others: 32 hex digits, of which nobody learns the secret."""
    return mac.of_short(key, _NAME_LABEL, b"")[:16].hex()


def _authentic(data: bytes, key: bytes, label: bytes) -> tuple[memoryview, bytes]:
    if len(data) < OVERHEAD_BYTES:
        raise Incorrect("The message is too short.")
    body, signed = memoryview(data)[:-MAC_BYTES], data[-MAC_BYTES:]
    if not mac.is_of_long(signed, key, label, body):
        raise Incorrect("The message is damaged, or signed with another key.")
    return body, signed


def _head(
    magic: bytes, version: str, profile_name: str, panel_digest: str, request_id: bytes, bound: bytes, number: int
) -> bytes:
    texts = [text.encode("ascii") for text in (version, profile_name)]
    digest = bytes.fromhex(panel_digest)
    if max(map(len, texts)) > 16 or (len(digest), len(request_id), len(bound)) != (32, REQUEST_ID_BYTES, 32):
        raise Incorrect("A sealed message has a part of the wrong length.")
    return _HEADER.pack(magic, *texts, digest, request_id, bound, number)


def _read_head(body: memoryview, magic: bytes) -> tuple[str, str, str, bytes, bytes, int]:
    found, version, name, digest, request_id, bound, number = _HEADER.unpack_from(body)
    if found != magic:
        raise Incorrect("The message is not of this kind.")
    try:
        texts = [text.rstrip(b"\x00").decode("ascii") for text in (version, name)]
    except UnicodeDecodeError:
        raise Incorrect("The message names no version or profile.") from None
    return texts[0], texts[1], digest.hex(), request_id, bound, number
