"""What the page on cohorts shows works as it says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from fhirtwin.cli import main
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "score-a-cohort.md").read_text()


def test_the_example_gives_the_row_of_the_page(tmp_path: Path) -> None:
    line, row = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    (tmp_path / "people.ndjson").write_text(json.dumps(line) + "\n")
    command = shlex.split(re.findall(r"```bash\n(.*?)\n", PAGE)[0])
    assert command.pop(0) == "fhirtwin"
    whole = [sys.executable, "-m", "fhirtwin", *command]
    done = subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "risks.ndjson").read_text())
    assert found.keys() == row.keys()
    assert {**found, "input": 0, "model": 0, "results": 0} == {**row, "input": 0, "model": 0, "results": 0}
    for result, shown in zip(found["results"], row["results"], strict=True):
        assert abs(result.pop("percent") - shown.pop("percent")) < 0.11
        assert result == shown


def test_every_option_of_the_page_is_one() -> None:
    told = CliRunner().invoke(main, ["cohort", "--help"]).output + CliRunner().invoke(main, ["engine", "--help"]).output
    for option in set(re.findall(r"(--[a-z][a-z-]+)", PAGE)):
        assert option in told, option
