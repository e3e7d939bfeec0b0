"""Tests are skipped for the reasons that CONTRIBUTING gives, and for no other."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
ROWS = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `tests/")]
SKIPPING = re.compile(r"pytest\.(skip|importorskip|mark\.skip|mark\.xfail|xfail)\b")


def test_nothing_is_skipped_elsewhere() -> None:
    places = {place for _, where, *_ in ROWS for place in re.findall(r"`([^`]+)`", where)}
    tests = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    skipping = {
        name for name, text in tests.items() if name != "tests/docs/test_contributing.py" and SKIPPING.search(text)
    }
    assert skipping
    assert {name for name in skipping if not name.startswith(tuple(places))} == set()
    assert {place for place in places if not any(name.startswith(place) for name in skipping)} == set()


def test_each_reason_is_given() -> None:
    assert len(ROWS) >= 6
    assert all(why.strip() for _, _, _, why, _ in ROWS)
