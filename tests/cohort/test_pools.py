"""Processes that work on blocks: what one says, and what is said when one dies."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from fhirtwin.cohort.job import HERE, Block, Item, Job
from fhirtwin.cohort.pools import LocalPool, RayPool
from fhirtwin.errors import Incorrect, Unavailable
from fhirtwin.predictors import registry
from fhirtwin.settings import Settings
from tests.cohort.people import DAY, line

JOB = Job(Settings(), tuple(one.id for one in registry.all_predictors()), DAY, origin=HERE, prepare=True)


@pytest.fixture
def pool() -> Iterator[LocalPool]:
    made = LocalPool(JOB, 1)
    yield made
    made.close()


def block(number: int) -> Block:
    return Block(number, number + 1, (Item(1, line(number, DAY).strip()), Item(2, b"{}"), Item(3, b"", "too long")))


def work(pool: LocalPool) -> None:
    for number in range(1, 100):
        pool.first([pool.submit(block(number))])


def test_each_item_has_a_row_or_a_reason(pool: LocalPool) -> None:
    handles = [pool.submit(block(number)) for number in range(3)]
    done = dict(pool.first([handle]) for handle in handles)
    assert [done[handle].number for handle in handles] == [0, 1, 2]
    for handle in handles:
        first, second, third = done[handle].rows
        assert first.row and not first.wrong
        assert "neither a Bundle" in second.wrong
        assert third.wrong == "too long"
        assert not done[handle].asked


def test_a_process_that_dies_is_told_with_what_to_do(pool: LocalPool) -> None:
    pool.first([pool.submit(block(0))])
    (pid,) = pool._executor._processes
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Unavailable, match="again to go on"):
        work(pool)


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "")
    with pytest.raises(Incorrect, match=r"fhirtwin\[cluster\]"):
        RayPool(JOB, "local", 1)
