"""Secrets that are files: made with mode 0600, and refused when others can read them.

The file holds text of one line (hex), so that it can be copied between machines by hand. Nothing here knows what a
secret is for. CKKS keys are no such files: those that are kept at all lie sealed, on a shelf (`key_shelf`) or, of a
study of several institutions, in a file of their own.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from fhirtwin.errors import Incorrect

BYTES = 32
_LONGEST = 4096
SHORTEST_PASSPHRASE = 16


def make(path: Path) -> str:
    """Write a new random secret to `path`, which must not exist, and return it (64 hex digits)."""
    text = secrets.token_hex(BYTES)
    write(path, text.encode() + b"\n")
    return text


def write(path: Path, data: bytes) -> None:
    """Write a secret to `path`, which must not exist, with mode 0600.

    Raises:
        Incorrect: it exists, or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Incorrect(f"{path} exists already; remove it first if a new secret is wanted.") from None
    except OSError as error:
        raise Incorrect(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def read(path: Path) -> str:
    """Return the secret in `path`.

    Raises:
        Incorrect: there is no such file, others can read it or own it, or it holds no secret of 64 hex digits.
    """
    text = _line(path)
    if len(text) != 2 * BYTES or set(text) - set("0123456789abcdef"):
        raise Incorrect(f"{path} does not hold {2 * BYTES} hex digits; `fhirtwin keys make` makes such a file.")
    return text


def read_passphrase(path: Path) -> str:
    """Return the passphrase in `path`, which may be a secret that was made or words of somebody's own.

    Raises:
        Incorrect: there is no such file, others can read it or own it, or it is too short.
    """
    text = _line(path)
    if len(text) < SHORTEST_PASSPHRASE:
        raise Incorrect(f"The passphrase in {path} must have at least {SHORTEST_PASSPHRASE} characters.")
    return text


def _line(path: Path) -> str:
    try:
        text = content(path, _LONGEST, f"`fhirtwin keys make {path}` makes one").decode("utf-8").strip()
    except UnicodeDecodeError:
        raise Incorrect(f"{path} cannot be read as a secret file.") from None
    return text


def content(path: Path, longest: int, remedy: str) -> bytes:
    """Return what is in a secret file of another form; of a longer one, the beginning.

    Args:
        path: of the file.
        longest: so many bytes are read at most.
        remedy: what to do when there is no such file of one's own.

    Raises:
        Incorrect: there is no such file, or others can read it or own it.
    """
    try:
        # Asked of what was opened, since another file may be there a moment later; not blocking, for it may be a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            data = file.read(longest) if stat.S_ISREG(about.st_mode) else b""
    except FileNotFoundError:
        raise Incorrect(f"{path} does not exist; {remedy}.") from None
    except OSError:
        raise Incorrect(f"{path} cannot be read as a secret file.") from None
    if about.st_uid not in (0, os.geteuid()):
        raise Incorrect(f"{path} belongs to another user, who knows it; `fhirtwin keys make` makes one of your own.")
    if stat.S_IMODE(about.st_mode) & 0o077:
        raise Incorrect(f"{path} can be read by others; `chmod 600 {path}` mends that.")
    return data


def read_or_make(path: Path) -> str:
    """Return the secret in `path`, made when the file is not there."""
    return read(path) if path.exists() else make(path)
