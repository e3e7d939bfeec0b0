"""The code on the page on training runs, without any library of the extra."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.docs.pages import run_code


def test_the_code_of_the_page_runs() -> None:
    run_code(ROOT / "docs" / "how-to" / "train-a-sealed-network.md")
