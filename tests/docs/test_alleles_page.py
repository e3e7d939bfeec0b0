"""The page on named alleles shows code that runs."""

from __future__ import annotations

import re

from fhirtwin.pgx.defined import genes
from tests.conftest import ROOT

PAGE = (ROOT / "docs/pgx/alleles.md").read_text()


def test_its_code_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "alleles.md", "exec"), {})  # noqa: S102 - our own page


def test_its_figures_are_those_of_the_definitions() -> None:
    positions = sum(len(gene.positions) for gene in genes().values())
    assert f"{positions:,} positions" in PAGE and f"{len(genes())} genes" in PAGE
