"""The code on the page on training runs, without any library of the extra."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import run_code


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    run_code(ROOT / "docs" / "how-to" / "train-a-sealed-network.md")
    assert (tmp_path / "student.json").stat().st_size > 10_000
