"""The page on named alleles shows code that runs."""

from __future__ import annotations

from fhirtwin.pgx.defined import genes
from tests.conftest import ROOT
from tests.docs.pages import run_code

FILE = ROOT / "docs/pgx/alleles.md"
PAGE = FILE.read_text()


def test_its_code_runs() -> None:
    run_code(FILE)


def test_its_figures_are_those_of_the_definitions() -> None:
    positions = sum(len(gene.positions) for gene in genes().values())
    assert f"{positions:,} positions" in PAGE and f"{len(genes())} genes" in PAGE
