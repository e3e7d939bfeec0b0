"""Medicines that slow an enzyme: the effective phenotype beside them, and what is said of both."""

from __future__ import annotations

import pytest

from fhirtwin.rules.findings import Act
from tests.rules.building import taken
from tests.rules.genetics.building import FAST_2C19, NORMAL_2D6, POOR_2C19, POOR_2D6, fits, one, result, told


def test_inhibitor_that_is_taken_makes_the_effective_phenotype_and_both_are_told() -> None:
    finding = one("codeine", facts=(NORMAL_2D6, taken("paroxetine")))
    text = " ".join(finding.detail)
    assert "CYP2D6: *1/*1: normal metabolizer (activity score 2.0)" in text
    assert "CYP2D6 beside paroxetine (strong inhibitor, taken now): poor metabolizer (activity score 0.0)" in text
    assert "expert convention" in text
    assert "Grade of its evidence: moderate" in text
    assert [fact.display for fact in finding.facts] == ["CYP2D6", "paroxetine"]
    assert finding.severity.value == "warning"


@pytest.mark.parametrize("value", ["*1/*1x≥3", "*1/*1xN", "*2xN/*4", "Ultrarapid Metabolizer"])
@pytest.mark.parametrize("drafted", [True, False])
def test_inhibitor_of_an_activity_that_is_not_counted_takes_no_critical_card_away(value: str, drafted: bool) -> None:
    gene = result("CYP2D6", value, "diplotype" if value.startswith("*") else "gene-phenotype")
    assert one("codeine", facts=(gene,)).severity.value == "critical"
    beside = (gene,) if drafted else (gene, taken("duloxetine"))
    finding = one(*(("codeine", "duloxetine") if drafted else ("codeine",)), facts=beside)
    assert finding.severity.value == "critical"
    assert "ultrarapid metabolizer by the genes, though duloxetine slows it (CPIC, strong): avoid it" in finding.summary
    text = " ".join(finding.detail)
    assert "By the genes alone. For everybody (CYP2D6" in text
    assert "duloxetine changes this is an expert convention, grade of its evidence: moderate" in text
    assert [r.act for r in finding.remedies] == [Act.REMOVE]
    assert len(finding.orders) == (2 if drafted else 1)


def test_row_of_the_genes_alone_stays_a_step_less_urgent_where_what_is_left_is_known() -> None:
    gene = result("CYP2D6", "*1/*1x2")  # 3.0, and 1.5 beside a moderate inhibitor, which is usual
    finding = one("codeine", facts=(gene, taken("duloxetine")))
    assert finding.severity.value == "warning"
    assert "ultrarapid metabolizer by the genes, though duloxetine slows it" in finding.summary
    assert "normal metabolizer (activity score 1.5)" in " ".join(finding.detail)
    strong = one("codeine", facts=(gene, taken("paroxetine")))  # both are told to avoid it, for opposite reasons
    assert strong.severity.value == "warning" and "poor metabolizer beside paroxetine" in strong.summary
    assert "By the genes alone. For everybody (CYP2D6 activity score 3.0): Avoid it" in " ".join(strong.detail)


def test_word_of_a_laboratory_beside_an_inhibitor_keeps_its_card_or_gets_a_remark() -> None:
    slow = result("CYP2D6", "Intermediate Metabolizer", "gene-phenotype")
    finding = one("tamoxifen", facts=(slow, taken("duloxetine")))
    assert finding.severity.value == "warning"
    assert "intermediate by the genes, though duloxetine slows it" in finding.summary
    usual = result("CYP2D6", "Normal Metabolizer", "gene-phenotype")
    remark = one("tamoxifen", facts=(usual, taken("duloxetine", "m")))
    assert remark.severity.value == "info"
    assert remark.summary == ("Tamoxifen: what duloxetine leaves of CYP2D6 is not known, and its guideline asks for it")
    assert fits(one("escitalopram", facts=(FAST_2C19, usual, taken("duloxetine")))) == []


