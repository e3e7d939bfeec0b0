"""Message authentication: who shares a secret knows that the other sent this, and all of it.

Long messages have AES-256-GMAC, under a key for that message alone: HMAC-SHA-256 of a label and a random nonce, under
the secret. GMAC with a key used once is a one-time MAC: each try at forging 4 GB has a chance of at most 2⁻¹⁰⁰. Nonces
of sixteen bytes do not meet. Short ones have HMAC-SHA-256 itself. Why both is told in decision 25.

*Sources*: NIST SP 800-38D; Carter and Wegman, J Comput Syst Sci 1981;22:265-279; RFC 2104.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhirtwin.errors import Fault, Incorrect

KEY_BYTES: Final = 32
"""A secret has at least so many."""

MAC_BYTES: Final = 32
"""Of both kinds."""

_NONCE_BYTES = 16
_ONCE = b"fhirtwin key of one message\x00"
_KEY_IS_NEW = bytes(12)
"""The nonce of GCM, which may be any: no key is used twice."""

Bytes = bytes | bytearray | memoryview


def of_long(key: bytes, label: bytes, data: Bytes) -> bytes:
    """The nonce and the tag of a message of any length: another one each time.

    Args:
        key: the secret that both sides share.
        label: which kind of message this is; no label begins with another.
        data: the message.

    Raises:
        Incorrect: the secret is too short.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _once(key, label, nonce).encrypt(_KEY_IS_NEW, b"", data)


def is_of_long(mac: bytes, key: bytes, label: bytes, data: Bytes) -> bool:
    """Whether this is a MAC of that message; the time it takes tells nothing of the right one.

    Raises:
        Incorrect: the secret is too short.
    """
    nonce, tag = mac[:_NONCE_BYTES], mac[_NONCE_BYTES:]
    try:
        return len(mac) == MAC_BYTES and _once(key, label, nonce).decrypt(_KEY_IS_NEW, tag, data) == b""
    except InvalidTag:
        return False


def of_short(key: bytes, label: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 of a label and a message: always the same.

    Raises:
        Incorrect: the secret is too short.
        Fault: the label is that of keys of long messages, which would be told.
    """
    if label.startswith(_ONCE):
        raise Fault("A key of a message is no MAC.")
    return hmac.digest(_checked(key), label + data, "sha256")


def same(given: bytes, right: bytes) -> bool:
    """Compare two short MACs in constant time."""
    return hmac.compare_digest(given, right)


def _once(key: bytes, label: bytes, nonce: bytes) -> AESGCM:
    return AESGCM(hmac.digest(_checked(key), _ONCE + label + nonce, "sha256"))


def _checked(key: bytes) -> bytes:
    if len(key) < KEY_BYTES:
        raise Incorrect(f"The secret that signs messages must have at least {KEY_BYTES} bytes.")
    return key
