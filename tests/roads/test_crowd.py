"""Callers that send without end: others get an answer, and everything goes on when they have gone."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from pathlib import Path

from tests.parts import body, patient
from tests.roads.gateway import FHIR, ready, running

MOST = 6
HEAD = (
    f"POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FHIR}\r\nContent-Length: 1000\r\n\r\n{{"
).encode()


def test_slow_bodies_leave_room_until_there_are_too_many_and_then_others_are_told(tmp_path: Path) -> None:
    with (
        running(tmp_path / "data", env={"FHIRTWIN_MAX_CONCURRENT_REQUESTS": str(MOST)}) as gateway,
        ExitStack() as slow,
    ):
        ready(gateway)
        port = int(gateway.host.rpartition(":")[2])

        def hang() -> None:
            connection = slow.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(HEAD)

        for _ in range(MOST - 1):
            hang()
        written = gateway.http.put(
            f"{gateway.base}/Patient/p", data=body(patient(id="p")), headers={"Content-Type": FHIR}, timeout=5
        )
        assert written.status_code == 201
        deadline = time.monotonic() + 15
        hang()
        while (answer := gateway.http.get(f"{gateway.base}/Patient/p", timeout=5)).ok:
            assert time.monotonic() < deadline
            hang()  # the one before has not arrived yet, or was told to come back while this caller held the last place
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json()["issue"][0]["code"] == "throttled"
        assert gateway.http.get(f"{gateway.host}/health/live", timeout=5).ok
        slow.close()
        while not gateway.http.get(f"{gateway.base}/Patient/p", timeout=5).ok:
            assert time.monotonic() < deadline + 15
