from __future__ import annotations

import threading
import time
from contextvars import copy_context

import pytest

from fhirtwin import cutoff
from fhirtwin.cutoff import Wait
from fhirtwin.errors import Unavailable


def test_what_nobody_waits_for_by_name_may_commit() -> None:
    cutoff.require_waiting()
    with cutoff.committing():
        pass


def test_what_was_given_up_commits_nothing() -> None:
    wait = Wait()
    with wait.over():
        with cutoff.committing():
            pass
        wait.give_up()
        with pytest.raises(Unavailable, match="nothing of it was stored"):
            cutoff.require_waiting()
        with pytest.raises(Unavailable), cutoff.committing():
            pytest.fail("the commit was entered")
    cutoff.require_waiting()


@pytest.mark.parametrize("outer_goes", [True, False])
def test_work_within_work_is_waited_for_by_both(outer_goes: bool) -> None:
    outer, inner = Wait(), Wait()
    with outer.over(), inner.over():
        (outer if outer_goes else inner).give_up()
        with pytest.raises(Unavailable):
            cutoff.require_waiting()


def test_who_stops_waiting_lets_a_commit_that_is_under_way_end() -> None:
    wait, entered, order = Wait(), threading.Event(), list[str]()

    def commit() -> None:
        with wait.over(), cutoff.committing():
            entered.set()
            time.sleep(0.2)
            order.append("committed")

    thread = threading.Thread(target=copy_context().run, args=(commit,))
    thread.start()
    assert entered.wait(5)
    wait.give_up()
    order.append("told")
    thread.join()
    assert order == ["committed", "told"]


def test_a_commit_that_hangs_holds_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutoff, "COMMIT_SECONDS", 0.1)
    wait, entered, release = Wait(), threading.Event(), threading.Event()

    def commit() -> None:
        with wait.over(), cutoff.committing():
            entered.set()
            release.wait(10)

    thread = threading.Thread(target=commit)
    thread.start()
    assert entered.wait(5)
    begin = time.monotonic()
    wait.give_up()
    assert time.monotonic() - begin < 5
    release.set()
    thread.join()
