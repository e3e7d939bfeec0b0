"""The figures of the page on probes are those of its formula and of the code."""

from __future__ import annotations

import re

from fhirtwin.ckks import packing, profiles
from fhirtwin.pgx.circuits import tables
from fhirtwin.settings import Settings
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "probes.md").read_text()
TOLERANCE = profiles.MASKED.tolerance


def test_the_table_is_what_the_formula_gives() -> None:
    rows = re.findall(
        r"^\| ([\d.]+) % \| ([\d.]+).*?\| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$", PAGE, re.M
    )
    assert len(rows) == 6
    for share, by, believed, *caught in rows:
        luck = 2 * TOLERANCE / (2 * (packing.GREATEST_FACTOR - packing.LEAST_FACTOR)) / float(by)
        assert float(believed) == round(100 * luck, 3)
        for calls, told in zip((100, 1_000, 10_000), caught, strict=True):
            right = 100 * (1 - (1 - float(share) / 100 * (1 - luck)) ** calls)
            digits = len(told.partition(".")[2])
            assert float(told) == round(right, digits), (share, by, calls)


def test_the_table_of_golden_cases_is_what_its_formula_gives() -> None:
    rows = re.findall(
        r"^\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$", PAGE, re.M
    )
    assert len(rows) == 6 and float(rows[0][0]) == Settings().golden_share
    for share, more, lies, *caught in rows:
        golden = float(share)
        assert float(more) == round(golden / (1 - golden), 2)
        for calls, told in zip((100, 1_000, 1_000 / (1 - golden)), caught, strict=True):
            right = 100 * (1 - (1 - float(lies) / 100 * golden) ** calls)
            assert float(told) == round(right, len(told.partition(".")[2])), (share, lies, calls)
    assert f"`FHIRTWIN_GOLDEN_SHARE` is {Settings().golden_share}" in PAGE
    network = profiles.NETWORK
    beyond = float(network.step) / 2 + network.error + network.tolerance
    score = profiles.POLYGENIC
    assert f"a score by more than {float(score.step) / 2 + score.error + score.tolerance:.4f} (half" in PAGE
    assert f"more than {beyond:.4f}, " in PAGE and f"tolerance, {network.tolerance:g})" in PAGE


def test_the_figures_of_golden_keys_are_those_of_the_tables() -> None:
    phenotypes, advice = tables.phenotypes(), tables.advice()
    largest = max(advice.books, key=lambda one: len(one.entries))
    assert largest.name == "CYP2C19 x CYP2D6"
    sizes = {len(book.entries) for book in phenotypes.books}
    assert {3, 10, 36} <= sizes and max(sizes) == 36
    expected = [(keys, phenotypes.copies - 1) for keys in (3, 10, 36)]
    expected.append((len(largest.entries), advice.most(largest.name) - 1))
    rows = re.findall(r"^\| .*?(\d+) (?:rules|keys), (\d+) golden \| (\d+) % \| ([\d.]+) % \|$", PAGE, re.M)
    assert [(int(keys), int(golden)) for keys, golden, *_ in rows] == expected
    for keys, golden, once, within in rows:
        chance = 1 - (1 - 1 / int(keys)) ** int(golden)
        assert int(once) == round(100 * chance)
        assert float(within) == round(100 * (1 - (1 - 0.01 * chance) ** 1_000), 2)
    assert f"= {100 * (1 - (1 - 0.01 * 7 / 8) ** 1_000):.2f} %" in PAGE and phenotypes.copies == 8


def test_what_it_says_of_factors_tolerance_and_room_is_so() -> None:
    assert (packing.LEAST_FACTOR, packing.GREATEST_FACTOR, packing.LARGEST_CASE) == (1 / 4, 1 / 2, 1 / 2)
    assert profiles.ROTATING.tolerance == TOLERANCE and f"{TOLERANCE:.5f}     for every row" in PAGE
    assert profiles.MASKED.slots // 2 == 1024 and "1,024 slots" in PAGE
