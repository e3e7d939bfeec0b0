"""Genes that were looked at and are not known: no call, contradictions, alleles and copies that are open."""

from __future__ import annotations

import pytest

from tests.rules.genetics.building import POOR_2C19, one, result, told


def test_gene_that_was_looked_at_and_is_not_known_is_said_once_for_all_orders_it_could_matter_to() -> None:
    gap = result("CYP2D6", "no read at its place", "gene-not-called")
    finding = one("codeine", "tramadol", "ibuprofen", facts=(gap,))
    assert finding.rule == "genes.not-called.CYP2D6"
    assert finding.severity.value == "info"
    assert finding.orders == ("MedicationRequest/d1", "MedicationRequest/d2")
    assert any("no read at its place" in line for line in finding.detail)
    assert told("ibuprofen", "sertraline", facts=(gap,)) == ()


def test_contradictory_results_are_said_and_nothing_is_chosen() -> None:
    finding = one("clopidogrel", facts=(POOR_2C19, result("CYP2C19", "*1/*1", id_="other")))
    assert finding.rule == "genes.not-called.CYP2C19"
    assert any("contradict" in line for line in finding.detail)
    assert len(finding.facts) == 2


POOR_WORD = ("Poor Metabolizer", "gene-phenotype")


@pytest.mark.parametrize(
    ("ordered", "gene", "first", "other", "severity"),
    [
        ("abacavir", "HLA-B", ("*57:01 positive", "allele-status"), ("*57:01 negative", "allele-status"), "warning"),
        ("fluorouracil", "DPYD", ("Reference/Reference", "diplotype"), POOR_WORD, "warning"),
        ("fluorouracil", "DPYD", ("Reference/Reference", "diplotype"), ("chr1:97450058 C/T", "variant"), "warning"),
        ("capecitabine", "DPYD", ("Reference/Reference", "diplotype"), ("*2A/*2A", "diplotype"), "warning"),
        ("clopidogrel", "CYP2C19", ("*1/*1", "diplotype"), POOR_WORD, "warning"),
        ("codeine", "CYP2D6", ("*1/*1", "diplotype"), POOR_WORD, "warning"),
        ("azathioprine", "TPMT", ("*1/*1", "diplotype"), POOR_WORD, "warning"),
        ("clopidogrel", "CYP2C19", ("*1/*1", "diplotype"), ("*1/*17", "diplotype"), "info"),  # neither warns
    ],
)
def test_contradiction_is_a_warning_where_one_of_the_two_would_warn(
    ordered: str, gene: str, first: tuple[str, str], other: tuple[str, str], severity: str
) -> None:
    finding = one(ordered, facts=(result(gene, *first, "o1"), result(gene, *other, "o2")))
    assert finding.rule == f"genes.not-called.{gene}"
    assert finding.summary == f"{gene} is not known, its results contradict one another: {ordered} not judged by it"
    assert finding.severity.value == severity
    named = " ".join(finding.detail)
    assert "not called, because" in named


def test_variant_of_which_a_copy_is_open_is_told_with_perhaps_and_with_the_row_for_two_copies() -> None:
    open_ = one("fluorouracil", facts=(result("DPYD", "chr1:97450058 T/.", "variant"),))
    assert open_.severity.value == "critical" and "perhaps DPYD poor metabolizer" in open_.summary
    assert "intermediate metabolizer (activity score 1.0)" in " ".join(open_.detail)
    told_ = one("fluorouracil", facts=(result("DPYD", "chr1:97450058 C/T", "variant"),))
    assert told_.severity.value == "warning" and "intermediate metabolizer" in told_.summary


def test_one_allele_alone_is_a_warning_where_one_or_two_copies_of_it_would_warn() -> None:
    found = one("fluorouracil", facts=(result("DPYD", "c.1905+1G>A (*2A)", "haplotype"),))
    assert found.severity.value == "warning"
    assert "only the allele c.1905+1G>A (*2A) was reported" in " ".join(found.detail)
    assert one("codeine", facts=(result("CYP2D6", "*1", "haplotype"),)).severity.value == "info"
