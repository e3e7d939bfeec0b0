"""A gateway whose every byte a test sends itself, to a real engine on a Unix socket."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from tests.engine.process import RunningEngine


@dataclass(frozen=True)
class Told:
    """What came back: the status, headers by their names in small letters, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Caller:
    """One connection.

    Args:
        engine: whom it calls, with the engine's own secret.
        features: of the one message it has to say.
    """

    def __init__(self, engine: RunningEngine, features: SealedFeatures, seconds: float = 10.0) -> None:
        self._key = engine.key
        self._request = wire.write_request(features, __version__, engine.key, wire.NO_KEYS, with_keys=False)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(seconds)
        self._socket.connect(engine.url.removeprefix("unix:"))

    def announce(self) -> None:
        """Send the head of the request, and nothing of its body."""
        head = f"POST {wire.EVALUATE} HTTP/1.1\r\nHost: engine\r\n{wire.KEY_HEADER}: {wire.key_name(self._key)}\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(self._request)}\r\n\r\n".encode())

    def fileno(self) -> int:
        """So that `select` can wait for it."""
        return self._socket.fileno()

    def told(self) -> Told:
        """What the engine answers."""
        response = http.client.HTTPResponse(self._socket)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Told(response.status, headers, response.read())

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
