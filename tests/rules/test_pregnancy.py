from __future__ import annotations

from dataclasses import replace

import pytest

from fhirtwin.rules.findings import SUMMARY_LENGTH, Act
from fhirtwin.rules.pregnancy import ROWS, harmful_in_pregnancy
from fhirtwin.terms import drugs
from fhirtwin.twin.state import Fact, Source
from tests.rules.building import found, rules, situation

PREGNANT = Fact("pregnancy", True, (Source("", "Condition", "p", "1"),), time="2026-03-01")


@pytest.mark.parametrize(
    ("ordered", "rule", "recommended"),
    [
        ("lisinopril", "renin-angiotensin-system", True),
        ("losartan", "renin-angiotensin-system", True),
        ("aliskiren", "renin-angiotensin-system", True),
        ("sacubitril / valsartan", "renin-angiotensin-system", True),
        ("methotrexate", "methotrexate", False),
        ("warfarin", "warfarin", False),
    ],
)
def test_what_a_label_forbids_is_critical_and_recommended_for_removal_where_it_always_does(
    ordered: str, rule: str, recommended: bool
) -> None:
    (finding,) = found(ordered, facts=(PREGNANT,))
    assert (finding.rule, finding.severity.value) == (f"pregnancy.{rule}", "critical")
    assert [(r.act, r.recommended) for r in finding.remedies] == [(Act.REMOVE, recommended)]
    assert finding.facts == (PREGNANT,)
    assert "pregnancy" in finding.summary


@pytest.mark.parametrize("ordered", ["amoxicillin", "methyldopa", "acetaminophen"])
def test_others_are_not_spoken_of(ordered: str) -> None:
    assert rules(ordered, facts=(PREGNANT,)) == []


def test_without_a_recorded_pregnancy_nothing_is_said() -> None:
    assert rules("lisinopril") == []
    assert rules("lisinopril", facts=(Fact("pregnancy", False, PREGNANT.sources, time="2026-05-01"),)) == []


def test_a_pregnancy_that_is_too_long_ago_to_count_is_a_remark() -> None:
    begun = replace(PREGNANT, time="2025-07-01")
    asked = replace(situation("lisinopril", "amoxicillin"), forgotten=(begun,))
    (finding,) = harmful_in_pregnancy(asked)
    assert (finding.rule, finding.severity.value) == ("pregnancy.renin-angiotensin-system.not-counted", "info")
    assert finding.summary == "Lisinopril: a pregnancy is recorded 335 days ago, without an end, and not counted"
    assert (finding.facts, finding.remedies) == ((begun,), ())
    counted = replace(situation("lisinopril", facts=(PREGNANT,)), forgotten=(begun,))
    assert [f.rule for f in harmful_in_pregnancy(counted)] == ["pregnancy.renin-angiotensin-system"]


def test_every_row_fits_and_has_its_source() -> None:
    for row in ROWS:
        assert row.sources
        assert all(source.url.startswith("https://") for source in row.sources)
        assert row.medicines <= set(drugs.INGREDIENTS)
        longest = max(map(drugs.name_of, row.medicines), key=len)
        assert len(f"{longest} in pregnancy: {row.effect}") <= SUMMARY_LENGTH
