"""What the README shows is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.conftest import ROOT


def _shape(text: str) -> list[str]:
    """The text without what differs between two runs: ids, numbers, dates, bars and column widths."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}…|ra-[0-9a-f]{40}", "ID", text)
    text = re.sub(r"\d+(\.\d+)?", "N", text)
    lines = [re.sub(r"[\s▇─]+", " ", line).strip() for line in text.splitlines()]
    return sorted(line for line in lines if line)


def test_readme_shows_the_real_output_of_the_demonstration() -> None:
    shown = re.search(r"<!-- demo -->\n```text\n(.*?)```\n<!-- /demo -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown
    command = [sys.executable, "-m", "fhirtwin", "demo"]
    real = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert _shape(shown[1]) == _shape(real.stdout)
