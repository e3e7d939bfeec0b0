"""What a card says of a result, in its headline and in its lines."""

from __future__ import annotations

import pytest

from fhirtwin.twin.state import Fact
from tests.rules.genetics.building import POOR_2D6, one, result


def test_a_phenotype_that_came_without_a_score_is_said_so() -> None:
    finding = one("phenytoin", facts=(result("CYP2C9", "Poor Metabolizer", "gene-phenotype"),))
    text = " ".join(finding.detail)
    assert "by the phenotype Poor Metabolizer of CYP2C9, of which no activity score was given" in text
    assert "not in the table" not in text


def test_a_reported_word_is_told_as_that_word_and_not_as_a_score_that_nobody_measured() -> None:
    found = one("phenytoin", facts=(result("CYP2C9", "Poor Metabolizer", "gene-phenotype"),))
    assert "CYP2C9 poor metabolizer" in found.summary and "activity score" not in found.summary


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
