"""What the README shows is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.conftest import ROOT


def _shape(text: str) -> list[str]:
    """The text without what differs between two runs: ids, ports, dates, times and sizes, bars and column widths."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}…|ra-[0-9a-f]{40}", "ID", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "HERE", text)
    text = re.sub(r"\d{4}-\d\d-\d\d", "DAY", text)
    text = re.sub(r"\d+(\.\d+)? (ms|s|KB)\b", "N", text)
    head, _, times = text.partition("5. Where the time")
    text = head + re.sub(r"\d+\.\d+", "N", times)
    lines = [re.sub(r"[\s▇─]+", " ", line).strip() for line in text.splitlines()]
    # Sources are told by id, and ids differ between two runs: so does their order.
    return [line for line in lines if line and not line.startswith(("from ", "│ Observation/ID", "Observation/ID"))]


def test_readme_shows_the_real_output_of_the_demonstration() -> None:
    shown = re.search(r"<!-- demo -->\n```text\n(.*?)```\n<!-- /demo -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown
    command = [sys.executable, "-m", "fhirtwin", "demo"]
    real = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert _shape(shown[1]) == _shape(real.stdout)
