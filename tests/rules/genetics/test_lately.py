"""Inhibitors that are over or on hold: a remark where the guideline would say otherwise while they act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fhirtwin.pgx.guideline import Key, Recommendation
from fhirtwin.pgx.lookup import PLAIN
from fhirtwin.pgx.recommendations import Find
from fhirtwin.pgx.results import GenePhenotype, Known
from fhirtwin.rules.findings import Finding
from fhirtwin.rules.registry import judge
from fhirtwin.twin.state import Fact
from tests.rules.building import order, situation, taken
from tests.rules.genetics.building import NORMAL_2D6, POOR_2D6, result


def found(
    ordered: str, facts: tuple[Fact, ...], ended: tuple[Fact, ...] = (), undated: tuple[Fact, ...] = ()
) -> Finding:
    (finding,) = every(ordered, facts, ended, undated)
    return finding


def every(
    ordered: str, facts: tuple[Fact, ...], ended: tuple[Fact, ...] = (), undated: tuple[Fact, ...] = ()
) -> list[Finding]:
    stage = replace(situation(ordered, facts=facts), ended=ended, undated=undated)
    return [finding for finding in judge(stage) if finding.topic == "pharmacogenetics"]


def over(name: str, end: str = "2026-05-31") -> Fact:
    return replace(taken(name, name), end=end, active=False)


def test_inhibitor_stopped_yesterday_is_told_though_the_genes_alone_lead_to_nothing() -> None:
    finding = found("tamoxifen", (NORMAL_2D6,), (over("fluoxetine"),))
    assert (finding.rule, finding.severity.value) == ("genes.stopped.tamoxifen", "info")
    assert finding.summary == "Tamoxifen: fluoxetine was stopped on 2026-05-31 and may still slow CYP2D6"
    text = " ".join(finding.detail)
    assert "how long its effect lasts after the last dose is not in our sources. It is not counted." in text
    assert "While it acts: CYP2D6: poor metabolizer (activity score 0.0)." in text
    assert "hoose an aromatase inhibitor" in text
    assert [fact.display for fact in finding.facts] == ["CYP2D6", "fluoxetine"]


def test_one_whose_last_day_nobody_tells_is_told_too() -> None:
    finding = found("tamoxifen", (NORMAL_2D6,), undated=(over("paroxetine", ""),))
    assert finding.summary == "Tamoxifen: paroxetine was stopped or put on hold and may still slow CYP2D6"
    assert any("the entry is of 2026-05-01" in line for line in finding.detail)


def test_one_that_is_named_on_the_card_of_the_draft_is_not_told_twice() -> None:
    facts = (result("CYP2D6", "*1/*4"),)
    assert [f.rule for f in every("tamoxifen", facts, (over("fluoxetine"),))] == ["genes.tamoxifen"]
    named = every("tamoxifen", facts, undated=(over("fluoxetine", ""),))
    assert [f.rule for f in named] == ["genes.tamoxifen", "genes.stopped.tamoxifen"]


@pytest.mark.parametrize(
    ("ordered", "facts", "ended", "undated"),
    [
        ("tamoxifen", (), (over("fluoxetine"),), ()),  # nobody looked at a gene
        ("tamoxifen", (NORMAL_2D6,), (over("sertraline"),), ()),  # weak: nothing changes
        ("tamoxifen", (NORMAL_2D6,), (over("fluoxetine", "2025-05-31"),), ()),
        ("tamoxifen", (NORMAL_2D6,), (), (replace(over("fluoxetine", ""), time="2024-05-31"),)),
        ("ibuprofen", (NORMAL_2D6,), (over("fluoxetine"),), ()),
        ("paroxetine", (NORMAL_2D6,), (over("paroxetine"),), ()),  # its own inhibition
    ],
)
def test_others_are_not_told(
    ordered: str, facts: tuple[Fact, ...], ended: tuple[Fact, ...], undated: tuple[Fact, ...]
) -> None:
    assert every(ordered, facts, ended, undated) == []


def test_one_that_is_taken_again_or_ordered_is_not_told_as_stopped() -> None:
    again = every("tamoxifen", (NORMAL_2D6, taken("fluoxetine")), (over("fluoxetine"),))
    assert [f.rule for f in again] == ["genes.tamoxifen"]
    stage = situation(order("tamoxifen", "d1"), order("fluoxetine", "d2"), facts=(NORMAL_2D6,))
    both = [f.rule for f in judge(replace(stage, ended=(over("fluoxetine"),))) if f.topic == "pharmacogenetics"]
    assert "genes.stopped.tamoxifen" not in both


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


def test_medicine_that_was_stopped_twice_is_named_once_with_its_last_day() -> None:
    twice = (
        taken("paroxetine", "p1", end="2026-04-01", active=False),
        taken("paroxetine", "p2", end="2026-05-20", active=False),
    )
    stage = replace(situation("codeine", facts=(POOR_2D6,)), ended=twice)
    (finding,) = [f for f in judge(stage) if f.topic == "pharmacogenetics"]
    assert [text[:37] for text in finding.detail if "was stopped" in text] == ["Paroxetine was stopped on 2026-05-20:"]


class OnlyWhatWasAsked:
    """Looks up as plain tables do, and refuses a row that was not asked for before."""

    def phenotypes(self, calls: Iterable[Known]) -> dict[str, GenePhenotype]:
        return dict(PLAIN.phenotypes(calls))

    def finder(self, keys: Iterable[Key]) -> Find:
        asked, plain = frozenset(keys), PLAIN.finder(())

        def find(drug: str, key: Key) -> Iterable[Recommendation]:
            assert key in asked, (drug, key)
            return plain(drug, key)

        return find


@pytest.mark.parametrize("name", ["fluoxetine", "duloxetine"])
def test_rows_of_it_are_asked_for_with_all_others(name: str) -> None:
    stage = replace(situation("tamoxifen", facts=(NORMAL_2D6,)), genes=OnlyWhatWasAsked())
    for changed in (replace(stage, ended=(over(name),)), replace(stage, undated=(over(name, ""),))):
        rules = [finding.rule for finding in judge(changed) if finding.topic == "pharmacogenetics"]
        assert rules == ["genes.stopped.tamoxifen"]
