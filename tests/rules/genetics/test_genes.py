from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fhirtwin.rules.findings import Act, Finding
from fhirtwin.rules.genetics import screening
from fhirtwin.rules.registry import judge
from fhirtwin.rules.situation import Situation
from fhirtwin.terms.systems import ICD10CM
from fhirtwin.twin import gaps, medicines
from fhirtwin.twin.mappers import allergy_intolerance
from fhirtwin.twin.state import Fact, Source, Unused
from tests.rules.building import allergic, code, measured, order, rules, situation, taken
from tests.rules.genetics.building import fits, named, offered, one, result, told

POOR_2C19 = result("CYP2C19", "*2/*2")
FAST_2C19 = result("CYP2C19", "*17/*17")
NORMAL_2D6 = result("CYP2D6", "*1/*1")
POOR_2D6 = result("CYP2D6", "*4/*4")
FAST_2D6 = result("CYP2D6", "*1/*2x2")
FITS_SERTRALINE = (FAST_2D6, result("CYP2C19", "*1/*1"), result("CYP2B6", "*1/*1"))


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


def test_a_phenotype_that_came_without_a_score_is_said_so() -> None:
    finding = one("phenytoin", facts=(result("CYP2C9", "Poor Metabolizer", "gene-phenotype"),))
    text = " ".join(finding.detail)
    assert "by the phenotype Poor Metabolizer of CYP2C9, of which no activity score was given" in text
    assert "not in the table" not in text


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


def test_nobody_tested_raises_nothing_whatever_is_ordered() -> None:
    drafts = ("codeine", "clopidogrel", "abacavir", "carbamazepine", "warfarin", "siponimod", "valproate")
    assert told(*drafts, facts=()) == ()
    assert told("paroxetine", facts=(taken("tamoxifen"),)) == ()


def test_a_reported_word_is_told_as_that_word_and_not_as_a_score_that_nobody_measured() -> None:
    found = one("phenytoin", facts=(result("CYP2C9", "Poor Metabolizer", "gene-phenotype"),))
    assert "CYP2C9 poor metabolizer" in found.summary and "activity score" not in found.summary


def test_normal_dpyd_of_which_most_was_not_tested_is_told_as_not_known() -> None:
    note = "Named alleles matched to a VCF file on GRCh38\n82 of 83 positions were not tested; not excluded: c.2846A>T"
    found = one("capecitabine", facts=(replace(result("DPYD", "Reference/Reference"), note=note),))
    assert found.summary == "DPYD is not known, 82 of 83 positions were not tested: capecitabine not judged by it"
    assert "DPYD: 82 of 83 positions were not tested; not excluded: c.2846A>T." in found.detail
    lowered = one("capecitabine", facts=(replace(result("DPYD", "c.1679T>G (*13)/Reference"), note=note),))
    assert "intermediate metabolizer" in lowered.summary
    assert "DPYD: 82 of 83 positions were not tested; not excluded: c.2846A>T." in lowered.detail
    assert "(VCF)" in lowered.detail[0]


@pytest.mark.parametrize(
    ("ordered", "facts"),
    [
        ("clopidogrel", (result("CYP2C19", "*1/*1"),)),
        ("codeine", (NORMAL_2D6,)),
        ("abacavir", (result("HLA-B", "*57:01 negative", "allele-status"),)),
        ("fluorouracil", (result("DPYD", "Reference/Reference"),)),
        ("hydrocodone", (FAST_2D6,)),  # the guideline has no recommendation
        ("metoprolol", (NORMAL_2D6,)),
        ("aripiprazole", (POOR_2D6,)),  # CPIC has no rows of it
        ("sertraline", (POOR_2D6,)),  # its rows do not ask for that gene
    ],
)
def test_nothing_to_do_is_no_card_however_strong_the_row(ordered: str, facts: tuple[Fact, ...]) -> None:
    assert told(ordered, facts=facts) == ()


