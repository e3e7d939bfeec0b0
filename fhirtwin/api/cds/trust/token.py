"""Takes a token apart: sizes first, then its three parts, then JSON in which nothing stands twice.

*Source*: RFC 7515 (section 3.1), 7519, 8725; the header's members are those of
https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.api.cds.trust.keys import ALGORITHMS, LONGEST_NAME
from fhirtwin.api.cds.trust.refusal import Refusal
from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec

LONGEST: Final = 16_384
_LONGEST_HEADER: Final = 4096
_LONGEST_SIGNATURE: Final = 1400
"""Characters: an RSA key of 8192 bits signs with 1024 bytes."""
_DEEPEST: Final = 8
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_HEADER: Final = frozenset({"alg", "typ", "kid", "jku", "x5t", "x5t#S256"})
"""What a header may have. Keys that a token brings along, extensions and compression are refused, not passed over."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature nobody has looked at.

    Attributes:
        text: the whole.
        algorithm: one of `keys.ALGORITHMS`.
        kid: which key it says it is signed with.
        jku: where it says the key is; None when it does not.
        claims: as they were sent.
    """

    text: str
    algorithm: str
    kid: str
    jku: str | None
    claims: Mapping[str, Any]


def looks_like_one(text: str) -> bool:
    """Whether something sent as a bearer token is meant to be a JWT."""
    return text.count(".") >= 2


def read(text: str) -> Token:
    """Take a token apart.

    Raises:
        Refusal: it is not a signed JWT as CDS Hooks has it.
    """
    if len(text) > LONGEST:
        raise Refusal("the token is too long")
    parts = text.split(".")
    if len(parts) != 3:
        raise Refusal("the token has not three parts")
    if len(parts[0]) > _LONGEST_HEADER or len(parts[2]) > _LONGEST_SIGNATURE:
        raise Refusal("a part of the token is too long")
    header, claims = _json(parts[0], "header"), _json(parts[1], "payload")
    _bytes(parts[2], "signature")
    if unknown := header.keys() - _HEADER:
        raise Refusal(f"its header has what is not taken: {', '.join(sorted(unknown & _NAMED)) or 'unknown members'}")
    if header.get("alg") not in ALGORITHMS or not isinstance(header["alg"], str):
        raise Refusal("its `alg` is neither ES384 nor RS384")
    if header.get("typ") != "JWT":
        raise Refusal("its `typ` is not JWT")
    kid, jku = header.get("kid"), header.get("jku")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_NAME:
        raise Refusal("its `kid` is missing or no text")
    if "jku" in header and not isinstance(jku, str):
        raise Refusal("its `jku` is no text")
    return Token(text, header["alg"], kid, jku, claims)


_NAMED: Final = frozenset({"jwk", "x5c", "x5u", "crit", "b64", "zip", "enc", "cty"})
"""Members that a log names; others are an attacker's to choose."""


def _json(part: str, name: str) -> dict[str, Any]:
    try:
        return codec.decode(_bytes(part, name), max_depth=_DEEPEST)
    except (Incorrect, ValueError, RecursionError):
        raise Refusal(f"its {name} is not one JSON object, or a member stands twice in it") from None


def _bytes(part: str, name: str) -> bytes:
    if not _PART.fullmatch(part):
        raise Refusal(f"its {name} is not base64url without padding")
    try:
        read_ = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise Refusal(f"its {name} is not base64url without padding") from None
    if base64.urlsafe_b64encode(read_).rstrip(b"=").decode() != part:  # bits beyond the end
        raise Refusal(f"its {name} is not base64url in its one spelling")
    return read_