@pytest.mark.parametrize("inhibitor", ["paroxetine", "duloxetine"])
def test_what_changes_nothing_is_not_named_beside_a_poor_metabolizer(inhibitor: str) -> None:
    for value, name in (("*4/*4", "diplotype"), ("Poor Metabolizer", "gene-phenotype")):
        finding = one("codeine", facts=(result("CYP2D6", value, name), taken(inhibitor)))
        assert finding.summary.startswith("Codeine, CYP2D6 poor metabolizer (CPIC, strong)")
        assert [fact.display for fact in finding.facts] == ["CYP2D6"]
        text = " ".join(finding.detail)
        assert f"is that of a poor metabolizer by the genes: {inhibitor} slows it no further" in text


def test_only_what_changed_a_gene_of_the_row_is_named_beside_a_drug() -> None:
    bupropion, escitalopram = taken("bupropion", "b"), taken("escitalopram", "e")
    codeine = one("codeine", facts=(NORMAL_2D6, bupropion, escitalopram))
    assert codeine.summary.startswith(
        "Codeine, CYP2D6 poor metabolizer beside bupropion (conversion: moderate; CPIC: "
    )  # the other is weak
    assert escitalopram not in codeine.facts
    facts = (NORMAL_2D6, FAST_2C19, bupropion)
    (other,) = [f for f in told("escitalopram", "codeine", facts=facts) if f.rule == "genes.escitalopram"]
    assert "bupropion" not in other.summary
    assert [fact.display for fact in other.facts] == ["CYP2C19"]


def test_headline_of_a_converted_phenotype_has_the_grade_of_the_conversion() -> None:
    usual = result("CYP2C19", "*1/*1")
    finding = one("clopidogrel", facts=(usual, taken("fluvoxamine")))
    assert finding.summary.startswith(
        "Clopidogrel, CYP2C19 poor metabolizer beside fluvoxamine (conversion: low; CPIC: strong): avoid it"
    )
    assert "(CPIC, strong)" in one("clopidogrel", facts=(POOR_2C19, taken("fluvoxamine"))).summary


def test_draft_inhibitor_beside_another_draft_is_about_both() -> None:
    finding = one("codeine", "paroxetine", facts=(NORMAL_2D6,))
    assert finding.rule == "genes.codeine"
    assert finding.orders == ("MedicationRequest/d1", "MedicationRequest/d2")
    assert "(strong inhibitor, ordered)" in " ".join(finding.detail)


def test_draft_inhibitor_against_a_medicine_that_is_taken_is_a_finding_on_the_draft() -> None:
    finding = one("paroxetine", facts=(NORMAL_2D6, taken("tamoxifen")))
    assert (finding.rule, finding.orders) == ("genes.inhibitor.tamoxifen", ("MedicationRequest/d1",))
    assert finding.summary == (
        "Paroxetine slows CYP2D6, and tamoxifen is taken (conversion: moderate; CPIC: strong): "
        "less endoxifen; choose one that does not slow CYP2D6"
    )
    assert "aromatase" not in finding.summary  # that is for people whose genes do it
    assert any("leaves tamoxifen as it is" in line for line in finding.detail)
    assert finding.severity.value == "warning"
    assert [r.act for r in finding.remedies] == [Act.REMOVE]
    assert told("sertraline", facts=(NORMAL_2D6, taken("tamoxifen"))) == ()  # weak: nothing changes
    assert told("paroxetine", facts=(POOR_2D6, taken("tamoxifen")))[0].rule == "genes.paroxetine"  # nothing to lose


def test_inhibitor_of_another_enzyme_than_the_drug_s_own_is_not_named() -> None:
    facts = (FAST_2C19, NORMAL_2D6, taken("quinidine"))
    finding = one("omeprazole", facts=facts)
    assert "quinidine" not in finding.summary
    assert not any("quinidine" in text for text in finding.detail)
