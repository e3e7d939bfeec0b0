"""What is SQLite's own."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from fhirtwin.errors import Busy, Incorrect, InsufficientStorage, Unavailable
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from tests.small_disk import small_disk
from tests.store.storing import put, takes_nothing_without_room


def test_every_connection_is_durable_and_checks_links(store: Store) -> None:
    for engine, patience in ((store._reading, 10_000), (store._writing, 0)):  # a writer waits by itself
        with engine.begin() as connection:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": patience}


HOLDS = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    held.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    time.sleep(float(line))
    held.execute("COMMIT")
    print(time.monotonic(), flush=True)
"""


@pytest.fixture
def another_process(store: Store) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes to the same file for as many seconds as it is told."""
    command = [sys.executable, "-c", HOLDS, str(store._writing.url.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def test_who_waits_for_another_process_goes_on_as_soon_as_it_is_done(
    store: Store, another_process: subprocess.Popen[str]
) -> None:
    waited = []
    for _ in range(9):
        said = tell(another_process, 0.23)
        with store.write():
            begun = time.monotonic()
        waited.append(begun - float(said.readline()))
    assert 0 <= statistics.median(waited) < 0.02, "SQLite's own waiting sleeps for up to a tenth of a second"


def test_who_waits_too_long_for_another_process_is_told_to_come_back(
    store: Store, another_process: subprocess.Popen[str]
) -> None:
    said = tell(another_process, 1.5)
    begun = time.monotonic()
    with pytest.raises(Busy), store.note():
        pass
    assert 0.4 < time.monotonic() - begun < 1.4
    said.readline()
    with store.note():
        pass


def tell(process: subprocess.Popen[str], seconds: float) -> TextIO:
    """Let it begin to write; where it says when it ended."""
    assert process.stdin and process.stdout
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "held\n"
    return process.stdout


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite+none:///x", "sqlite://", "sqlite:///:memory:"])
def test_an_unusable_database_url_is_refused(url: str) -> None:
    with pytest.raises(Incorrect, match="FHIRTWIN_DATABASE_URL"):
        Store.open(Settings(database_url=url))


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"none/fhirtwin\.sqlite"):
        Store.open(Settings(data=tmp_path / "none"))


def test_only_the_owner_can_read_the_database(settings: Settings, store: Store) -> None:
    put(store)
    modes = {file.name: file.stat().st_mode & 0o777 for file in settings.data.iterdir()}
    assert set(modes.values()) == {0o600}
    assert "fhirtwin.sqlite-wal" in modes


def test_a_database_that_may_not_grow_takes_nothing_more_until_it_may_and_reads_go_on(store: Store) -> None:
    put(store)
    _let_grow(store, 1)  # which SQLite raises to the present size
    with pytest.raises(InsufficientStorage):
        put(store, "q", data=b"x" * 1_000_000)
    assert store.read("Patient", "q") is None
    assert store.read("Patient", "p") is not None
    _let_grow(store, 1_000_000)
    put(store, "q", data=b"x" * 1_000_000)
    assert store.read("Patient", "q") is not None


def test_a_disk_without_room_takes_nothing_more_until_there_is_room_and_reads_go_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as disk:
        takes_nothing_without_room(Settings(data=disk), disk)


def _let_grow(store: Store, pages: int) -> None:
    with store._writing.begin() as connection:  # the one connection that writes keeps it
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_an_opener_of_a_new_database_waits_for_another_that_writes_to_it(settings: Settings) -> None:
    path = settings.database.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # SQLite's own waiting does not wait for this one
    later = threading.Timer(0.2, other.execute, ["COMMIT"])
    later.start()
    store = Store.open(settings)
    later.join()
    store.ready()
    store.close()
    other.close()
