"""Inhibitors turn the genetic phenotype into the effective one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks import exposure_ratios
from fhirtwin.pgx import functions, phenoconversion, phenotype, recommendations
from fhirtwin.pgx.phenoconversion import Taken, of
from fhirtwin.pgx.results import GenePhenotype, Known, Pair
from tests.conftest import ROOT


def _genetic(pair: str, gene: str = "CYP2D6") -> GenePhenotype:
    return phenotype.of_call(Known(gene, (Pair(*pair.split("/")),)))


@pytest.mark.parametrize(
    ("pair", "drug", "word", "score"),
    [
        ("*1/*1", "paroxetine", "Poor Metabolizer", "0.0"),
        ("*1/*1", "duloxetine", "Intermediate Metabolizer", "1.0"),
        ("*1/*1x2", "duloxetine", "Normal Metabolizer", "1.5"),
        ("*1/*4", "Duloxetine", "Intermediate Metabolizer", "0.5"),
        ("*4/*5", "duloxetine", "Poor Metabolizer", "0.0"),
        ("*1/*1", "sertraline", "Normal Metabolizer", "2.0"),
        ("*1/*1", "lithium", "Normal Metabolizer", "2.0"),
        ("*1/*2x≥3", "fluoxetine", "Poor Metabolizer", "0.0"),
        ("*1/*28", "bupropion", "Poor Metabolizer", "0.0"),
    ],
)
def test_inhibitors_of_cyp2d6(pair: str, drug: str, word: str, score: str) -> None:
    told = of("CYP2D6", _genetic(pair), [Taken(drug)])
    assert told.effective.agreed is not None
    assert (told.effective.agreed.word, told.effective.agreed.score) == (word, score)
    assert told.genetic == _genetic(pair)
    assert bool(told.rule) is bool(told.causes) is (drug != "lithium")


def test_the_strongest_of_several_counts_and_all_are_named() -> None:
    told = of("CYP2D6", _genetic("*1/*1"), [Taken("sertraline"), Taken("duloxetine"), Taken("paroxetine", "draft")])
    assert [taken.drug for taken, _ in told.causes] == ["paroxetine", "duloxetine", "sertraline"]
    assert told.effective.agreed is not None and told.effective.agreed.word == "Poor Metabolizer"
    assert told.grade == "moderate" and "× 0 with a strong" in told.rule


def test_a_draft_changes_what_is_said_of_a_drug_already_taken() -> None:
    told = of("CYP2D6", _genetic("*1/*1"), [Taken("paroxetine", "draft")], "tamoxifen")
    before = recommendations.advise("tamoxifen", {"CYP2D6": told.genetic}).recommendations
    after = recommendations.advise("tamoxifen", {"CYP2D6": told.effective}).recommendations
    assert [row.action for row in before] == ["use"] and [row.action for row in after] == ["alternative"]


def test_a_drug_does_not_inhibit_itself() -> None:
    assert not of("CYP2D6", _genetic("*1/*1"), [Taken("Paroxetine")], "paroxetine").changed


@pytest.mark.parametrize("pair", ["*1/*2x≥3", "*1/*28", "*1/*999"])
def test_a_moderate_inhibitor_on_an_unknown_score_is_not_guessed(pair: str) -> None:
    told = of("CYP2D6", _genetic(pair), [Taken("duloxetine")])
    assert told.effective.alternatives == () and "is not known" in told.effective.not_called


def test_a_drug_that_was_stopped_does_not_count_and_is_named_with_its_day() -> None:
    told = of("CYP2D6", _genetic("*1/*1"), [Taken("fluoxetine", stopped=date(2026, 3, 1))])
    assert not told.changed and "fluoxetine was stopped on 2026-03-01" in told.notices[0]


def test_cyp2c19_is_less_settled_and_says_so() -> None:
    told = of("CYP2C19", _genetic("*1/*17", "CYP2C19"), [Taken("fluvoxamine")])
    assert told.effective.agreed is not None and told.effective.agreed.word == "Poor Metabolizer"
    assert told.grade == "low" and "less settled" in told.rule


def test_every_cpic_score_has_the_same_word_here() -> None:
    for word in phenotype.words("CYP2D6"):
        for score in phenotype.scores("CYP2D6", word):
            if score != "n/a":
                assert phenoconversion.word_of(Decimal(score.lstrip("≥"))) == word


@pytest.mark.parametrize("drug", ["fluconazole", "Fluoxetine"])
def test_strong_inhibitors_of_cyp2c19_make_a_poor_metabolizer(drug: str) -> None:
    told = of("CYP2C19", _genetic("*1/*1", "CYP2C19"), [Taken(drug)])
    assert told.effective.agreed is not None and told.effective.agreed.word == "Poor Metabolizer"
    assert told.changed and told.grade == "low"


@pytest.mark.parametrize(
    ("gene", "drug", "notice"),
    [
        ("CYP2C19", "omeprazole", "omeprazole inhibits CYP2C19, how strongly our sources do not settle: not counted"),
        ("CYP2C9", "fluconazole", "fluconazole inhibits CYP2C9 (moderate): not converted, no published rule"),
        ("CYP2C19", "Rifampin", "Rifampin induces CYP2C19 (strong): not converted, no published rule"),
        ("CYP2C9", "carbamazepine", "carbamazepine induces CYP2C9 (moderate): not converted, no published rule"),
        ("CYP2C19", "phenytoin", "phenytoin induces CYP2C19 (how strongly is unclear): not converted"),
    ],
)
def test_what_has_no_rule_is_named_and_changes_nothing(gene: str, drug: str, notice: str) -> None:
    told = of(gene, _genetic("*1/*2", gene), [Taken(drug)])
    assert not told.changed and not told.causes and not told.rule and not told.grade
    assert len(told.notices) == 1 and told.notices[0].startswith(notice)


def test_an_inducer_beside_an_inhibitor_is_named_with_what_the_inhibitor_does() -> None:
    told = of("CYP2C19", _genetic("*1/*1", "CYP2C19"), [Taken("rifampin"), Taken("fluvoxamine")])
    assert told.effective.agreed is not None and told.effective.agreed.word == "Poor Metabolizer"
    assert [taken.drug for taken, _ in told.causes] == ["fluvoxamine"]
    assert told.notices == ("rifampin induces CYP2C19 (strong): not converted, no published rule",)


def test_an_inducer_that_was_stopped_is_named_with_its_day() -> None:
    told = of("CYP2C19", _genetic("*1/*1", "CYP2C19"), [Taken("rifampin", stopped=date(2026, 3, 1))])
    assert not told.changed and told.notices[0].startswith("rifampin was stopped on 2026-03-01")


def test_an_inducer_does_not_speak_of_itself() -> None:
    assert not of("CYP2C9", _genetic("*1/*1", "CYP2C9"), [Taken("Carbamazepine")], "carbamazepine").notices


def test_the_inhibitors_that_were_verified_are_all_here(shared: Path) -> None:
    text = (shared / "data/pgx/evidence/cyp_inhibitors_inducers.tsv").read_text(encoding="utf-8")
    verified = {tuple(line.split("\t")[i] for i in (3, 0)) for line in text.splitlines() if "\tverified" in line}
    assert verified and verified <= set(phenoconversion.inhibitors())


@pytest.mark.parametrize("name", ["inhibitors.tsv", "inducers.tsv"])
def test_every_row_has_a_source_and_a_strength_and_is_there_once(name: str) -> None:
    rows = functions.rows(name)
    assert len({(row["drug"], row["enzyme"]) for row in rows}) == len(rows)
    assert all(row["drug"] == row["drug"].casefold() and row["source"] for row in rows)
    assert {row["strength"] for row in rows} <= {*phenoconversion.STRENGTHS, phenoconversion.UNCLEAR}


def test_observed_exposure_ratios_are_met_within_half() -> None:
    rows = exposure_ratios.rows()
    ours, without = exposure_ratios.errors(rows)
    assert (len(rows), round(ours, 2), round(without, 2)) == (9, 1.43, 4.13)
    assert ours <= 1.5 and ours < without


def test_the_page_shows_the_table_as_it_is_computed() -> None:
    assert exposure_ratios.table() in (ROOT / "docs/pgx/phenoconversion.md").read_text(encoding="utf-8")


def test_observations_are_those_of_the_paper(shared: Path) -> None:
    text = (shared / "data/pgx/evidence/ddgi_observed_auc_ratio.tsv").read_text(encoding="utf-8")
    given = [line.split("\t")[:5] for line in text.splitlines()[1:] if line]
    scores = {"AS0": 0.0, "AS1": 1.0, "AS2": 2.0, "PM": 0.0, "EM": 2.0}
    wanted = [(row[0], row[1], scores[row[2]], float(row[4])) for row in given]
    assert [(one.substrate, one.inhibitor, one.score, one.observed) for one in exposure_ratios.OBSERVED] == wanted