@pytest.mark.parametrize(
    ("ordered", "facts", "severity", "words"),
    [
        ("clopidogrel", (POOR_2C19,), "warning", "avoid it; choose prasugrel, ticagrelor"),
        ("codeine", (POOR_2D6,), "warning", "avoid it"),
        ("codeine", (FAST_2D6,), "critical", "avoid it"),
        ("tramadol", (FAST_2D6,), "warning", "avoid it"),
        ("citalopram", (FAST_2C19,), "warning", "choose a drug that is not broken down by CYP2C19"),
        ("citalopram", (POOR_2C19,), "warning", "choose a drug that is not broken down by CYP2C19"),
        ("tamoxifen", (POOR_2D6,), "warning", "choose an aromatase inhibitor"),
        ("abacavir", (result("HLA-B", "*57:01 positive", "allele-status"),), "critical", "avoid it"),
        ("carbamazepine", (result("HLA-B", "*15:02 positive", "allele-status"),), "critical", "avoid it"),
        ("fluorouracil", (result("DPYD", "c.1905+1G>A (*2A)/c.1905+1G>A (*2A)"),), "critical", "avoid it"),
        ("fluorouracil", (result("DPYD", "Reference/c.1905+1G>A (*2A)"),), "warning", "lower the starting dose by 50%"),
        ("tacrolimus", (result("CYP3A5", "*1/*1"),), "warning", "raise the starting dose"),
        ("omeprazole", (FAST_2C19,), "info", "raise the starting dose by 100%"),
        ("siponimod", (result("CYP2C9", "*3/*3"),), "critical", "forbidden by its label"),
        ("rasburicase", (result("G6PD", "Deficient", "gene-phenotype"),), "critical", "avoid it"),
        ("thioridazine", (POOR_2D6,), "critical", "forbidden by its label"),
    ],
)
def test_severity_goes_by_action_and_harm(ordered: str, facts: tuple[Fact, ...], severity: str, words: str) -> None:
    finding = one(ordered, facts=facts)
    assert finding.severity.value == severity
    assert words in finding.summary
    assert finding.facts == facts
    assert all(source.url.startswith("http") for source in finding.sources)


@pytest.mark.parametrize(
    ("ordered", "facts", "never"),
    [
        ("clopidogrel", (POOR_2C19,), "lower"),
        ("codeine", (FAST_2D6,), "raise"),
        ("codeine", (POOR_2D6,), "lower"),
        ("citalopram", (FAST_2C19,), "raise the starting dose"),
        ("tamoxifen", (POOR_2D6,), "lower"),
        ("amitriptyline", (FAST_2D6, result("CYP2C19", "*1/*1")), "raise the starting dose"),
    ],
)
def test_poor_is_not_a_lower_and_rapid_not_a_higher_dose_by_itself(
    ordered: str, facts: tuple[Fact, ...], never: str
) -> None:
    finding = one(ordered, facts=facts)
    (row,) = {line.partition("Strength:")[0] for line in finding.detail if line.startswith("For everybody")} or {""}
    assert never not in finding.summary
    assert never not in row


def alone(facts: tuple[Fact, ...], ordered: str = "paroxetine") -> Situation:
    """One draft of somebody whose lists of medicines were obtained."""
    stage = situation(ordered, facts=facts)
    return replace(stage, state=replace(stage.state, lists=gaps.MEDICINES))


def of_genes(stage: Situation) -> Finding:
    return next(f for f in judge(stage) if f.rule == "genes.paroxetine")


def test_alternatives_take_the_draft_away_and_order_another_without_a_dose_and_none_is_recommended() -> None:
    finding = of_genes(alone(FITS_SERTRALINE))
    removal, replacing = finding.remedies
    assert (removal.act, removal.order, removal.recommended) == (Act.REMOVE, "MedicationRequest/d1", False)
    assert (replacing.act, replacing.order, replacing.recommended) == (Act.REPLACE, "MedicationRequest/d1", False)
    assert replacing.code is not None
    assert replacing.code.code == code("sertraline")
    assert screening.COVERED["sertraline"] in finding.sources
    assert set(named(finding)) == {"citalopram", "escitalopram"}  # not all that their labels forbid is looked at


