"""Writes `docs/conformance/cds-hooks.md`: which test shows which numbered requirement of CDS Hooks 2.0.

    python build_support/conformance.py            # writes the page
    python build_support/conformance.py --check    # says by the exit code whether the page is current and whole

Rows come from `cds_hooks_requirements.csv`, in our own words. A row is shown by tests that bear the mark
`conforms("cds-hooks_2.0@ROW")`, or by a test that the table names; or it tells why it does not apply.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROWS = Path(__file__).with_name("cds_hooks_requirements.csv")
PAGE = ROOT / "docs" / "conformance" / "cds-hooks.md"
SPECIFICATION = "cds-hooks_2.0"
HEAD = """# CDS Hooks 2.0: what a service must do, and which test shows it

Every requirement of level SHALL and SHALL NOT on a service, by its number in the Inferno project's list of requirements
(`cds-hooks_2.0`), in our own words. Made by `python build_support/conformance.py` from the marks of the tests; a test
fails when this page is not current, or a row has neither test nor reason.

"""


@dataclass(frozen=True)
class Row:
    """One requirement: number, level, our words, tests that the table names, and why it does not apply."""

    number: str
    level: str
    words: str
    named: str
    reason: str


class _Marks:
    """A plugin that notes which tests bear which marks."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers("conforms"):
                for row in mark.args:
                    self.found.setdefault(row, set()).add(item.nodeid.partition("[")[0])


def rows() -> list[Row]:
    """The requirements, in the order of their numbers."""
    with ROWS.open(newline="") as file:
        return [Row(*line.values()) for line in csv.DictReader(file)]


def marked() -> dict[str, set[str]]:
    """By requirement, the tests that bear its mark; only files with marks are collected."""
    files = [str(path) for path in sorted((ROOT / "tests").rglob("test_*.py")) if "conforms(" in path.read_text()]
    marks = _Marks()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *files], plugins=[marks])
    if status != pytest.ExitCode.OK:
        raise SystemExit(said.getvalue())
    return marks.found


def exists(test: str) -> bool:
    """Whether there is a test of this name, `path::name`."""
    path, _, name = test.partition("::")
    file = ROOT / path
    return file.exists() and any(
        isinstance(node, ast.FunctionDef) and node.name == name for node in ast.parse(file.read_text()).body
    )


def page(found: dict[str, set[str]]) -> tuple[str, list[str]]:
    """The page, and what is wrong with it."""
    lines, wrong = [], []
    known = {f"{SPECIFICATION}@{row.number}" for row in rows()}
    wrong += [f"{mark} is marked in a test and is no row of {ROWS.name}" for mark in sorted(found.keys() - known)]
    for row in rows():
        tests = sorted(found.get(f"{SPECIFICATION}@{row.number}", set()) | set(row.named.split()))
        wrong += [
            f"row {row.number} names {test}, which is not there" for test in row.named.split() if not exists(test)
        ]
        if bool(tests) == bool(row.reason):
            wrong.append(f"row {row.number} must have either a test or a reason")
        shown = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests)
        lines.append(f"| {row.number} | {row.level} | {row.words} | {shown or 'not applicable: ' + row.reason} |")
    shown_rows = sum(not row.reason for row in rows())
    count = f"{len(lines)} requirements: {shown_rows} shown by tests, {len(lines) - shown_rows} not applicable.\n\n"
    table = "| row | level | requirement | shown by |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"
    return HEAD + count + table, wrong


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    given = parser.parse_args()
    text, wrong = page(marked())
    if given.check and (not PAGE.exists() or PAGE.read_text() != text):
        wrong.append(f"{PAGE.relative_to(ROOT)} is not current; run python build_support/conformance.py")
    if not given.check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
    print("\n".join(wrong) or "every row has a test or a reason")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
