"""The commands of the page on asking one model are run as they stand, with a real engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fhirtwin.packages.forms.polygenic import MOST_CASES, PolygenicSourceForm
from fhirtwin.packages.forms.trajectory import TrajectorySourceForm
from fhirtwin.packages.kinds.table import KINDS
from fhirtwin.polygenic.variants import MOST_VARIANTS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "ask-one-model.md").read_text()
WAIT = "for i in $(seq 300); do [ -S engine.sock ] && break; sleep 0.1; done\n"


def test_the_commands_of_the_page_lead_from_a_scoring_file_to_a_score(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    script = ["set -e", "trap 'kill $(jobs -p); wait' EXIT"]
    for line in re.split(r"(?<!\\)\n", "".join(blocks)):
        script.append(line)
        script += [WAIT] if line.startswith("fhirtwin engine") else []
    shim = tmp_path / "bin" / "fhirtwin"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m fhirtwin "$@"\n')
    shim.chmod(0o755)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    environment = {name: text for name, text in os.environ.items() if not name.startswith("FHIRTWIN_")}
    environment |= {"PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    told = run.stdout + run.stderr
    assert run.returncode == 0, told
    assert "answers 3 sealed golden cases right" in told
    assert re.search(r"Sum: -1\.58\d made-up units\n  rounded: to 0\.001\n2 of the 120 variants are missing", told), (
        told
    )
    assert re.search(r"Level: (95\.00\d|94\.99\d), 90\.\d+, .* mg/L\n  rounded: to 0\.008", told), told


@pytest.mark.parametrize("kind", ["polygenic", "trajectory"])
def test_the_sizes_of_the_page_are_those_of_the_code(kind: str) -> None:
    for name, most in KINDS[kind].longest.items():
        assert re.search(rf"^\| {kind} \| `{re.escape(name)}` \|.*\| {most:,} \|$", PAGE, re.MULTILINE), name
    assert len(KINDS[kind].longest) == len(re.findall(rf"^\| {kind} \|", PAGE, re.MULTILINE))
    assert f"{MOST_VARIANTS:,} lines" in PAGE and MOST_CASES == 8


@pytest.mark.parametrize("form", [PolygenicSourceForm, TrajectorySourceForm])
def test_every_member_of_a_description_is_on_the_page(form: type) -> None:
    for name in form.__struct_fields__:  # type: ignore[attr-defined]
        assert f"`{name}`" in PAGE, name
