"""Reads the rows of one site, and refuses what the study has not declared: nothing is clipped or rounded."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.studies.column import Column
from fhirtwin.studies.plan import Plan

BLOCK: Final = 256
"""Rows at a time: so few that no sum of their products leaves 64 bits, each being below 10 to the power 16."""

_LONGEST_LINE: Final = 1 << 20
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?")
_MOST_REMEMBERED: Final = 100_000

Counts = NDArray[np.int64]


@dataclass(slots=True)
class Tally:
    """How many rows there were.

    Attributes:
        used: complete ones.
        left_out: those in which a value was missing.
    """

    used: int = 0
    left_out: int = 0


def blocks(path: Path, plan: Plan, tally: Tally) -> Iterator[Counts]:
    """Read the complete rows of a file, some at a time: counts of half steps, one line a row.

    Args:
        path: `.csv` with a header, or `.ndjson` or `.jsonl` with an object a line.
        plan: of the study.
        tally: is counted up.

    Raises:
        Incorrect: the file is none of these, a column is not there, or a value is not such as was declared. The text
            names row and column, and never the value.
    """
    readers = [_Reader(column) for column in plan.variables]
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = _complete(_records(path, file, plan), readers, plan, tally)
        while block := list(islice(rows, BLOCK)):
            yield np.array(block, dtype=np.int64).reshape(len(block), len(readers))
    if not plan.least_rows <= tally.used <= plan.most_rows:
        raise Incorrect(
            f"{path} has {tally.used} complete rows, and the study takes {plan.least_rows} to {plan.most_rows} of each "
            "site."
        )


class _Reader:
    """Reads the values of one column. Values repeat, so what was read once is remembered."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._known: dict[str, int] = {}

    def count(self, text: str) -> int:
        known = self._known.get(text)
        if known is None:
            if not _NUMBER.fullmatch(text):
                raise Incorrect(f"a value of {self.column.name} is no number (one that is missing is left empty)")
            known = self.column.count(Decimal(text))
            if len(self._known) < _MOST_REMEMBERED:
                self._known[text] = known
        return known


def _complete(
    records: Iterator[tuple[int, dict[str, str]]], readers: list[_Reader], plan: Plan, tally: Tally
) -> Iterator[list[int]]:
    for number, record in records:
        texts = [record.get(reader.column.name, "") for reader in readers]
        try:
            if all(texts):
                tally.used += 1
                yield [reader.count(text) for reader, text in zip(readers, texts, strict=True)]
            elif plan.missing == "refuse":
                name = readers[texts.index("")].column.name
                raise Incorrect(f"a value of {name} is missing; the study would have to say `missing: leave out`")
            else:
                tally.left_out += 1
        except Incorrect as error:
            raise Incorrect(f"Row {number}: {error}.") from None
        if tally.used > plan.most_rows:
            raise Incorrect(f"There are more than {plan.most_rows} rows, and the study takes no more of a site.")


def _records(path: Path, file: TextIO, plan: Plan) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by their number, the first being 1, and their values as texts; missing ones are empty or not there."""
    try:
        if path.suffix.lower() == ".csv":
            yield from _csv(file, plan)
        elif path.suffix.lower() in {".ndjson", ".jsonl"}:
            yield from _ndjson(file)
        else:
            raise Incorrect(f"{path} must end in .csv, .ndjson or .jsonl.")
    except UnicodeDecodeError:
        raise Incorrect(f"{path} is not UTF-8.") from None


def _csv(file: TextIO, plan: Plan) -> Iterator[tuple[int, dict[str, str]]]:
    lines = csv.reader(file, strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        for column in plan.variables:
            if header.count(column.name) != 1:
                raise Incorrect(f"The header must name the column {column.name}, once.")
        for number, line in enumerate(lines, 1):
            if line and len(line) != len(header):
                raise Incorrect(f"Row {number} has not as many values as the header has names.")
            if line:
                yield number, dict(zip(header, map(str.strip, line), strict=True))
    except csv.Error:
        raise Incorrect("The file is not well-formed CSV.") from None


def _ndjson(file: TextIO) -> Iterator[tuple[int, dict[str, str]]]:
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            # Numbers stay the texts they are, so that 0.1 is a tenth.
            record = json.loads(line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_members)
        except (ValueError, RecursionError):
            raise Incorrect(f"Row {number} is no JSON object in one line, or has a member twice.") from None
        if not isinstance(record, dict):
            raise Incorrect(f"Row {number} is no JSON object.")
        yield number, {name: _text(value) for name, value in record.items()}


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else "not a number"
