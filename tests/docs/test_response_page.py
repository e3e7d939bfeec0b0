"""The page on response shows code that runs, and every row of its tables."""

from __future__ import annotations

import pytest

from fhirtwin.pgx import functions
from tests.conftest import ROOT
from tests.docs.pages import run_code

FILE = ROOT / "docs/pgx/response.md"
PAGE = FILE.read_text()
LINES = PAGE.splitlines()


def _told(*cells: str) -> bool:
    """Tell whether one line of a table has all of these cells, or parts of them."""
    return any(line.startswith("|") and all(cell in line for cell in cells) for line in LINES)


def test_its_code_runs() -> None:
    run_code(FILE)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("response_effects.tsv", ("drugs", "outcome", "estimate", "low", "high", "spread_low", "spread_high", "doi")),
        ("response_baselines.tsv", ("setting", "outcome", "rate", "low", "high", "population", "doi", "note")),
        ("response_steps.tsv", ("step", "remission_percent", "n")),
        ("response_exposure.tsv", ("drug", "gene", "phenotypes", "ratio", "low", "high", "n", "doi")),
        ("response_side_effects.tsv", ("drug", "percent", "form")),
        ("response_cautions.tsv", ("drug", "condition", "strength", "source", "url")),
    ],
)
def test_it_shows_every_row(table: str, columns: tuple[str, ...]) -> None:
    for row in functions.rows(table):
        assert _told(*(row[name].replace(" | ", ", ") for name in columns)), row


def test_it_says_what_it_is_not() -> None:
    for words in (
        "never validated on patients",
        "claims no accuracy",
        "primary end point,\nsymptom improvement, was negative",
    ):
        assert words in PAGE
