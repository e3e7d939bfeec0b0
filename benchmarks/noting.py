"""What it costs to note cards and count a call: CPU of one process, the same calls with and without, in turns.

    .venv/bin/python -m benchmarks.noting [CALLS] [DATABASE_URL]

Bar: at most 1 ms CPU a call, whether its two cards are known to the store or new. Exit code 1 when it is missed.
Without a URL the database is SQLite in a temporary folder.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from flask import Flask, g
from flask.testing import FlaskClient

from fhirtwin.access import OPEN
from fhirtwin.api.cds import routes
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.interactions import giving
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.giving import Given
from fhirtwin.settings import Settings
from fhirtwin.store import Store

BAR_MS = 1.0
ROUNDS = 10
BODY = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "fhirServer": "https://ehr.example/fhir",
    "context": {"userId": "Practitioner/17", "patientId": "p"},
}


def main() -> int:
    """Run, print the table, and say by the exit code whether the bar was met."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    url = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), database_url=url, open=True, base_url="https://twin.example/fhir")
        parts = Services(settings, Store.open(settings))
        found = report(parts, calls)
        parts.store.close()
    return found


def report(parts: Services, calls: int) -> int:
    """Measure each kind of call in turns, and print what noting adds."""
    kinds: dict[str, tuple[FlaskClient, bool]] = {
        "cards known, not noted": (_client(parts, _known), False),
        "cards known, noted": (_client(parts, _known), True),
        "cards new, not noted": (_client(parts, _new), False),
        "cards new, noted": (_client(parts, _new), True),
    }
    spent: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, (client, noted) in kinds.items():
            spent[kind].append(_run(client, calls // ROUNDS, noted=noted))
    middle = {kind: tuple(map(statistics.median, zip(*times, strict=True))) for kind, times in spent.items()}
    for kind, (cpu, wall) in middle.items():
        print(f"{kind:<28}{cpu:>8.2f} ms CPU{wall:>8.2f} ms wall")
    ok = True
    for which in ("known", "new"):
        with_, without = (middle[f"cards {which}, {how}"][0] for how in ("noted", "not noted"))
        met = with_ - without <= BAR_MS
        ok &= met
        print(f"noting {which} cards adds {with_ - without:.2f} ms CPU (bar {BAR_MS}), x {with_ / without:.2f}: {met}")
    return 0 if ok else 1


def _run(client: FlaskClient, calls: int, *, noted: bool) -> tuple[float, float]:
    """CPU and wall milliseconds a call."""
    instead: Callable[..., Any] = giving.give if noted else lambda _services, _to, cards, _lasting: Given(tuple(cards))
    with mock.patch.object(giving, "give", instead):
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(calls):
            assert client.post("/cds-services/made-up", json=BODY).status_code == 200
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / calls * 1000, wall / calls * 1000


def _client(parts: Services, handler: Callable[[Call], Response]) -> FlaskClient:
    app = Flask("benchmark", static_folder=None)

    @app.before_request
    def admit() -> None:
        g.caller = OPEN

    service = Service("made-up", ("patient-view",), "Made up", "For a benchmark.", {}, handler)
    app.register_blueprint(routes.blueprint(parts, {service.id: service}), url_prefix="/cds-services")
    return app.test_client()


def _known(_call: Call) -> Response:
    return Response([_card(str(uuid.uuid5(uuid.NAMESPACE_URL, name))) for name in ("a", "b")])


def _new(_call: Call) -> Response:
    return Response([_card(str(uuid.uuid4())) for _ in range(2)])


def _card(id_: str) -> dict[str, Any]:
    return {"uuid": id_, "summary": "A finding", "indicator": "warning", "source": {"label": "Somebody"}}


if __name__ == "__main__":
    sys.exit(main())
