"""Files as rows and JSON, within limits: of size, depth and number; twice the same name in an object is an error."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fhirtwin.pgx.knowledge.plain import Wrong

LARGEST_FILE: Final = 64 * 1024 * 1024
LONGEST_LINE: Final = 4 * 1024 * 1024
DEEPEST: Final = 20
MOST_ROWS: Final = 200_000


def text(path: Path) -> str:
    """Read a file whole."""
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise Wrong(f"is larger than {LARGEST_FILE // 1024 // 1024} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong(f"is not UTF-8 at byte {error.start}") from None


def parse(content: str) -> Any:
    """Read JSON."""
    try:
        value = json.loads(content, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise Wrong(f"is nested deeper than {DEEPEST}") from None
    except json.JSONDecodeError as error:
        raise Wrong(f"is not JSON at line {error.lineno}, column {error.colno}") from None
    except Wrong:
        raise
    except ValueError:
        raise Wrong("has a number that is too long") from None
    if _depth(value) > DEEPEST:
        raise Wrong(f"is nested deeper than {DEEPEST}")
    return value


def lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Read JSON a line, with the number of each."""
    for number, line in enumerate(text(path).split("\n"), 1):
        if not line.strip():
            continue
        if number > MOST_ROWS:
            raise Wrong(f"has more than {MOST_ROWS:,} lines")
        if len(line) > LONGEST_LINE:
            raise Wrong(f"has a line longer than {LONGEST_LINE:,} characters: line {number}")
        try:
            yield number, parse(line)
        except Wrong as error:
            raise Wrong(f"line {number} {error}") from None


def table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Read tab-separated rows that have at least these columns, with the line of each."""
    rows = csv.reader(text(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(rows, [])
    missing = [column for column in columns if column not in header]
    if missing:
        raise Wrong(f"has no column {', '.join(missing)}")
    for number, row in enumerate(rows, 2):
        if number > MOST_ROWS:
            raise Wrong(f"has more than {MOST_ROWS:,} lines")
        if len(row) != len(header):
            raise Wrong(f"line {number} has {len(row)} fields instead of {len(header)}")
        yield number, dict(zip(header, row, strict=True))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Wrong("has a name twice in one object")
    return made


def _constant(_name: str) -> Any:
    raise Wrong("has a number that is none (NaN or Infinity)")


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        if deepest > DEEPEST:
            break
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return deepest
