"""Turns come in the order of asking, are never lost, and never more than there are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from fhirtwin.api.turns import Turns

AT_ONCE = 0.0


def _waits_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _queue(turns: Turns, count: int, served: list[int]) -> list[threading.Thread]:
    """Callers who ask one after another, note when their turn comes, and hold it."""

    def caller(number: int) -> None:
        assert turns.acquire(timeout=10)
        served.append(number)

    started = []
    for number in range(count):
        started.append(threading.Thread(target=caller, args=(number,)))
        started[-1].start()
        _waits_for(lambda: len(turns._waiting) == number + 1)  # noqa: B023 - asked within the round
    return started


def test_as_many_as_there_are_and_no_more() -> None:
    turns = Turns(2)
    assert [turns.acquire(AT_ONCE) for _ in range(3)] == [True, True, False]
    turns.release()
    assert turns.acquire(AT_ONCE)


def test_who_came_first_goes_first_and_nobody_passes() -> None:
    turns, served = Turns(1), list[int]()
    assert turns.acquire(AT_ONCE)
    threads = _queue(turns, 5, served)
    for number in range(5):
        turns.release()
        assert not turns.acquire(AT_ONCE), "a turn that was given away is nobody else's"
        _waits_for(lambda: len(served) == number + 1)  # noqa: B023 - asked within the round
    for thread in threads:
        thread.join(10)
    assert served == [0, 1, 2, 3, 4]


def test_who_gave_up_is_passed_over() -> None:
    turns, served = Turns(1), list[int]()
    assert turns.acquire(AT_ONCE)
    assert not turns.acquire(0.01)
    (thread,) = _queue(turns, 1, served)
    turns.release()
    thread.join(10)
    assert served == [0]


def test_a_turn_that_comes_as_one_gives_up_is_taken_and_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(1)
    assert turns.acquire(AT_ONCE)
    leave = turns._gone

    def late(place: threading.Lock) -> bool:
        turns.release()  # just when the wait was over
        return leave(place)

    monkeypatch.setattr(turns, "_gone", late)
    assert turns.acquire(AT_ONCE)
    monkeypatch.undo()
    assert not turns.acquire(AT_ONCE)
    turns.release()
    assert turns.acquire(AT_ONCE)
