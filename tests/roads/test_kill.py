"""A gateway killed in the middle of its work: no part of a bundle is there, and everything that it acknowledged is."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from fhirtwin.settings import Settings
from fhirtwin.store.databases import engines
from tests.parts import body, entry, patient, transaction
from tests.roads.gateway import FHIR, Running, ready, running

ENTRIES = 60
RESTART_OVER_START = 2.0
"""A start after a kill may take so many times a first one, which makes the database: nothing is mended at length."""


def bundle(number: int) -> bytes:
    ids = [f"b{number}-{place}" for place in range(ENTRIES)]
    return body(transaction(*(entry("PUT", f"Patient/{id_}", patient(id=id_)) for id_ in ids)))


class Caller(threading.Thread):
    """Posts one bundle after the other until the gateway has gone."""

    def __init__(self, gateway: Running, first: int) -> None:
        super().__init__()
        self.gateway, self.next = gateway, first
        self.acknowledged: set[int] = set()
        self.began = threading.Event()

    def run(self) -> None:
        """Go on until the connection breaks."""
        with requests.Session() as http:
            while True:
                try:
                    answer = http.post(self.gateway.base, data=bundle(self.next), headers={"Content-Type": FHIR})
                except requests.RequestException:
                    return
                assert answer.status_code == 200, answer.text
                self.acknowledged.add(self.next)
                self.next += 1
                self.began.set()


def processes(gateway: Running) -> list[int]:
    """The gateway's processes, those that work before the one that watches over them."""
    found: list[int] = []
    for task in Path(f"/proc/{gateway.process.pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            found += map(int, (task / "children").read_text().split())
    working = [child for child in found if b"engine" not in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")]
    assert working
    return [*working, gateway.process.pid]


def stored(settings: Settings) -> Counter[int]:
    """How many resources there are of each bundle, once whatever the killed gateway had begun has ended."""
    with engines.upkeep(settings) as connection:
        ids = connection.execute(text("SELECT id FROM resource")).scalars().all()
        if not settings.database_url:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    return Counter(int(id_.removeprefix("b").partition("-")[0]) for id_ in ids)


@pytest.mark.databases
def test_kill_9_leaves_whole_bundles_all_acknowledged_ones_and_a_gateway_that_starts_again(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    kills = request.config.getoption("--kills")
    settings = Settings(data=tmp_path / "data", database_url=database_url)
    chance = random.Random(7)  # noqa: S311
    acknowledged: set[int] = set()
    first, in_the_middle, started = 0, 0, 0.0
    for kill in range(kills + 1):
        began = time.monotonic()
        with running(settings.data, env={"FHIRTWIN_DATABASE_URL": database_url}) as gateway:
            ready(gateway)
            took = time.monotonic() - began
            started = started or took
            if kill:
                assert took < RESTART_OVER_START * started
                counts = stored(settings)
                assert set(counts.values()) <= {ENTRIES}
                assert acknowledged <= counts.keys()
            if kill == kills:
                break
            caller = Caller(gateway, first)
            caller.start()
            assert caller.began.wait(10)
            caller.join(chance.uniform(0, 0.15))  # it does not end by itself: this is a moment that nobody chose
            for process in processes(gateway):
                os.kill(process, signal.SIGKILL)
            caller.join()
        acknowledged |= caller.acknowledged
        in_the_middle += caller.next not in stored(settings)
        first = caller.next + 1  # the one under way may be there: committed, and not acknowledged
    assert in_the_middle  # at least one bundle was cut short
