"""The commands on the page run, by the plan on the page, and come to what all rows together give."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from fhirtwin.aggregate.noisy_logistic import LONGEST, SETTLED
from fhirtwin.ckks.profiles import SUMS
from fhirtwin.studies import plan as plans
from fhirtwin.studies.plan import LEAST_CONTRIBUTORS, NOISY_ROUNDS
from tests.aggregate import pooled
from tests.conftest import ROOT
from tests.docs.pages import environment

PAGE = (ROOT / "docs" / "how-to" / "add-up-several-sites.md").read_text()


def test_the_commands_on_the_page_run(tmp_path: Path) -> None:
    plan = re.findall(r"```json\n(.*?)```", PAGE, re.S)[0]
    (tmp_path / "plan.json").write_text(plan)
    (tmp_path / "passphrase").write_text("correct horse battery staple\n")
    (tmp_path / "passphrase").chmod(0o600)
    written = dict(zip(("north", "south", "east", "west"), pooled.write(tmp_path, pooled.rows()), strict=True))
    for name in re.findall(r"(\w+\.(?:csv|ndjson)) ", PAGE):
        path = written[name.split(".")[0]]
        if path.name != name:  # the page has other kinds of files for some sites
            pooled.write_as(tmp_path / name, path)
    env = environment(tmp_path)
    said = ""
    for command in re.findall(r"^\$ (.*)$", PAGE, re.M):
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        said = done.stdout
    rows = np.concatenate(pooled.rows())
    model = Ridge(1.0).fit(rows[:, :2], rows[:, 2])
    assert list(json.loads(said)["coefficients"].values()) == pytest.approx(model.coef_.tolist(), rel=1e-11)


def test_the_page_has_the_limits_of_the_code() -> None:
    plan = plans.read(re.findall(r"```json\n(.*?)```", PAGE, re.S)[0].encode())
    assert (
        f"`least_rows` ({plan.least_rows})" in PAGE and f"(`--at-least` contributors ({LEAST_CONTRIBUTORS})" not in PAGE
    )
    assert f"below {SUMS.error:g} (once" in PAGE and f"than\n{SUMS.tolerance:g} from a whole number" in PAGE
    assert f"from {NOISY_ROUNDS[0]} to {NOISY_ROUNDS[-1]}; a plan that leaves it at {plan.most_rounds}" in PAGE
    assert f"None is longer than {LONGEST:g}" in PAGE and f"a last step longer than {SETTLED:g}." in PAGE
    noisy = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.S)[1])
    assert noisy["kind"] == "logistic" and noisy["most_rounds"] in NOISY_ROUNDS
    for kind in ("count", "mean", "histogram", "ridge", "logistic"):
        assert f"`{kind}`" in PAGE
