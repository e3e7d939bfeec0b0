"""A fake engine on a Unix socket, which answers a courier whatever a test tells it to."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask.testing import FlaskClient

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.courier import Courier
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, random_panel

PANEL = random_panel()
VAULT = Vault(PANEL)
ROTATING = Vault(PANEL, mode="rotating")


Answer = Callable[[bytes], bytes | None]
"""A whole HTTP request to the bytes to send back; None hangs up."""


@dataclass
class FakeEngine:
    """Listens on a Unix socket and answers whatever it is told to; remembers what came."""

    path: Path
    answer: Answer
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"unix:{self.path}"

    def courier(self, timeout: float = 2.0, key: bytes = KEY) -> Courier:
        return Courier(self.url, key, timeout=timeout)

    @contextmanager
    def listening(self) -> Iterator[FakeEngine]:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen()
            thread = threading.Thread(target=self._accept, args=(listener,))
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _accept(self, listener: socket.socket) -> None:
        with ThreadPoolExecutor(8) as pool:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                self.connections += 1
                pool.submit(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            while request := read_http(connection):
                self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    return
                try:
                    connection.sendall(answer)
                except OSError:
                    return
                if b"Connection: close" in answer[:400]:
                    return


def read_http(connection: socket.socket) -> bytes:
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        while len(body) < length:
            if not (more := connection.recv(65536)):
                return b""
            body += more
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


def http_answer(status: int, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} Told\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def through(client: FlaskClient, request: bytes) -> bytes:
    """Ask a real engine application."""
    head, _, body = request.partition(b"\r\n\r\n")
    method, path, _ = head.split(b" ", 2)
    response = client.open(path.decode(), method=method.decode(), data=body)
    mac = response.headers.get(wire.MAC_HEADER)
    return http_answer(response.status_code, response.data, f"{wire.MAC_HEADER}: {mac}\r\n" if mac else "")


def signed_refusal(status: int, version: object = __version__, key: bytes = KEY, **more: object) -> bytes:
    body = json.dumps({"version": version, "error": "no"} | more).encode()
    return http_answer(status, body, f"{wire.MAC_HEADER}: {wire.sign_error(key, status, body).hex()}\r\n")
