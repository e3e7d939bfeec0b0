"""Threads that wait for work."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from fhirtwin.api.cds import hands


def test_work_that_follows_other_work_finds_a_thread_waiting() -> None:
    done: SimpleQueue[int] = SimpleQueue()
    first: set[int] = set()
    for _ in range(50):
        hands.give(lambda: done.put(threading.get_ident()))
        first.add(done.get(timeout=5))
        while not hands._idle:  # the thread comes back a moment after its work is done
            pass
    assert len(first) < 50


def test_work_never_waits_for_busy_threads_and_few_stay() -> None:
    together = threading.Barrier(hands.MOST_IDLE + 9, timeout=10)
    before = threading.active_count()
    for _ in range(hands.MOST_IDLE + 8):
        hands.give(lambda: together.wait() and None)
    together.wait()
    for thread in [one for one in threading.enumerate() if one.name == "cds-service"]:
        if len(hands._idle) < hands.MOST_IDLE:
            thread.join(0.2)
    assert len(hands._idle) <= hands.MOST_IDLE
    assert threading.active_count() <= before + hands.MOST_IDLE