@pytest.mark.parametrize(
    ("ordered", "facts", "beside", "drug"),
    [
        ("escitalopram", (FAST_2C19, NORMAL_2D6), ("theophylline", "clozapine"), "fluvoxamine"),
        ("clopidogrel", (POOR_2C19,), ("rifampin",), "ticagrelor"),
        ("clopidogrel", (POOR_2C19,), ("carbamazepine",), "ticagrelor"),
        ("clopidogrel", (POOR_2C19,), (), "ticagrelor"),  # whoever bled into the brain must not have it
        ("paroxetine", FITS_SERTRALINE, ("metformin",), "sertraline"),
    ],
)
def test_drug_of_which_interactions_or_contraindications_are_not_all_looked_at_is_named_and_not_offered(
    ordered: str, facts: tuple[Fact, ...], beside: tuple[str, ...], drug: str
) -> None:
    stage = alone((*facts, *(taken(name, name) for name in beside)), ordered)
    finding = next(f for f in judge(stage) if f.rule == f"genes.{ordered}")
    assert offered(finding) == []
    assert all(name in named(finding)[drug] for name in beside)
    assert not any("Offered instead" in line for line in finding.detail)


def test_nothing_is_offered_where_not_all_that_stands_beside_it_is_known() -> None:
    stage = alone(FITS_SERTRALINE)
    unread = Unused(Source("", "MedicationRequest", "m", "1"), medicines.NO_CODE)
    allergy = Unused(Source("", "AllergyIntolerance", "a", "1"), allergy_intolerance.NO_CODE)
    lately = replace(taken("phenelzine"), end="2026-05-25", active=False)
    worse = (
        replace(stage, state=replace(stage.state, lists=frozenset({"MedicationRequest"}))),
        replace(stage, state=replace(stage.state, unused=(unread,))),
        replace(stage, state=replace(stage.state, unused=(allergy,))),
        replace(stage, has_unjudged=True),
        replace(stage, ended=(lately,)),
        replace(stage, orders=(*stage.orders, order("ibuprofen", "d2"))),
    )
    assert offered(of_genes(stage)) == ["sertraline"]
    for one_ in worse:
        assert offered(of_genes(one_)) == []
        assert named(of_genes(one_))["sertraline"]


@pytest.mark.parametrize(
    ("beside", "left"),
    [
        ((), ["fluvoxamine", "paroxetine"]),
        ((allergic("paroxetine"),), ["fluvoxamine"]),
        ((taken("paroxetine"),), []),  # one is taken already, and two of the kind are spoken of
        ((taken("phenelzine"),), []),
        ((taken("tamoxifen"),), []),  # they would slow the enzyme that tamoxifen needs
    ],
)
def test_what_any_rule_speaks_of_is_not_offered(beside: tuple[Fact, ...], left: list[str]) -> None:
    found = told("escitalopram", facts=(FAST_2C19, NORMAL_2D6, *beside))
    assert fits(found[0]) == left


def test_what_the_genes_of_the_person_do_not_clear_is_not_offered() -> None:
    assert fits(one("escitalopram", facts=(FAST_2C19, POOR_2D6))) == []
    assert fits(one("escitalopram", facts=(FAST_2C19,))) == []  # CYP2D6, which the others need, is not known


def test_another_draft_counts_as_taken_for_what_is_offered() -> None:
    found = told("escitalopram", "paroxetine", facts=(FAST_2C19, NORMAL_2D6))
    assert "paroxetine" not in fits(found[0])


def test_one_part_of_a_combination_is_not_replaced() -> None:
    both = one("amitriptyline / perphenazine", facts=(FAST_2C19, NORMAL_2D6))
    single = one("amitriptyline", facts=(FAST_2C19, NORMAL_2D6))
    assert (fits(both), fits(single)) == ([], ["desipramine", "nortriptyline"])


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


def test_inhibitor_that_was_stopped_is_dated_and_does_not_count() -> None:
    stopped = replace(taken("paroxetine"), end="2026-05-20", active=False)
    stage = replace(situation("codeine", facts=(POOR_2D6,)), ended=(stopped,))
    (finding,) = (f for f in judge(stage) if f.topic == "pharmacogenetics")
    assert any("paroxetine was stopped on 2026-05-20" in line.lower() for line in finding.detail)
    assert "beside paroxetine" not in " ".join(finding.detail)
    old = replace(stage, ended=(replace(stopped, end="2025-05-20"),))
    assert not any("stopped" in line for f in judge(old) for line in f.detail)
    normal = replace(situation("codeine", facts=(NORMAL_2D6,)), ended=(stopped,))
    assert [f.rule for f in judge(normal) if f.topic == "pharmacogenetics"] == ["genes.stopped.codeine"]


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


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((result("DPYD", "Reference/c.1905+1G>A (*2A)"),), False),
        ((result("DPYD", "c.2846A>T/c.2846A>T"),), True),
        ((result("DPYD", "1.0", "gene-phenotype"),), True),  # the alleles are not told: it may be theirs
    ],
)
def test_what_a_row_says_of_one_allele_twice_is_said_to_those_who_may_have_it(
    facts: tuple[Fact, ...], said: bool
) -> None:
    finding = one("capecitabine", facts=facts)
    assert "lower the starting dose by 50%" in finding.summary
    assert ("c.2846A>T twice" in finding.summary) == said
    assert any("c.2846A>T twice" in line for line in finding.detail) == said


