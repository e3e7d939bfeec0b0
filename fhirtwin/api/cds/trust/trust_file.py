"""The file that says which EHRs may call: read strictly, written in one piece, looked at again when it has changed.

While a changed file cannot be read, nobody is let in by it: a client that was meant to be removed would otherwise stay.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fhirtwin import files
from fhirtwin.api.cds.trust import clients
from fhirtwin.api.cds.trust.clients import Client
from fhirtwin.errors import Incorrect, Unavailable
from fhirtwin.fhir import codec

_LONGEST: Final = 2_000_000
_log = logging.getLogger("fhirtwin.security")


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of one state of the file."""

    all: tuple[Client, ...] = ()
    by_issuer: Mapping[str, Client] = field(default_factory=dict)

    @property
    def origins(self) -> frozenset[str]:
        """Origins of all clients."""
        return frozenset(origin for client in self.all for origin in client.origins)


def read(path: Path) -> Clients:
    """Read a trust file; one that is not there has no clients.

    Raises:
        Incorrect: it is not as it must be, or others can write it; the text names the place.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Clients()
    except OSError as error:
        raise Incorrect(f"{path} cannot be read: {error.strerror}.") from None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or about.st_size > _LONGEST:
            raise Incorrect(f"{path} is not a file, or is too large.")
        if about.st_uid not in (0, os.geteuid()) or stat.S_IMODE(about.st_mode) & 0o022:
            raise Incorrect(
                f"{path} can be written by others, who could let anybody in; `chmod 600 {path}` mends that."
            )
        data = file.read(_LONGEST + 1)
    try:
        return _clients(data)
    except Incorrect as error:
        raise Incorrect(f"{path}: {error}") from None


def _clients(data: bytes) -> Clients:
    document = codec.decode(data, max_depth=16)
    listed = document.get("clients")
    if not isinstance(listed, list) or document.keys() != {"clients"}:
        raise Incorrect('It must be {"clients": [...]}, with nothing beside it.')
    found = tuple(clients.read(one, f"clients[{number}]") for number, one in enumerate(listed))
    for name, told in (("name", [one.name for one in found]), ("iss", [one.issuer for one in found])):
        if twice := [number for number, value in enumerate(told) if value in told[:number]]:
            raise Incorrect(f"clients[{twice[0]}].{name} stands twice.")
    return Clients(found, {one.issuer: one for one in found})


def read_key_set(path: Path) -> dict[str, Any]:
    """Read the file of a key set; what is in it is judged when it is registered.

    Raises:
        Incorrect: it is not JSON.
    """
    with path.open("rb") as file:
        data = file.read(_LONGEST)
    try:
        return codec.decode(data, max_depth=16)
    except Incorrect as error:
        raise Incorrect(f"{path}: {error}") from None


@contextmanager
def changing(path: Path) -> Iterator[list[Client]]:
    """A list of the clients to change; it is written when the block ends, whole or not at all.

    Raises:
        Incorrect: the file is not as it must be, before or after; then it stays as it is.
    """
    with files.changing(path.parent):
        changed = list(read(path).all)
        yield changed
        _write(path, changed)


def _write(path: Path, changed: Sequence[Client]) -> None:
    data = json.dumps({"clients": [clients.written(one) for one in changed]}, indent=2, default=_number).encode()
    _clients(data)
    files.write_file(path, data + b"\n")


def _number(value: Any) -> float:
    return float(value)


class TrustFile:
    """The clients as the file has them now. Threads may share it.

    Args:
        path: of the file; it may be made later.
        required: whether it must be there to begin with.

    Raises:
        Incorrect: it is not as it must be.
    """

    def __init__(self, path: Path, *, required: bool = False) -> None:
        if required and not path.exists():
            raise Incorrect(f"{path} (FHIRTWIN_TRUST_FILE) does not exist; `fhirtwin ehr register` makes one.")
        self._path = path
        self._turn = threading.Lock()
        self._seen = _mark(path)
        self._clients: Clients | None = read(path)

    def clients(self) -> Clients:
        """All clients.

        Raises:
            Unavailable: the file was changed to something that cannot be read; the log says what.
        """
        mark = _mark(self._path)
        if mark != self._seen:
            with self._turn:
                if mark != self._seen:
                    self._read_again(mark)
        if self._clients is None:
            raise Unavailable(
                "The list of EHRs that may call cannot be read now; whoever runs this server can see why."
            )
        return self._clients

    def _read_again(self, mark: tuple[int, ...]) -> None:
        try:
            self._clients = read(self._path)
            _log.warning("trust file: read again, %d clients", len(self._clients.all))
        except Incorrect as error:
            self._clients = None
            _log.error("trust file: no EHR is let in until this is mended: %s", error)
        self._seen = mark


def _mark(path: Path) -> tuple[int, ...]:
    try:
        about = path.stat()
    except OSError:
        return ()
    return about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino
