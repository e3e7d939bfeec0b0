"""What labels say of genes beside contraindications: a card for each statement that the page lists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhirtwin.pgx import labels
from fhirtwin.rules.findings import SUMMARY_LENGTH, Act
from fhirtwin.rules.pairs import TOPICAL
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.twin.state import Fact
from tests.rules.building import order, taken
from tests.rules.genetics.building import POOR_2D6, one, result, told

B1502 = result("HLA-B", "*15:02 positive", "allele-status")


@pytest.mark.parametrize(
    ("ordered", "facts", "severity", "words"),
    [
        ("pimozide", (POOR_2D6,), "info", "adults: at most 4 mg/day"),
        ("tetrabenazine", (POOR_2D6,), "info", "at most 25 mg in one dose and 50 mg/day"),
        ("metoclopramide", (POOR_2D6,), "info", "at most 30 mg/day; diabetic gastroparesis: at most 20 mg/day"),
        ("pitolisant", (POOR_2D6,), "info", "at most 17.8 mg once daily"),
        ("siponimod", (result("CYP2C9", "*1/*3"),), "warning", "maintenance dose 1 mg a day in place of 2 mg"),
        ("siponimod", (result("CYP2C9", "*2/*3"),), "warning", "maintenance dose 1 mg a day in place of 2 mg"),
        (
            "irinotecan",
            (result("UGT1A1", "*28/*28"),),
            "warning",
            "consider a starting dose lower by at least one level",
        ),
        ("propafenone", (POOR_2D6,), "info", "says to avoid it, perhaps"),
        ("eliglustat", (POOR_2D6,), "info", "forbids it, perhaps"),
        ("thioridazine", (result("CYP2D6", "*1/*4"),), "info", "forbids it, perhaps"),
    ],
)
def test_label_alone_makes_a_card(ordered: str, facts: tuple[Fact, ...], severity: str, words: str) -> None:
    finding = one(ordered, facts=facts)
    assert (finding.rule, finding.severity.value) == (f"genes.{ordered}", severity)
    assert words in " ".join((finding.summary, *finding.detail))
    assert len(finding.summary) <= SUMMARY_LENGTH
    assert "read on 2026-11-21" in finding.sources[0].label
    assert finding.facts == facts
    assert "inform the judgement" in finding.detail[-1]


@pytest.mark.parametrize(
    ("ordered", "fact", "words"),
    [
        ("carbamazepine", B1502, "The label says to avoid it for: carriers of HLA-B*15:02"),
        ("oxcarbazepine", B1502, "The label says to avoid it for: carriers of HLA-B*15:02"),
        ("phenytoin", B1502, "The label says to consider avoiding it for: carriers of HLA-B*15:02"),
        ("fluorouracil", result("DPYD", "c.1905+1G>A (*2A)/c.1905+1G>A (*2A)"), "no dose is proven safe"),
    ],
)
def test_label_stands_on_the_card_of_the_guideline(ordered: str, fact: Fact, words: str) -> None:
    finding = one(ordered, facts=(fact,))
    assert finding.severity.value == "critical"
    assert "CPIC" in finding.summary
    assert any(words in line for line in finding.detail)
    assert any("read on 2026-11-21" in source.label for source in finding.sources)


def test_what_holds_only_with_something_beside_says_with_what() -> None:
    (line,) = [line for line in one("propafenone", facts=(POOR_2D6,)).detail if line.startswith("The label")]
    assert "It says so of people who have, beside it, an inhibitor of CYP3A4." in line


def test_label_that_says_to_avoid_takes_the_draft_away_and_a_dose_does_not() -> None:
    severe = one("primaquine", facts=(result("G6PD", "Deficient with CNSHA", "gene-phenotype"),))
    assert any("says to avoid it" in line for line in severe.detail)
    assert [remedy.act for remedy in severe.remedies] == [Act.REMOVE]
    assert one("pimozide", facts=(POOR_2D6,)).remedies == ()


@pytest.mark.parametrize(
    ("ordered", "fact"),
    [
        ("pimozide", result("CYP2D6", "*1/*1")),
        ("siponimod", result("CYP2C9", "*1/*2")),
        ("irinotecan", result("UGT1A1", "*1/*28")),
        ("propafenone", result("CYP2D6", "*1/*1")),
    ],
)
def test_other_genes_make_no_card(ordered: str, fact: Fact) -> None:
    assert told(ordered, facts=(fact,)) == ()


def test_gene_that_a_label_asks_for_and_is_not_known_is_said() -> None:
    finding = one("pimozide", facts=(result("CYP2D6", "no read at its place", "gene-not-called"),))
    assert finding.rule == "genes.not-called.CYP2D6"


def test_drug_of_which_a_label_speaks_is_not_offered_in_place_of_another() -> None:
    found = told(order("pimozide"), facts=(POOR_2D6, taken("paroxetine")))
    assert [finding.rule for finding in found] == ["genes.pimozide"]


@pytest.mark.parametrize(
    ("pair", "severity", "words"),
    [
        ("c.1905+1G>A (*2A)/c.1905+1G>A (*2A)", "critical", "its label forbids it (DPD deficiency"),
        ("Reference/c.1905+1G>A (*2A)", "info", "its label forbids it, perhaps (DPD deficiency"),
    ],
)
def test_fluorouracil_on_the_skin_is_judged_by_its_label_and_not_by_rows_on_infusions(
    pair: str, severity: str, words: str
) -> None:
    cream = replace(order("fluorouracil"), route=TOPICAL)
    finding = one(cream, facts=(result("DPYD", pair),))
    assert finding.severity.value == severity
    assert words in finding.summary
    assert not any("starting dose" in line for line in finding.detail)
    assert [remedy.recommended for remedy in finding.remedies] == ([True] if severity == "critical" else [])
    assert told(cream, facts=(result("DPYD", "Reference/Reference"),)) == ()
    assert told(replace(order("tacrolimus"), route=TOPICAL), facts=(result("CYP3A5", "*1/*1"),)) == ()


def test_every_statement_can_be_come_to_by_an_order() -> None:
    """The page promises a card for each; one drug has no RxNorm code here and is named on the page."""
    unknown = [one.drugs[0] for one in labels.statements() if not any(drug in CODES for drug in one.drugs)]
    assert unknown == ["deutetrabenazine", "fluorouracil on the skin"]
