"""The page of renal dosing has one line for every range of every row, with its label, and no other."""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.rules.renal_apixaban import FEATURES
from fhirtwin.rules.renal_apixaban import ROW as APIXABAN
from fhirtwin.rules.renal_row import RenalRow
from fhirtwin.rules.renal_table import ROWS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "rules" / "renal.md").read_text()


def _ranges() -> Iterator[str]:
    for row in ROWS:
        for band in row.bands:
            measure = f"{row.metric.value} {band.range} {row.metric.shown_unit}"
            yield f"| {row.name} | {measure} | {band.action.value} | {band.advice} |"


def _labels() -> Iterator[str]:
    for row in (*ROWS, APIXABAN):
        yield _label(row)


def _label(row: RenalRow) -> str:
    label = row.label
    copy = f"; words read at {label.copy}" if label.copy else ""
    codes = ", ".join(sorted(row.ingredients))
    where = f"[{label.product}]({label.url}), {label.section}{', ' if label.edition else ''}{label.edition}{copy}"
    return f"| {row.name} | {codes} | {where} | {label.read_on.isoformat()} | {row.note} |"


def test_the_page_is_that_of_the_table() -> None:
    ranges, labels = list(_ranges()), list(_labels())
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| medicine |")]
    assert lines == [*ranges, *labels], "\n".join(["", *ranges, "", *labels])


def test_the_page_names_the_features_of_apixaban() -> None:
    assert all(words in " ".join(PAGE.split()) for words, _ in FEATURES.values())
