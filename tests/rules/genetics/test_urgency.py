"""Whether there is a card, and how urgent it is: by what is to be done and the harm, never by the phenotype alone."""

from __future__ import annotations

import pytest

from fhirtwin.twin.state import Fact
from tests.rules.building import rules, taken
from tests.rules.genetics.building import FAST_2C19, FAST_2D6, NORMAL_2D6, POOR_2C19, POOR_2D6, one, result, told


def test_nobody_tested_raises_nothing_whatever_is_ordered() -> None:
    drafts = ("codeine", "clopidogrel", "abacavir", "carbamazepine", "warfarin", "siponimod", "valproate")
    assert told(*drafts, facts=()) == ()
    assert told("paroxetine", facts=(taken("tamoxifen"),)) == ()


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


def test_genes_do_not_hush_other_rules() -> None:
    facts = (POOR_2C19, taken("warfarin"))
    names = {rule for rule, _ in rules("clopidogrel", facts=facts)}
    assert "genes.clopidogrel" in names
    assert any(name.startswith("interaction.warfarin") for name in names)
