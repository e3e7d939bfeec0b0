"""The page on sealed lookups shows code that runs and figures that are so."""

from __future__ import annotations

from fhirtwin.ckks import profiles
from fhirtwin.pgx import warfarin
from fhirtwin.pgx.circuits import tables
from fhirtwin.pgx.circuits.book import CODE_STEP
from tests.conftest import ROOT
from tests.docs.pages import run_code

FILE = ROOT / "docs/pgx/sealed.md"
PAGE = FILE.read_text()


def test_its_code_runs() -> None:
    run_code(FILE)


def test_its_figures_are_those_of_the_circuits() -> None:
    rules, advice = tables.phenotypes(), tables.advice()
    two = sum(" x " in book.name for book in advice.books)
    assert (
        f"| {len(rules.books)}, one a gene | {len(advice.books)}: {len(advice.books) - two} of one gene, {two} of two"
        in PAGE
    )
    entries = [sum(len(book.entries) for book in shelf.books) for shelf in (rules, advice)]
    rows = sum(len(of) for book in advice.books for of in book.entries.values())
    assert f"| {entries[0]} rules | {entries[1]} keys, {rows:,} rows |" in PAGE
    most = [advice.most(name) for name in ("NUDT15 x TPMT", "CYP2D6", "CYP2C19 x CYP2D6")]
    assert f"| {rules.most('TPMT')} pairs of functions a gene" in PAGE
    assert f"| {most[0]} keys a book; CYP2D6 {most[1]}, CYP2C19 with CYP2D6 {most[2]} |" in PAGE
    assert f"| {rules.rounds} | {advice.rounds} |" in PAGE
    assert float(CODE_STEP) == 1 / 32
    off = profiles.SPARSE.error + float(profiles.SPARSE.step) / 2
    assert f"off by at most {off:.4f}" in PAGE
    largest = warfarin.Person(18, 250, 300, "-1639 GG", "*1/*1", "White", inducer=True)
    assert f"({warfarin.estimate(largest).weekly:.0f} mg)" in PAGE
