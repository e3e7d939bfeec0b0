"""The patients of a store in blocks, by the numbers of their resources, so that a resumed run finds its place."""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.cohort.job import Block, Item
from fhirtwin.store import Store


def blocks(store: Store, most_items: int, ceiling: int, start: Block | None = None) -> Iterator[Block]:
    """Go through the patients that are stored, oldest first.

    Args:
        store: read in short transactions, so that a gateway at work on it is not held up.
        most_items: in one block.
        ceiling: number of the newest resource when the run began: who comes later is not in it.
        start: the last block that is done.
    """
    number, after = (start.number + 1, start.end) if start else (0, 0)
    items: list[Item] = []
    while after < ceiling:
        with store.snapshot() as reader:
            found = reader.after("Patient", after)
        for one in (one for one in found if one.number <= ceiling):
            items.append(Item(one.number, one.stored.id.encode()))
            if len(items) == most_items:
                yield Block(number, one.number, tuple(items))
                number, items = number + 1, []
        after = found[-1].number if found else ceiling
    if items:
        yield Block(number, ceiling, tuple(items))
