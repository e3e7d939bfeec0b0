"""The code on the pages of circuits runs, and every circuit has its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import run_code

PAGES = sorted((ROOT / "docs" / "circuits").glob("*.md"))
NOT_A_KIND = {"__init__", "circuit", "splits", "hidden_polygenic"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_the_page_runs(page: Path) -> None:
    run_code(page)


def test_every_circuit_has_its_page() -> None:
    kinds = {file.stem for file in (ROOT / "fhirtwin" / "ckks" / "circuits").glob("*.py")} - NOT_A_KIND
    assert kinds == {page.stem for page in PAGES}
