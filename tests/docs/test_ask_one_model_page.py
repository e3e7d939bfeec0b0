"""The commands of the page on asking one model are run as they stand, with a real engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhirtwin.packages.forms.polygenic import MOST_CASES, PolygenicSourceForm
from fhirtwin.packages.forms.trajectory import TrajectorySourceForm
from fhirtwin.packages.kinds.table import KINDS
from fhirtwin.polygenic.variants import MOST_VARIANTS
from tests.conftest import ROOT
from tests.docs.pages import ENGINE_IS_UP, run_commands

PAGE = (ROOT / "docs" / "how-to" / "ask-one-model.md").read_text()


def test_the_commands_of_the_page_lead_from_a_scoring_file_to_a_score(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    told = run_commands("".join(blocks), tmp_path, ENGINE_IS_UP)
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
