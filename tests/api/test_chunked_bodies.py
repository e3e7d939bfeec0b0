"""Over a real server: test clients send no chunks, and it is there that a body can be cut without anybody noticing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import body, patient

LIMIT = 100_000
SERVE = """
import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.server import Server

from tests import parts


def made():
    return parts.application(parts.services(Path(__file__).parent, max_body_bytes=100_000))


if __name__ == "__main__":
    Server("served:made", factory=True, port=int(sys.argv[1]), interface=Interfaces.WSGI).serve()
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("granian")
    (folder / "served.py").write_text(SERVE)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number = probe.getsockname()[1]
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{folder}"}
    command = [sys.executable, "served.py", str(number)]
    server = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield number
    finally:
        server.terminate()
        server.wait(timeout=10)


def send(
    port: int, chunks: list[bytes], *, end: bool = True, headers: str = "Transfer-Encoding: chunked"
) -> tuple[int, dict]:
    """Send a request in chunks; without `end` the connection is closed for writing before the last one."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n{headers}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        try:
            for chunk in chunks:
                framed = b"%x\r\n%b\r\n" % (len(chunk), chunk) if "chunked" in headers else chunk
                connection.sendall(framed)
            if end and "chunked" in headers:
                connection.sendall(b"0\r\n\r\n")
        except ConnectionError:
            pass  # the server has answered already and reads no further
        if not end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head_text, _, content = answer.partition(b"\r\n\r\n")
    status = int(head_text.split()[1]) if head_text else 0
    return status, json.loads(content) if content.startswith(b"{") else {}


def stored(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /fhir/Patient?_count=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
    total: int = json.loads(answer.partition(b"\r\n\r\n")[2])["total"]
    return total


def test_a_chunked_body_is_read_whole(port: int) -> None:
    before = stored(port)
    whole = body(patient(name=[{"text": "x" * 50_000}]))
    status, resource = send(port, [whole[:7], whole[7:20_000], whole[20_000:]])
    assert status == 201
    assert len(resource["name"][0]["text"]) == 50_000
    assert stored(port) == before + 1


def test_a_chunked_body_over_the_limit_is_413_even_where_the_beginning_would_do(port: int) -> None:
    before = stored(port)
    valid = body(patient())
    padded = valid + b" " * (LIMIT - len(valid))  # what is within the limit is a whole Patient
    status, outcome = send(port, [padded, b" " * 4096])
    assert status == 413
    assert outcome["issue"][0]["code"] == "too-long"
    assert stored(port) == before


def test_a_chunked_body_cut_off_stores_nothing(port: int) -> None:
    before = stored(port)
    status, _ = send(port, [body(patient())[:-1]], end=False)
    assert status in (0, 400)
    assert stored(port) == before


def test_a_body_shorter_than_its_content_length_stores_nothing(port: int) -> None:
    before = stored(port)
    sent = body(patient())
    status, _ = send(port, [sent], end=False, headers=f"Content-Length: {len(sent) + 10}")
    assert status in (0, 400)
    assert stored(port) == before
