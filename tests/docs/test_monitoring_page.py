"""The page of monitoring has one line for every result of every row, and no other."""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.rules.monitoring_table import ROWS
from tests.conftest import ROOT


def lines() -> Iterator[str]:
    for row in ROWS:
        for due in row.dues:
            facts = ", ".join(due.check.facts)
            source = f"[{row.source.label}]({row.source.url})"
            yield f"| {row.name} | {due.check.title} ({facts}) | {due.words} | {due.every.days} | {source} |"


def test_the_page_is_that_of_the_table() -> None:
    page = (ROOT / "docs" / "rules" / "monitoring.md").read_text()
    shown = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| medicine |")]
    assert shown == list(lines()), "\n".join(["", *lines()])
