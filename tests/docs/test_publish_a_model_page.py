"""The commands of the page on models are run as they stand, with a real engine and a real gateway."""

from __future__ import annotations

import re
from pathlib import Path

from fhirtwin.packages.kinds.table import KINDS
from fhirtwin.packages.package import LONGEST
from tests.conftest import ROOT
from tests.docs.pages import ENGINE_IS_UP, run_commands

PAGE = (ROOT / "docs" / "how-to" / "publish-a-model.md").read_text()
WAITS = ENGINE_IS_UP | {
    "fhirtwin serve": "for i in $(seq 300); do fhirtwin load none.json --data hospital && break; sleep 0.2; done\n"
}


def test_the_commands_of_the_page_lead_from_weights_to_a_risk_assessment(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 9
    commands = "".join(blocks).replace("fhirtwin serve --open", "fhirtwin serve --open --port 0")
    commands = re.sub(r"(fhirtwin load.*)", r"PATIENT=$(\1 | tail -1)", commands).replace("Patient/ID", "$PATIENT")
    (tmp_path / "none.json").write_text('{"resourceType": "Basic", "code": {"text": "is it up?"}}')
    told = run_commands(commands, tmp_path, WAITS)
    assert "for gateways. It has 3 golden cases and no weights" in told
    assert re.search(r"answers 3 sealed golden cases right; a sum is off by 0\.000\d\d at most", told), told
    assert re.search(r'"code":\s*"kfre-packaged"', told) and re.search(
        r"SHA-256 [0-9a-f]{64}, signed by kidney-group", told
    )
    assert "kfre-packaged is at 1.0 again" in told and "current  whole" in told


ASKED_ALONE = {"polygenic", "trajectory"}
"""Their files are on a page of their own."""


def test_the_sizes_of_the_page_are_those_of_the_code() -> None:
    kinds = [kind for kind in KINDS.values() if kind.name not in ASKED_ALONE]
    files = {**LONGEST, **{name: most for kind in kinds for name, most in kind.longest.items()}}
    for kind in kinds:
        assert all(files[name] == most for name, most in kind.longest.items()), kind.name
    for name, most in files.items():
        assert re.search(rf"^\| `{re.escape(name)}` \|.*\| {most:,} \|$", PAGE, re.MULTILINE), name
    assert len(files) == len(re.findall(r"^\| `[a-z]+\.[a-z]+` \|", PAGE, re.MULTILINE))
