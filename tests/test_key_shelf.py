from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirtwin.errors import Fault, Incorrect
from fhirtwin.key_shelf import IN_USE, NAME, RETIRED, REVOKED, KeyShelf
from tests.clock import Clock

SECRET = b"a key that is sealed, of many bytes" * 20


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(tmp_path: Path, clock: Clock) -> Iterator[KeyShelf]:
    made = KeyShelf(tmp_path / NAME, clock)
    yield made
    made.close()


def states(shelf: KeyShelf) -> dict[str, str]:
    return {key.id: key.state for key in shelf.all()}


def test_a_new_key_takes_the_place_of_the_one_of_its_circuit_alone(shelf: KeyShelf) -> None:
    shelf.add("a", "panel", SECRET)
    shelf.add("b", "network", SECRET)
    shelf.add("c", "panel", SECRET + b"2")
    assert states(shelf) == {"a": RETIRED, "b": IN_USE, "c": IN_USE}
    found = shelf.in_use("panel")
    assert found is not None and (found.id, found.sealed) == ("c", SECRET + b"2")
    assert shelf.in_use("other") is None


def test_grants_end_with_the_count_and_with_the_age(shelf: KeyShelf, clock: Clock) -> None:
    shelf.add("a", "panel", SECRET)
    assert shelf.grant("a", 20, 45, 100)
    assert shelf.grant("a", 20, 45, 100)
    assert not shelf.grant("a", 20, 45, 100)
    assert shelf.grant("a", 5, 45, 100)
    clock.now += 100
    assert not shelf.grant("a", 1, 1000, 100)
    assert not shelf.grant("nobody", 1, 1000, 100)


def test_threads_and_files_count_together(tmp_path: Path, shelf: KeyShelf) -> None:
    shelf.add("a", "panel", SECRET)
    granted: list[bool] = []

    def ask() -> None:
        other = KeyShelf(tmp_path / NAME, Clock())
        granted.extend(other.grant("a", 1, 50, 100) for _ in range(20))
        other.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 50


@pytest.mark.parametrize("end", ["retire", "retire_all", "revoke"])
def test_a_secret_that_is_used_no_more_is_erased_from_the_file(tmp_path: Path, shelf: KeyShelf, end: str) -> None:
    shelf.add("a", "panel", SECRET)
    assert SECRET in (tmp_path / NAME).read_bytes()
    shelf.retire_all() if end == "retire_all" else getattr(shelf, end)("a")
    assert states(shelf) == {"a": REVOKED if end == "revoke" else RETIRED}
    assert not shelf.is_in_use("a") and not shelf.grant("a", 1, 1000, 1000)
    assert SECRET[:40] not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_the_file_is_its_owners_and_has_one_salt(tmp_path: Path, shelf: KeyShelf) -> None:
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    again = KeyShelf(tmp_path / NAME)
    assert again.salt == shelf.salt and len(shelf.salt) == 16
    again.close()


def test_what_is_not_there_is_not_revoked(shelf: KeyShelf) -> None:
    with pytest.raises(Incorrect, match="fhirtwin keys circuits list"):
        shelf.revoke("nobody")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("no database, and long enough to be told from an empty one" * 10)
    with pytest.raises(Fault, match="cannot be used"):
        KeyShelf(tmp_path / NAME)
