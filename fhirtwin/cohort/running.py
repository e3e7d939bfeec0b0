"""The run: blocks out to the pool, what comes of them in order to the disk, and an engine that lied asked no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.cohort.job import Block, Done, Row
from fhirtwin.cohort.journal import Journal
from fhirtwin.cohort.pools import Pool
from fhirtwin.errors import EngineQuarantined
from fhirtwin.quarantine import Quarantine

ROWS: Final = "rows"
REFUSED: Final = "refused"
ASSESSMENTS: Final = "assessments"

_TWICE: Final = "this patient was there before; the first counts"


@dataclass(frozen=True, slots=True)
class Summary:
    """How many patients have a row, and how many items have none."""

    rows: int
    refused: int


def run(
    blocks: Iterable[Block],
    pool: Pool,
    journal: Journal,
    quarantine: Quarantine,
    told: Callable[[Block], object] = lambda block: None,
    item: str = "line",
) -> Summary:
    """Work through all blocks, and finish.

    No more blocks are held than the pool has processes, and two: memory does not grow with the cohort.

    Args:
        blocks: those that are not done.
        pool: who works on them.
        journal: what is written.
        quarantine: keeps an engine that answered wrongly from being asked.
        told: called when a block is on the disk.
        item: what the number of an item is called in the report of refusals.

    Raises:
        EngineQuarantined: the engine answered wrongly; what it had said in this run was put out of the way.
        FhirtwinError: as the first block that failed has it; what is on the disk stands.
    """
    for block, done in _in_order(iter(blocks), pool, quarantine, journal):
        _write(block, done, journal, item)
        told(block)
    journal.finish()
    return Summary(journal.rows, journal.refused)


def _in_order(
    blocks: Iterator[Block], pool: Pool, quarantine: Quarantine, journal: Journal
) -> Iterator[tuple[Block, Done]]:
    """Give blocks in their order with what came of them, whichever comes first."""
    working: dict[Any, Block] = {}
    held: dict[int, tuple[Block, Done]] = {}
    following: int | None = None
    ended = False
    while True:
        while not ended and len(working) + len(held) < pool.size + 2:
            block = next(blocks, None)
            if block is None:
                ended = True
                break
            following = block.number if following is None else following
            _require(quarantine, journal)
            working[pool.submit(block)] = block
        if not working:
            return
        handle, done = pool.first(working)
        block = working.pop(handle)
        held[block.number] = block, _judged(done, quarantine, journal)
        while following in held:
            yield held.pop(following)
            following += 1


def _require(quarantine: Quarantine, journal: Journal) -> None:
    try:
        quarantine.require()
    except EngineQuarantined as error:
        raise _disowned(error, journal) from None


def _judged(done: Done, quarantine: Quarantine, journal: Journal) -> Done:
    """What came of a block, when the engine answered rightly."""
    if not (done.failure or done.asked):
        return done
    try:
        with quarantine.probed():
            if done.failure:
                raise done.failure
    except EngineQuarantined as error:
        raise _disowned(error, journal) from None
    return done


def _disowned(error: EngineQuarantined, journal: Journal) -> EngineQuarantined:
    """What to say of an engine that is not to be believed, and of what it had a part in."""
    if not journal.rows:
        return error
    moved = journal.disown()
    return EngineQuarantined(
        f"{error} The {journal.rows} rows of this run before that are not to be believed either: they are in {moved}."
    )


def _write(block: Block, done: Done, journal: Journal, item: str) -> None:
    rows: list[Row] = []
    refused: list[dict[str, Any]] = []
    here: set[bytes] = set()
    for row in done.rows:
        twice = row.patient in journal.seen or row.patient in here
        if row.wrong or twice:
            refused.append({item: row.number, "reason": row.wrong or _TWICE})
        else:
            here.add(row.patient)
            rows.append(row)
    data = {
        ROWS: b"".join(row.row for row in rows),
        REFUSED: b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in refused),
        ASSESSMENTS: b"".join(row.assessments for row in rows),
    }
    journal.add(block, data, [row.patient for row in rows], len(refused))
