"""The tables of published effects: every row has its source and interval, and nothing recalled is in them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from fhirtwin.pgx import functions
from fhirtwin.pgx.response import evidence

DOI = re.compile(r"10\.\d{4,9}/\S+")
WITH_INTERVAL = ("response_baselines.tsv", "response_exposure.tsv")
WITH_DOI = ("response_effects.tsv", "response_steps.tsv", "response_side_effects.tsv", *WITH_INTERVAL)


@pytest.mark.parametrize("name", WITH_DOI)
def test_every_row_has_its_doi_and_what_was_read(name: str) -> None:
    rows = functions.rows(name)
    assert rows and all(DOI.fullmatch(row["doi"]) and row["read"] for row in rows)


@pytest.mark.parametrize("name", WITH_INTERVAL)
def test_every_row_has_an_interval_that_holds_it(name: str) -> None:
    for row in functions.rows(name):
        assert float(row["low"]) <= float(row.get("rate") or row["ratio"]) <= float(row["high"])


def test_every_effect_has_an_interval_and_was_verified() -> None:
    for row in functions.rows("response_effects.tsv"):
        assert (row["status"], row["comparator"]) == ("verified", "placebo") and row["population"]
        if row["basis"] == "range":
            assert not row["estimate"] and float(row["spread_low"]) < float(row["spread_high"])
        else:
            assert float(row["low"]) < float(row["estimate"]) < float(row["high"])
        assert bool(row["spread_measure"]) is (row["basis"] != "own")
    assert {one.basis for one in evidence.effects().values()} == set(evidence.BASES)


def test_a_drug_has_one_effect_for_one_outcome() -> None:
    listed = [
        (drug, row["setting"], row["outcome"])
        for row in functions.rows("response_effects.tsv")
        for drug in row["drugs"].split(" | ")
    ]
    assert len(listed) == len(set(listed)) == len(evidence.effects()) == 21 + 21 + 12


def test_nobody_took_fewer_steps_than_the_next() -> None:
    people = [int(row["n"]) for row in functions.rows("response_steps.tsv")]
    assert people == sorted(people, reverse=True)


def test_cautions_name_their_source() -> None:
    for row in functions.rows("response_cautions.tsv"):
        assert row["source"] and row["url"].startswith("http")
        assert row["strength"] in ("contraindicated", "not recommended", "boxed warning")


def _given(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "data/pgx/evidence" / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_own_figures_of_antidepressants_are_the_verified_rows(shared: Path) -> None:
    words = {"response_vs_placebo_OR": "response", "all_cause_dropout_vs_placebo_OR": "discontinuation"}
    given = {
        (row["drug"], words[row["measure"]]): (row["estimate"], row["cri_low"], row["cri_high"])
        for row in _given(shared, "antidepressant_nma_cipriani2018.tsv")
        if row["measure"] in words and row["status"].startswith("verified")
    }
    ours = {
        (row["drugs"], row["outcome"]): (row["estimate"], row["low"], row["high"])
        for row in functions.rows("response_effects.tsv")
        if row["setting"] == "depression" and row["basis"] == "own"
    }
    assert {key: tuple(map(float, three)) for key, three in ours.items()} == {
        key: tuple(map(float, three)) for key, three in given.items()
    }


def test_exposure_ratios_are_the_verified_ones(shared: Path) -> None:
    given = {
        (row["drug"], float(row["ratio_of_means"]))
        for row in _given(shared, "genotype_exposure_ratio.tsv")
        if row["status"].startswith("verified")
    }
    assert {(one.drug, one.ratio) for one in evidence.exposures()} == given - {("sertraline", 0.89)}


def test_side_effects_are_cells_that_stand_in_the_row_as_stored(shared: Path) -> None:
    given = {row["drug"]: row for row in _given(shared, "antidepressant_adverse_events_canmat2016.tsv")}
    for row in functions.rows("response_side_effects.tsv"):
        stored = next(given[name] for name in (f"{row['drug']} XR", f"{row['drug']} SR", row["drug"]) if name in given)
        cells = stored["row_as_stored"].split()
        assert row["percent"] == cells[0 if row["effect"] == "nausea" else -1]
