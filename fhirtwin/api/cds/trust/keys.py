"""Which keys of a JSON Web Key Set may verify a client's signature.

A set may hold keys for other ends; those are passed over. What is passed over does not verify, so no key is guessed at.

*Source*: RFC 7517, 7518 (sections 3.3, 3.4, 6.2, 6.3); the algorithms are those that CDS Hooks recommends,
https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS: Final = ("ES384", "RS384")
MOST_KEYS: Final = 100
LONGEST_NAME: Final = 255

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS: Final = range(2048, 8193)
_LEAST_EXPONENT: Final = 65_537


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and the one algorithm that it verifies."""

    algorithm: str
    jose: ECKey | RSAKey


def usable(document: Mapping[str, Any]) -> dict[str, Key]:
    """The keys of a set that may verify, by `kid`; a `kid` that stands twice names none of them.

    Args:
        document: the set as JSON; what is no set has no keys.
    """
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        return {}
    found = [one for one in listed if isinstance(one, dict) and isinstance(one.get("kid"), str)]
    times = Counter(one["kid"] for one in found)
    read = {one["kid"]: _read(one) for one in found if times[one["kid"]] == 1 and 0 < len(one["kid"]) <= LONGEST_NAME}
    return {kid: key for kid, key in read.items() if key is not None}


def _read(jwk: Mapping[str, Any]) -> Key | None:
    """One key; None when it is not for this, is too weak, or is a private one that somebody published."""
    if _PRIVATE & jwk.keys() or jwk.get("use", "sig") != "sig":
        return None
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    key = _elliptic(jwk) if jwk.get("kty") == "EC" else _rsa(jwk) if jwk.get("kty") == "RSA" else None
    return key if key and jwk.get("alg", key.algorithm) == key.algorithm else None


def _elliptic(jwk: Mapping[str, Any]) -> Key | None:
    if jwk.get("crv") != "P-384":
        return None
    try:
        key = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
        key.public_key.public_numbers()  # the point is looked at here: one that is not on the curve is an error
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return Key("ES384", key)


def _rsa(jwk: Mapping[str, Any]) -> Key | None:
    try:
        modulus, exponent = _number(jwk["n"]), _number(jwk["e"])
        if modulus.bit_length() not in _RSA_BITS or not modulus % 2 or exponent < _LEAST_EXPONENT:
            return None
        return Key("RS384", RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")}))
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _number(written: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{written}=="), "big")
