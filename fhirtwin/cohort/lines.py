"""A file of lines in blocks, each no larger than one batch, and no larger than memory should hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from fhirtwin.cohort.job import Block, Item
from fhirtwin.errors import Incorrect

MOST_BYTES: Final = 32 * 2**20
"""Of one block: whole records take tens of kilobytes each, prepared vectors two."""

_GZIP: Final = b"\x1f\x8b"


def blocks(file: Path, most_items: int, most_line: int, start: Block | None = None) -> Iterator[Block]:
    """Read a file block by block. Where blocks end follows from the file alone, so a resumed run has the same ones.

    Args:
        file: lines of JSON; empty ones are passed over.
        most_items: in one block.
        most_line: bytes of a line; a longer one is an item that says so.
        start: the last block that is done; of its items only the number of the last matters.

    Raises:
        Incorrect: it is compressed.
    """
    with file.open("rb") as opened:
        if opened.read(2) == _GZIP:
            raise Incorrect(
                f"{file} is compressed; `gunzip {file.name}` first: a run that is resumed must find its place."
            )
        opened.seek(start.end if start else 0)
        number, line = (start.number + 1, start.items[-1].number if start.items else 0) if start else (0, 0)
        items: list[Item] = []
        size = 0
        while data := opened.readline(most_line + 1):
            line += 1
            item = _item(opened, line, data, most_line)
            if item is not None:
                items.append(item)
                size += len(item.data)
            if len(items) == most_items or size >= MOST_BYTES:
                yield Block(number, opened.tell(), tuple(items))
                number, items, size = number + 1, [], 0
        if items:
            yield Block(number, opened.tell(), tuple(items))


def _item(opened: BinaryIO, line: int, data: bytes, most_line: int) -> Item | None:
    if len(data) > most_line:
        while data and not data.endswith(b"\n"):
            data = opened.readline(most_line)
        return Item(line, b"", f"the line is longer than {most_line} bytes (FHIRTWIN_MAX_BODY_BYTES)")
    data = data.strip()
    return Item(line, data) if data else None
