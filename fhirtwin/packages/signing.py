"""Who may give models: Ed25519 keys of authors, their signatures, and the file of those that are trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect
from fhirtwin.files import read_file, write_file
from fhirtwin.packages import strict_json
from fhirtwin.packages.forms.form import Hash, Words

_LABEL: Final = b"fhirtwin model manifest\x00"
_SIGNATURE_HEX: Final = 128
_LONGEST: Final = 1_000_000


class _Author(Struct, frozen=True, forbid_unknown_fields=True):
    name: Words
    key: Hash


class _Authors(Struct, frozen=True, forbid_unknown_fields=True):
    authors: tuple[_Author, ...]


Authors = Mapping[str, str]
"""Public keys, in hex, to the names we call their owners by."""


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read an author's private key: a file of 64 hex digits, mode 0600, as `fhirtwin model key` makes it.

    Raises:
        Incorrect: there is no such file, or others can read it.
    """
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(keyfile.read(path)))


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half of an author's key, in hex: what others trust."""
    return key.public_key().public_bytes_raw().hex()


def sign(key: Ed25519PrivateKey, manifest: bytes) -> bytes:
    """The signature of a manifest, as the line that its file has."""
    return key.sign(_LABEL + manifest).hex().encode() + b"\n"


def verify(public: str, manifest: bytes, signature: bytes) -> None:
    """Check the signature of a manifest.

    Raises:
        Incorrect: it was not made with that key over exactly these bytes.
    """
    try:
        text = signature.decode("ascii").strip()
        if len(text) != _SIGNATURE_HEX:
            raise ValueError
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(text), _LABEL + manifest)
    except (ValueError, InvalidSignature):
        raise Incorrect(
            "manifest.sig: it is not the signature of the author over this manifest; it was changed, or signed by "
            "somebody else."
        ) from None


def read_authors(path: Path) -> Authors:
    """Read the file of trusted authors; one that is not there trusts nobody.

    Raises:
        Incorrect: it is not as it must be, or others can write it.
    """
    if not path.exists() and not path.is_symlink():
        return {}
    data = read_file(path, _LONGEST, private_to_write=True)
    listed = strict_json.read(data, _Authors, str(path)).authors
    authors = {one.key: one.name for one in listed}
    if len(authors) != len(listed) or len(set(authors.values())) != len(listed):
        raise Incorrect(f"{path}: a name or a key stands twice.")
    return authors


def trust(path: Path, name: str, public: str) -> None:
    """Add an author to the file of those that are trusted; it is written whole or not at all.

    Raises:
        Incorrect: the name is taken by another key, or either is not as it must be.
    """
    authors = dict(read_authors(path))
    if authors.get(public, name) != name or any(k != public and n == name for k, n in authors.items()):
        raise Incorrect(f"{path} has another author of that name or key already; take that line out first.")
    authors[public] = name
    listed = [{"name": one, "key": key} for key, one in authors.items()]
    data = strict_json.write({"authors": listed})
    strict_json.read(data, _Authors, "the new author")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, data)
