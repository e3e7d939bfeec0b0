from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from fhirtwin.engine.tenants.turns import Bounds, Turns
from fhirtwin.errors import Busy


@contextmanager
def waiting(turns: Turns, names: list[str], order: list[str], seconds: float = 0.0) -> Iterator[None]:
    """Threads that wait for a turn, having come in this order, and note when it was theirs."""

    def wait(name: str) -> None:
        with turns.turn(name):
            order.append(name)
            time.sleep(seconds)

    threads = []
    for name in names:
        before = turns._waiting
        threads.append(threading.Thread(target=wait, args=(name,)))
        threads[-1].start()
        while turns._waiting == before:
            time.sleep(0.001)
    yield
    for thread in threads:
        thread.join()


def test_one_gateway_alone_has_all_turns() -> None:
    turns = Turns(Bounds(at_once=2), shared=False)
    with turns.turn(""), turns.turn(""):
        pass


def test_of_several_none_has_all_turns() -> None:
    turns = Turns(Bounds(at_once=2, longest_seconds=0.01), shared=True)
    with turns.turn("flood"):
        with pytest.raises(Busy), turns.turn("flood"):
            pytest.fail("two turns at once")
        with turns.turn("other"):
            pass


def test_those_who_wait_are_called_by_what_they_had_and_not_by_when_they_came() -> None:
    turns, order = Turns(Bounds(at_once=2, longest_seconds=10), shared=True), list[str]()
    with ExitStack() as held:
        first, second = ExitStack(), ExitStack()
        first.enter_context(turns.turn("flood"))
        second.enter_context(turns.turn("third"))
        with waiting(turns, ["flood"] * 5 + ["other"] * 2, order, 0.02):
            held.enter_context(first)
            held.enter_context(second)
            first.close()
    assert order.index("other") < 2
    assert sorted(order) == ["flood"] * 5 + ["other"] * 2


def test_who_comes_back_saved_nothing_up() -> None:
    turns = Turns(Bounds(), shared=True)
    with turns.turn("idle"):
        pass
    with turns.turn("busy"):
        time.sleep(0.05)
        spent = turns._line("busy").spent
        with turns.turn("idle"):
            assert turns._lines["idle"].spent >= spent


def test_too_many_are_told_so_at_once() -> None:
    turns, order = Turns(Bounds(at_once=1, waiting=3, waiting_each=2, longest_seconds=10), shared=True), list[str]()
    with ExitStack() as held:
        held.enter_context(turns.turn("first"))
        with waiting(turns, ["flood", "flood"], order):
            start = time.perf_counter()
            with pytest.raises(Busy, match="come back"), turns.turn("flood"):
                pytest.fail("three waited")
            with waiting(turns, ["other"], order):
                with pytest.raises(Busy), turns.turn("third"):
                    pytest.fail("four waited")
                assert time.perf_counter() - start < 5
                held.close()
    assert sorted(order) == ["flood", "flood", "other"]


def test_nobody_waits_for_ever_and_who_gave_up_holds_nothing() -> None:
    turns = Turns(Bounds(at_once=1, longest_seconds=0.05), shared=False)
    with turns.turn(""):
        start = time.perf_counter()
        with pytest.raises(Busy), turns.turn(""):
            pytest.fail("had a turn")
        assert 0.05 <= time.perf_counter() - start < 10
    assert (turns._running, turns._waiting) == (0, 0)
    with turns.turn(""):
        pass


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns(Bounds(at_once=1), shared=False)
    with pytest.raises(ZeroDivisionError), turns.turn(""):
        raise ZeroDivisionError
    with turns.turn(""):
        pass
