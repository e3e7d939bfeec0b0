"""Files in blocks: the same ones wherever a run begins, and none too large."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fhirtwin.cohort import lines
from fhirtwin.errors import Incorrect


def test_blocks_hold_every_line_once_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "in"
    file.write_bytes(b'{"a":1}\n\n  \r\n{"b":2}\n{"c":3}\r\n{"d":4}')
    found = list(lines.blocks(file, 2, 100))
    assert [[(i.number, i.data) for i in block.items] for block in found] == [
        [(1, b'{"a":1}'), (4, b'{"b":2}')],
        [(5, b'{"c":3}'), (6, b'{"d":4}')],
    ]
    assert [block.number for block in found] == [0, 1]
    assert found[-1].end == file.stat().st_size


def test_a_run_that_is_resumed_has_the_same_blocks(tmp_path: Path) -> None:
    file = tmp_path / "in"
    file.write_bytes(b"".join(b"%d\n" % n * (1 + n % 3 == 0) + b"%d\n" % n for n in range(40)))
    whole = list(lines.blocks(file, 7, 100))
    for place, block in enumerate(whole):
        assert list(lines.blocks(file, 7, 100, block)) == whole[place + 1 :]


def test_a_line_that_is_too_long_is_named_and_not_held(tmp_path: Path) -> None:
    file = tmp_path / "in"
    file.write_bytes(b"x" * 1000 + b"\n" + b'{"b":2}\n' + b"y" * 11)
    (block,) = lines.blocks(file, 10, 10)
    assert [(i.number, i.data, bool(i.wrong)) for i in block.items] == [
        (1, b"", True),
        (2, b'{"b":2}', False),
        (3, b"", True),
    ]
    assert "x" not in block.items[0].wrong.replace("exceed", "")


def test_a_block_ends_where_memory_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_BYTES", 20)
    file = tmp_path / "in"
    file.write_bytes(b"123456789012\n" * 5)
    assert [len(block.items) for block in lines.blocks(file, 100, 100)] == [2, 2, 1]


def test_a_compressed_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "in.gz"
    file.write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(Incorrect, match="gunzip"):
        next(lines.blocks(file, 10, 10))