def test_thiopurines_say_first_what_to_do_for_which_disease_and_can_be_taken_away() -> None:
    poor = result("TPMT", "Poor Metabolizer", "gene-phenotype")
    normal = result("NUDT15", "Normal Metabolizer", "gene-phenotype")
    for facts in ((poor,), (poor, normal)):
        finding = one("azathioprine", facts=facts)
        assert "except for cancer, consider a" in finding.summary
        assert len(finding.summary) < 140
        assert any("three days a week (for cancer)" in line for line in finding.detail)
        assert [(r.act, r.recommended) for r in finding.remedies] == [(Act.REMOVE, False)]
    leukaemia = one("mercaptopurine", facts=(poor,))
    assert "for cancer, start with a tenth, three days a week; except for cancer, consider a non-t" in leukaemia.summary
    assert one("azathioprine", facts=(result("TPMT", "Intermediate Metabolizer", "gene-phenotype"),)).remedies == ()


@pytest.mark.parametrize(
    ("drug", "words"),
    [
        ("azathioprine", "except for cancer, consider a non-thiopurine; for cancer, start with a tenth"),
        ("mercaptopurine", "for cancer, start with 10 mg/m2/day; not cancer: consider a non-thiopurine"),
    ],
)
def test_long_headline_of_two_genes_keeps_the_dose_for_cancer_in_shorter_words(drug: str, words: str) -> None:
    finding = one(drug, facts=(result("NUDT15", "*3/*3"), result("TPMT", "*1/*3A")))
    assert finding.summary == f"{drug.capitalize()}, NUDT15 poor, TPMT intermediate (CPIC, strong): {words}"


@pytest.mark.parametrize("drug", ["azathioprine", "mercaptopurine", "thioguanine"])
def test_row_that_the_guideline_replaced_does_not_make_the_headline(drug: str) -> None:
    finding = one(drug, facts=(result("NUDT15", "*1/*3"), result("TPMT", "*1/*3A")))
    assert "lower the starting dose to 20-50% of normal (changed 2024)" in finding.summary
    assert "30-80%" not in finding.summary
    (row,) = [line for line in finding.detail if line.startswith("For everybody")]
    assert "Lower the starting dose to 20-50% of normal, as CPIC says since 2024-03-20." in row
    assert "The row here is older and replaced" in row
    other = one(drug, facts=(result("NUDT15", "*1/*1"), result("TPMT", "*1/*3A")))
    assert "changed 2024" not in other.summary


def test_phenotype_that_every_option_has_is_not_told_as_perhaps() -> None:
    sure = one("codeine", facts=(result("CYP2D6", "*1/*2xN"),))
    assert sure.severity.value == "critical"
    assert sure.summary.startswith("Codeine, CYP2D6 ultrarapid metabolizer (CPIC, strong)")
    assert "calls that fit equally well lead to different activity scores" in " ".join(sure.detail)
    unsure = one("codeine", facts=(result("CYP2D6", "*4/*2xN"),))  # two copies are usual, three are not
    assert unsure.summary.startswith("Codeine, perhaps CYP2D6 ultrarapid metabolizer")
    assert "lead to different phenotypes" in " ".join(unsure.detail)


def test_calls_that_fit_equally_well_show_every_row() -> None:
    finding = one("clopidogrel", facts=(result("CYP2C19", "*1/*17 | *2/*2"),))
    text = " ".join(finding.detail)
    assert "equally well" in text
    assert text.count("For acute coronary syndrome") == 2
    assert finding.summary.startswith("Clopidogrel, perhaps CYP2C19 poor metabolizer (CPIC")
    certain = one("clopidogrel", facts=(result("CYP2C19", "*2/*2 | *2/*3"),))  # one phenotype, whichever it is
    assert "perhaps" not in certain.summary


