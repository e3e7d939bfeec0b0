"""Seals keys that are kept: with AES-256-GCM, under a key that is made of a passphrase."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_NONCE_BYTES = 12
_SCRYPT_LOG_N = 17
"""128 MiB and about half a second, once a start."""


def sealing_key(passphrase: str, salt: bytes) -> bytes:
    """What seals keys, of a passphrase, by scrypt.

    *Source*: RFC 7914, https://www.rfc-editor.org/rfc/rfc7914.
    """
    return Scrypt(salt=salt, length=32, n=2**_SCRYPT_LOG_N, r=8, p=1).derive(passphrase.encode())


def sealed(key: bytes, data: bytes, bound: bytes) -> bytes:
    """Seal data, under a random nonce that goes before it.

    Args:
        key: of `sealing_key`.
        data: to be kept secret.
        bound: what it belongs to; it opens with nothing else.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, bound)


def unsealed(key: bytes, data: bytes, bound: bytes) -> bytes | None:
    """What `sealed` was given; None when the key or what it is bound to is another, or somebody changed it."""
    try:
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        return None
