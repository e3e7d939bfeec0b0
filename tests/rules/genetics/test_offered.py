"""What is offered instead of a draft, what is only named, and what is neither."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhirtwin.rules.findings import Act, Finding
from fhirtwin.rules.genetics import screening
from fhirtwin.rules.registry import judge
from fhirtwin.rules.situation import Situation
from fhirtwin.twin import gaps, medicines
from fhirtwin.twin.mappers import allergy_intolerance
from fhirtwin.twin.state import Fact, Source, Unused
from tests.rules.building import allergic, code, order, situation, taken
from tests.rules.genetics.building import (
    FAST_2C19,
    FAST_2D6,
    NORMAL_2D6,
    POOR_2C19,
    POOR_2D6,
    fits,
    named,
    offered,
    one,
    result,
    told,
)

FITS_SERTRALINE = (FAST_2D6, result("CYP2C19", "*1/*1"), result("CYP2B6", "*1/*1"))


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


def test_label_of_what_is_offered_is_asked_for_by_name() -> None:
    assert set(screening.ASKS) <= {"ticagrelor"}
