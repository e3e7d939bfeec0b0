"""What a guideline says by two genes, of which one or both are known."""

from __future__ import annotations

import pytest

from tests.rules.genetics.building import one, result, told

MH = "Malignant Hyperthermia Susceptibility"
UNSURE = "Uncertain Susceptibility"


@pytest.mark.parametrize("drug", ["succinylcholine", "sevoflurane", "desflurane"])
@pytest.mark.parametrize(
    ("ryr1", "cacna1s", "what"),
    [
        (MH, None, "RYR1 malignant hyperthermia susceptibility"),
        (None, MH, "CACNA1S malignant hyperthermia susceptibility"),
        (MH, MH, "malignant hyperthermia susceptibility"),
        (MH, UNSURE, "RYR1 MH susceptibility"),
    ],
)
def test_one_gene_of_two_is_enough_where_the_guideline_says_the_same_whatever_the_other_is(
    drug: str, ryr1: str | None, cacna1s: str | None, what: str
) -> None:
    known = {"RYR1": ryr1, "CACNA1S": cacna1s}
    facts = tuple(result(gene, value, "gene-phenotype") for gene, value in known.items() if value)
    finding = one(drug, facts=facts)
    assert finding.severity.value == "critical"
    assert what in finding.summary
    assert ("uncertain" in finding.summary) == (cacna1s == UNSURE)  # nothing is said of a gene that nobody looked at
    if not (ryr1 and cacna1s):
        assert any("no result" in line for line in finding.detail)


def test_variant_of_ryr1_alone_warns_of_what_triggers_malignant_hyperthermia() -> None:
    finding = one("succinylcholine", facts=(result("RYR1", "c.7300G>A/Reference"),))
    assert finding.severity.value == "critical"


def test_two_poor_results_are_as_urgent_as_one_of_them() -> None:
    slow = result("CYP2D6", "*4/*4")
    single = one("amitriptyline", facts=(slow,))
    both = one("amitriptyline", facts=(slow, result("CYP2C19", "*2/*2")))
    assert (single.severity.value, both.severity.value) == ("warning", "warning")
    assert "CPIC, optional" in both.summary
    assert any(line.startswith("As urgent as the guideline's row for CYP2D6") for line in both.detail)
    assert not any(line.startswith("As urgent as") for line in single.detail)


def test_two_normal_results_are_no_card_though_one_of_them_asks_for_the_other() -> None:
    normal = (result("TPMT", "*1/*1"), result("NUDT15", "*1/*1"))
    assert told("azathioprine", facts=normal) == ()


def test_each_gene_of_a_statement_about_two_is_told_once() -> None:
    facts = (result("RYR1", "c.7300G>A/Reference"), result("CACNA1S", "Reference/Reference"))
    finding = one("succinylcholine", facts=facts)
    assert not any("no result" in line or "RYR1 or CACNA1S:" in line for line in finding.detail)
    assert sum(line.startswith(("RYR1: ", "CACNA1S: ")) for line in finding.detail) == 2
    assert {fact.display for fact in finding.facts} == {"RYR1", "CACNA1S"}


def test_one_gene_of_two_that_decides_nothing_is_no_card() -> None:
    assert told("succinylcholine", facts=(result("RYR1", UNSURE, "gene-phenotype"),)) == ()