def test_valproate_in_a_disease_of_polg_is_critical_though_no_gene_was_looked_at() -> None:
    alpers = Fact("polg-disease", True, (Source("", "Condition", "c", "1"),), time="2020-01-01")
    finding = one("valproate", facts=(alpers,))
    assert (finding.rule, finding.severity.value) == ("genes.valproate", "critical")
    assert "fatal liver failure" in finding.summary
    assert finding.facts == (alpers,)
    assert [remedy.recommended for remedy in finding.remedies] == [True]
    assert told("valproate", facts=()) == ()


def test_valproate_in_a_urea_cycle_disorder_is_critical_and_says_what_else_the_code_stands_for() -> None:
    disorder = Fact(
        "urea-cycle-disorder",
        True,
        (Source("", "Condition", "c", "1"),),
        time="2020-01-01",
        system=ICD10CM,
        code="E72.4",
        display="Disorders of ornithine metabolism",
    )
    finding = one("valproate", facts=(disorder,))
    assert (finding.severity.value, finding.facts) == ("critical", (disorder,))
    assert "urea cycle disorder" in finding.summary
    said = "Diagnosis in the record: Disorders of ornithine metabolism (ICD-10-CM E72.4), 2020-01-01."
    assert finding.detail[0].startswith(said)
    assert "ornithinemia" in finding.detail[0]


@pytest.mark.parametrize(
    ("ordered", "facts"),
    [
        ("siponimod", (result("CYP2C9", "*3/*3"),)),
        ("thioridazine", (POOR_2D6,)),
        ("rasburicase", (result("G6PD", "Deficient", "gene-phenotype"),)),
        ("abacavir", (result("HLA-B", "*57:01 positive", "allele-status"),)),
    ],
)
def test_contraindication_has_population_strength_day_and_disclaimer(ordered: str, facts: tuple[Fact, ...]) -> None:
    finding = one(ordered, facts=facts)
    assert any("for everybody with" in line and "Strength: contraindication" in line for line in finding.detail)
    assert "inform the judgement" in finding.detail[-1]
    assert any("read on 2026-11-21" in source.label for source in finding.sources)


def test_eye_drops_are_not_what_a_guideline_speaks_of() -> None:
    deficient = result("G6PD", "Deficient with CNSHA", "gene-phenotype")
    swallowed = order("chloramphenicol")
    assert told(swallowed, facts=(deficient,)) != ()
    assert told(replace(swallowed, route="54485002"), facts=(deficient,)) == ()


def test_genes_do_not_hush_other_rules() -> None:
    facts = (POOR_2C19, taken("warfarin"))
    names = {rule for rule, _ in rules("clopidogrel", facts=facts)}
    assert "genes.clopidogrel" in names
    assert any(name.startswith("interaction.warfarin") for name in names)


def _adult(**changed: Any) -> tuple[Fact, ...]:
    facts = {
        "age": measured("age", Decimal(65)),
        "height": measured("body-height", Decimal(170)),
        "weight": measured("body-weight", Decimal(70)),
        "vkorc1": result("VKORC1", "rs9923231 reference (C)/rs9923231 reference (C)"),
        "cyp2c9": result("CYP2C9", "*1/*1"),
    } | changed
    return tuple(fact for fact in facts.values() if fact)


