"""The line to an engine: where it is, connections that are kept, one deadline for a whole exchange.

Of what comes it believes nothing but its length.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fhirtwin.ckks import wire
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, Incorrect
from fhirtwin.timed_connection import BROKEN_OFF, Connection

_MOST_IDLE_CONNECTIONS = 8
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_DOWN = "The engine cannot be reached; see that it runs and that the gateway has its address."
_BROKEN_OFF = "The engine broke off in the middle of its answer."
_LATE = "The engine did not answer in time."
UNBELIEVED: Final = (
    "The answer of the engine is not signed for this request with the shared secret, so it was thrown away. If every "
    "answer is, the secrets of the two sides may differ: give both the same one (--engine-key)."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        mac: in hex, or empty; nobody has checked it yet.
    """

    status: int
    mac: str
    body: bytes


class Line:
    """Carries bytes to one engine and back. Threads may share it; each exchange has a connection of its own.

    Args:
        url: `unix:/path`, `https://host:port`, or `http://host:port` on loopback.
        name: of the secret, which every request says.
        ca_file: certificate authority for https; the system's when None.

    Raises:
        Incorrect: the address is not usable.
    """

    def __init__(self, url: str, name: str, ca_file: str | None) -> None:
        self._idle: deque[Connection] = deque()
        self._name = name
        self._path, self._host, self._port = "", "", 0
        self._tls: ssl.SSLContext | None = None
        self._read_address(url, ca_file)

    def exchange(self, method: str, path: str, body: bytes, longest: int, deadline: float) -> Answer:
        """Send one request and read its whole answer, on a kept connection when there is one.

        Raises:
            EngineUnavailable: nobody answers, or not until the deadline.
            EngineAnswerRefused: what came is no answer, or longer than it may be.
        """
        try:
            kept = self._idle.pop()
        except IndexError:
            kept = None
        try:
            if kept is not None:
                try:
                    return self._exchange_on(kept, method, path, body, longest, deadline)
                except BROKEN_OFF:
                    if kept.timed.received:
                        raise
            return self._exchange_on(self._connect(deadline), method, path, body, longest, deadline)
        except TimeoutError:
            raise EngineUnavailable(_LATE) from None
        except ssl.SSLCertVerificationError:
            raise EngineUnavailable("The engine's certificate is not of the authority this gateway trusts.") from None
        except OSError:
            raise EngineUnavailable(_DOWN) from None
        except (http.client.HTTPException, ValueError):  # http.client lets numbers that are none through as ValueError
            raise EngineAnswerRefused(UNBELIEVED) from None

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop().timed.hang_up()

    def __del__(self) -> None:
        self.close()

    def _read_address(self, url: str, ca_file: str | None) -> None:
        if url.startswith("unix:/"):
            self._path = url.removeprefix("unix:")
            return
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 0
        except ValueError:
            raise Incorrect("The engine's address is not a URL.") from None
        plain = parts.scheme == "http" and self._host in _LOOPBACK
        extra = parts.path.strip("/") or parts.query or parts.username
        if not self._host or not self._port or extra or not (plain or parts.scheme == "https"):
            raise Incorrect("The engine's address is unix:/path, https://host:port, or http://127.0.0.1:port.")
        if not plain:
            try:
                self._tls = ssl.create_default_context(cafile=ca_file)
            except (OSError, ssl.SSLError):
                raise Incorrect(f"{ca_file} does not hold a certificate authority.") from None
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_3

    def _exchange_on(
        self, connection: Connection, method: str, path: str, body: bytes, longest: int, deadline: float
    ) -> Answer:
        connection.timed.deadline, connection.timed.received = deadline, 0
        whole = False
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            connection.putheader(wire.KEY_HEADER, self._name)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            with _answered(connection, body) as response:
                # An engine says how long its answer is, so nothing is read whose end is not known: http.client would
                # take a chunk of length -1 as leave to read into memory for as long as somebody sends.
                length = response.length
                if response.chunked or length is None or length > longest:
                    raise EngineAnswerRefused(UNBELIEVED)
                data = response.read(length)
                if len(data) != length:
                    raise EngineUnavailable(_BROKEN_OFF)
                whole = response.isclosed() and not response.will_close and not connection.timed.is_broken
                answer = Answer(response.status, response.headers.get(wire.MAC_HEADER, ""), data)
        finally:
            if whole and len(self._idle) < _MOST_IDLE_CONNECTIONS:
                self._idle.append(connection)
            else:
                connection.timed.hang_up()
        return answer

    def _connect(self, deadline: float) -> Connection:
        left = max(deadline - time.perf_counter(), 0.001)
        if self._path:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(left)
                sock.connect(self._path)
            except OSError:
                sock.close()
                raise
            return Connection(sock)
        sock = socket.create_connection((self._host, self._port), timeout=left)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            sock.settimeout(max(deadline - time.perf_counter(), 0.001))
            sock = self._tls.wrap_socket(sock, server_hostname=self._host)
        return Connection(sock)


def _answered(connection: Connection, body: bytes) -> http.client.HTTPResponse:
    """Send the end of a request, and read the head of its answer."""
    try:
        connection.endheaders(body or None)
    except BROKEN_OFF as broken:
        # Who refuses a large message unread says why, and hangs up while it is still being sent.
        try:
            return connection.getresponse()
        except (http.client.HTTPException, OSError):
            raise broken from None
    return connection.getresponse()
