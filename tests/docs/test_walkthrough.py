"""Every page of the walkthrough runs by the command that its first page names, and prints what it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "walkthrough"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
START = (FOLDER / "README.md").read_text()


def test_there_are_seven_pages_and_each_leads_to_the_next() -> None:
    assert [page.name[0] for page in PAGES] == list("1234567")
    assert re.findall(r"\]\((\d.*\.md)\)", START) == [page.name for page in PAGES]
    for page, following in pairwise(PAGES):
        assert f"]({following.name})" in page.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_prints_what_it_shows(page: Path) -> None:
    (command,) = re.findall(r"^\$ (.*)$", START, re.M)
    command = command.replace(PAGES[0].name, page.name).replace(".venv/bin/python", sys.executable)
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (shown,) = re.findall(r"```text\n(.*?)```", page.read_text(), re.S)
    assert done.stdout == shown