def test_warfarin_dose_is_estimated_when_all_is_known_and_its_accuracy_told() -> None:
    finding = one("warfarin", facts=_adult())
    # 41.1 mg in the paper's worked example for a White person; race is not read: (√41.1 − 0.1032)² ≈ 39.8
    assert "about 40 mg a week" in finding.summary
    assert finding.severity.value == "info"
    assert any("within 20 %" in line for line in finding.detail)
    assert any("Race is not read" in line for line in finding.detail)
    amiodarone = one("warfarin", facts=(*_adult(), taken("amiodarone")))
    assert "about 33 mg a week" in amiodarone.summary
    assert any("amiodarone (amiodarone)" in line for line in amiodarone.detail)
    assert any(fact.display == "amiodarone" for fact in amiodarone.facts)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"weight": None}, "body weight"),
        ({"weight": measured("body-weight", Decimal(70), "2024-01-01")}, "body weight of late"),
        ({"age": None}, "age"),
        (
            {"cyp2c9": result("CYP2C9", "no read", "gene-not-called"), "vkorc1": None},
            "a genotype of CYP2C9 or VKORC1",
        ),
    ],
)
def test_warfarin_without_an_input_says_which(changed: dict[str, Fact | None], word: str) -> None:
    finding = one("warfarin", facts=_adult(**changed))
    assert f"missing: {word}" in finding.summary
    assert "mg a week" not in finding.summary


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (result("CYP2C9", "*2/*11"), "CYP2C9 *2/*11, intermediate metabolizer (activity score 1.0)"),
        (result("CYP2C9", "*5/*6"), "CYP2C9 *5/*6, poor metabolizer (activity score 0.5)"),
        (result("CYP2C9", "Poor Metabolizer", "gene-phenotype"), "CYP2C9, poor metabolizer"),
    ],
)
def test_warfarin_and_a_gene_that_is_known_and_not_in_the_equation(known: Fact, said: str) -> None:
    finding = one("warfarin", facts=_adult(cyp2c9=known))
    assert finding.summary == f"Warfarin: no dose can be told from the genes; not in the equation: {said}"
    assert not any("CYP2C9 is not known" in line for line in finding.detail)
    assert any("it does not make CYP2C9 usual" in line for line in finding.detail)
    lacking = one("warfarin", facts=_adult(cyp2c9=known, weight=None, height=None, age=None))
    assert "missing: age, body height, body weight; not in the equation: CYP2C9" in lacking.summary


def test_warfarin_with_one_gene_takes_the_term_of_the_equation_for_the_other() -> None:
    slow = result("CYP2C9", "*3/*3")
    finding = one("warfarin", facts=_adult(cyp2c9=slow, vkorc1=None))
    # 5.6044 - 6 x 0.2614 + 170 x 0.0087 + 70 x 0.0128 - 0.4854 - 2.3312 - 0.1032, squared
    assert "about 12 mg a week" in finding.summary
    assert "VKORC1 is not known: the equation's own term for that is taken." in finding.detail
    assert "In the equation CYP2C9 *3/*3 lowers the dose." in finding.detail
    lacking = one("warfarin", facts=_adult(cyp2c9=slow, vkorc1=None, weight=None))
    assert "missing: body weight" in lacking.summary
    assert "In the equation CYP2C9 *3/*3 lowers the dose." in lacking.detail


def test_warfarin_of_a_child_is_refused_with_the_reason() -> None:
    finding = one("warfarin", facts=_adult(age=measured("age", Decimal(12))))
    assert finding.rule == "genes.warfarin.no-estimate"
    assert any("from 18 to 120" in line for line in finding.detail)


def test_drug_of_two_ingredients_is_known_by_both() -> None:
    deficient = result("G6PD", "Deficient with CNSHA", "gene-phenotype")
    found = told(order("sulfamethoxazole / trimethoprim"), facts=(deficient,))
    assert [f.rule for f in found] == ["genes.sulfamethoxazole-trimethoprim"]
    assert told("trimethoprim", facts=(deficient,)) == ()


def test_label_of_what_is_offered_is_asked_for_by_name() -> None:
    assert set(screening.ASKS) <= {"ticagrelor"}


def test_inhibitor_of_another_enzyme_than_the_drug_s_own_is_not_named() -> None:
    facts = (FAST_2C19, NORMAL_2D6, taken("quinidine"))
    finding = one("omeprazole", facts=facts)
    assert "quinidine" not in finding.summary
    assert not any("quinidine" in text for text in finding.detail)


def test_medicine_that_was_stopped_twice_is_named_once_with_its_last_day() -> None:
    twice = (
        taken("paroxetine", "p1", end="2026-04-01", active=False),
        taken("paroxetine", "p2", end="2026-05-20", active=False),
    )
    stage = replace(situation("codeine", facts=(POOR_2D6,)), ended=twice)
    (finding,) = [f for f in judge(stage) if f.topic == "pharmacogenetics"]
    assert [text[:37] for text in finding.detail if "was stopped" in text] == ["Paroxetine was stopped on 2026-05-20:"]
