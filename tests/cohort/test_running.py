"""The run: in order whoever is first, with bounded memory, everybody once, and no row of an engine that lied."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from fhirtwin.cohort.job import Block, Done, Item, Row
from fhirtwin.cohort.journal import Journal
from fhirtwin.cohort.running import ASSESSMENTS, REFUSED, ROWS, Summary, run
from fhirtwin.errors import EngineAnswerWrong, EngineQuarantined, EngineUnavailable, FhirtwinError
from fhirtwin.quarantine import Quarantine
from fhirtwin.settings import Settings
from fhirtwin.store import Store


def blocks(count: int, first: int = 0) -> Iterator[Block]:
    for number in range(first, count):
        yield Block(number, number + 1, tuple(Item(3 * number + n, b"%d" % (3 * number + n)) for n in (1, 2, 3)))


def digest(number: int) -> bytes:
    return number.to_bytes(16)


class Pool:
    """Works on blocks here, and finishes them in an order of chance."""

    def __init__(self, failures: dict[int, FhirtwinError] | None = None, same: Collection[int] = ()) -> None:
        self.size = 3
        self.most = 0
        self._failures, self._same = failures or {}, same
        self._chance = random.Random(5)  # noqa: S311

    def submit(self, block: Block) -> Block:
        return block

    def first(self, waiting: Collection[Block]) -> tuple[Block, Done]:
        self.most = max(self.most, len(waiting))
        block = self._chance.choice(list(waiting))
        if block.number in self._failures:
            return block, Done(block.number, failure=self._failures[block.number])
        return block, Done(block.number, tuple(self._row(item) for item in block.items), asked=True)

    def _row(self, item: Item) -> Row:
        if item.number % 7 == 0:
            return Row(item.number, wrong="no")
        who = 1 if item.number in self._same else item.number
        return Row(item.number, digest(who), b"row %d\n" % item.number, b"ra %d\n" % item.number)

    def close(self) -> None:
        pass


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    store = Store.open(Settings(data=tmp_path))
    yield Quarantine(store)
    store.close()


def files(folder: Path) -> dict[str, Path]:
    return {ROWS: folder / "out", REFUSED: folder / "refused", ASSESSMENTS: folder / "ra"}


def journal(folder: Path) -> Journal:
    return Journal(files(folder), {"a": 1})


def numbers(path: Path) -> list[int]:
    return [int(line.split()[1]) for line in path.read_text().splitlines()]


def test_rows_are_in_order_and_everybody_is_there(tmp_path: Path, quarantine: Quarantine) -> None:
    pool = Pool()
    told: list[int] = []
    summary = run(blocks(20), pool, journal(tmp_path), quarantine, lambda block: told.append(block.end))
    right = [n for n in range(1, 61) if n % 7]
    assert numbers(tmp_path / "out") == numbers(tmp_path / "ra") == right
    refused = [json.loads(line) for line in (tmp_path / "refused").read_text().splitlines()]
    assert refused == [{"line": n, "reason": "no"} for n in range(7, 61, 7)]
    assert summary == Summary(len(right), len(refused))
    assert told == list(range(1, 21))
    assert pool.most <= pool.size + 2


def test_no_more_blocks_are_taken_than_can_be_worked_on(tmp_path: Path, quarantine: Quarantine) -> None:
    taken = written = most = 0

    def counted() -> Iterator[Block]:
        nonlocal taken, most
        for block in blocks(40):
            taken += 1
            most = max(most, taken - written)
            yield block

    def told(_block: Block) -> None:
        nonlocal written
        written += 1

    pool = Pool()
    run(counted(), pool, journal(tmp_path), quarantine, told)
    assert most <= pool.size + 2


def test_who_comes_twice_has_one_row_and_the_other_is_named_also_after_a_resume(
    tmp_path: Path, quarantine: Quarantine
) -> None:
    failing = Pool({7: EngineUnavailable("down")}, same=(1, 2, 11, 26))
    with pytest.raises(EngineUnavailable):
        run(blocks(10), failing, cut := journal(tmp_path), quarantine)
    cut.close()
    resumed = journal(tmp_path)
    assert resumed.last is not None
    run(blocks(10, resumed.last.number + 1), Pool(same=(1, 2, 11, 26)), resumed, quarantine)
    assert numbers(tmp_path / "out") == [n for n in range(1, 31) if n % 7 and n not in (2, 11, 26)]
    twice = [
        one for one in map(json.loads, (tmp_path / "refused").read_text().splitlines()) if "before" in one["reason"]
    ]
    assert [one["line"] for one in twice] == [2, 11, 26]


def test_a_wrong_answer_quarantines_and_puts_all_rows_of_the_run_out_of_the_way(
    tmp_path: Path, quarantine: Quarantine
) -> None:
    with pytest.raises(EngineQuarantined, match="doubted"):
        run(blocks(30), Pool({25: EngineAnswerWrong("wrong")}), journal(tmp_path), quarantine)
    left = {one.name for one in tmp_path.iterdir()}
    assert {"out.doubted", "refused.doubted", "ra.doubted"} <= left
    assert not left & {"out", "out.part", "out.journal"}
    with pytest.raises(EngineQuarantined):
        quarantine.require()
    again = journal(tmp_path)
    with pytest.raises(EngineQuarantined):
        run(blocks(30), Pool(), again, quarantine)
    again.close()


def test_a_quarantine_imposed_meanwhile_stops_the_run(tmp_path: Path, quarantine: Quarantine) -> None:
    def imposed(block: Block) -> None:
        if block.number == 8:
            with pytest.raises(EngineQuarantined), quarantine.probed():
                raise EngineAnswerWrong("wrong")

    with pytest.raises(EngineQuarantined, match="doubted"):
        run(blocks(30), Pool(), journal(tmp_path), quarantine, imposed)
    assert not (tmp_path / "out").exists()


def test_a_failure_leaves_what_is_whole_for_the_next_run(tmp_path: Path, quarantine: Quarantine) -> None:
    with pytest.raises(EngineUnavailable):
        run(blocks(20), Pool({10: EngineUnavailable("down")}), cut := journal(tmp_path), quarantine)
    cut.close()
    resumed = journal(tmp_path)
    assert resumed.last is not None
    assert resumed.last.number < 10
    summary = run(blocks(20, resumed.last.number + 1), Pool(), resumed, quarantine)
    assert numbers(tmp_path / "out") == [n for n in range(1, 61) if n % 7]
    assert summary.rows == 52
