"""Tokens as an EHR makes them, and as nobody should: signed by hand, so that nothing keeps one from being wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

BASE = "https://twin.example.org/fhir"
DISCOVERY = "https://twin.example.org/cds-services"
CALL = f"{DISCOVERY}/twin-patient-view"
ISSUER = "https://ehr.example.org"
JKU = "https://ehr.example.org/.well-known/jwks.json"
EHR_FHIR = "https://ehr.example.org/fhir"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@cache
def ec_key(name: str = "ec") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1() if name == "p256" else ec.SECP384R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def ec_jwk(kid: str = "ec", key: ec.EllipticCurvePrivateKey | None = None, **changes: Any) -> dict[str, Any]:
    numbers = (key or ec_key()).public_key().public_numbers()
    size = (numbers.curve.key_size + 7) // 8
    curve = "P-384" if size == 48 else "P-256"
    jwk = {"kty": "EC", "crv": curve, "kid": kid, "x": number(numbers.x, size), "y": number(numbers.y, size)}
    return {name: value for name, value in {**jwk, "use": "sig", **changes}.items() if value is not ...}


def rsa_jwk(kid: str = "rsa", bits: int = 2048, **changes: Any) -> dict[str, Any]:
    numbers = rsa_key(bits).public_key().public_numbers()
    jwk = {"kty": "RSA", "kid": kid, "n": number(numbers.n), "e": number(numbers.e), "use": "sig"}
    return {name: value for name, value in {**jwk, **changes}.items() if value is not ...}


def jwks(*more: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [ec_jwk(), rsa_jwk(), *more]}


def header(**changes: Any) -> dict[str, Any]:
    """A change to `...` leaves a member out."""
    made = {"alg": "ES384", "typ": "JWT", "kid": "ec", "jku": JKU, **changes}
    return {name: value for name, value in made.items() if value is not ...}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"iss": ISSUER, "aud": DISCOVERY, "exp": now + 300, "iat": now, "jti": secrets.token_hex(16), **changes}
    return {name: value for name, value in made.items() if value is not ...}


def es384(data: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    r, s = decode_dss_signature((key or ec_key()).sign(data, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def rs384(data: bytes, bits: int = 2048) -> bytes:
    return rsa_key(bits).sign(data, padding.PKCS1v15(), hashes.SHA384())


def hs(data: bytes, secret: bytes, name: str = "sha256") -> bytes:
    return hmac.new(secret, data, getattr(hashlib, name)).digest()


def pem() -> bytes:
    """What a server that mixes keys up would take for a shared secret."""
    public = ec_key().public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def text(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def unsigned(head: Any, payload: Any) -> str:
    return f"{b64(text(head))}.{b64(text(payload))}"


def signed(head: Any = None, payload: Any = None, sign: Any = es384) -> str:
    """A token; header and payload may be bytes, to say what no JSON writer would."""
    data = unsigned(header() if head is None else head, claims() if payload is None else payload)
    return f"{data}.{b64(sign(data.encode()))}"


def loose_bits() -> str:
    """The same bytes in another spelling: the last character holds bits that nobody reads."""
    while True:
        token = signed(header(alg="RS384", kid="rsa"), sign=rs384)  # 256 bytes: two characters for the last one
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        place = alphabet.index(token[-1])
        assert place % 16 == 0
        return token[:-1] + alphabet[place + 1]
