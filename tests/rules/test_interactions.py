from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from fhirtwin.rules.findings import SUMMARY_LENGTH, Act, Severity
from fhirtwin.rules.interactions import ROWS, sources
from fhirtwin.rules.tables import heart_rhythm
from fhirtwin.terms import drugs
from tests.rules.building import found, measured, order, rules, taken

PAIRS = [
    (row, left, right) for row in ROWS for left in sorted(row.left) for right in sorted(row.right) if left != right
]


def name(code: str) -> str:
    return drugs.name_of(code)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_pair_of_a_row_is_found_in_both_directions_and_both_drafts(row: object) -> None:
    for one, left, right in PAIRS:
        if one is not row:
            continue
        wanted = (f"interaction.{one.id}", one.severity.value)
        assert wanted in rules(name(left), facts=(taken(name(right)),)), (name(left), name(right))
        assert wanted in rules(name(right), facts=(taken(name(left)),)), (name(right), name(left))
        assert wanted in rules(name(left), name(right))


def test_every_headline_fits_and_every_row_has_its_source() -> None:
    for row, left, right in PAIRS:
        assert len(f"{name(left)} with {name(right)}: {row.effect}") <= SUMMARY_LENGTH
        assert row.sources
        assert row.advice
        assert (row.request is None) == (row.known_by == "")
    assert all(re.fullmatch(r"https://\S+", source.url) for source in sources())
    assert len({row.id for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("ordered", "beside"),
    [
        ("metformin", "lithium"),
        ("pravastatin", "clarithromycin"),
        ("lovastatin", "fluconazole"),
        ("citalopram", "metformin"),
        ("pantoprazole", "clopidogrel"),
        ("sertraline", "amlodipine"),
        ("hydrochlorothiazide", "lisinopril"),
        ("warfarin", "acetaminophen"),
        ("warfarin", "pantoprazole"),
        ("warfarin", "doxycycline"),
        ("apixaban", "aspirin"),
    ],
)
def test_pairs_that_no_source_speaks_of_are_silent(ordered: str, beside: str) -> None:
    assert rules(ordered, facts=(taken(beside),)) == []
    assert rules(beside, facts=(taken(ordered),)) == []


def test_two_that_prolong_qt_are_found_once_and_ask_for_an_ecg() -> None:
    (finding,) = found("citalopram", facts=(taken("ondansetron"),))
    assert (finding.rule, finding.severity) == ("interaction.qt-two", Severity.WARNING)
    assert "ECG monitoring" in " ".join(finding.detail)
    assert [r.code.code for r in finding.remedies if r.code] == ["8636-3"]
    assert len(finding.sources) == 2


def test_qt_is_not_told_twice_where_a_label_forbids_the_two() -> None:
    assert rules("ziprasidone", facts=(taken("moxifloxacin"),)) == [("interaction.ziprasidone-qt", "critical")]
    assert rules("pimozide", facts=(taken("clarithromycin"),)) == [
        ("interaction.pimozide-macrolides-azoles", "critical")
    ]


def test_many_that_prolong_qt_are_one_finding() -> None:
    beside = (taken("citalopram", "c"), taken("methadone", "m"))
    (finding,) = found("haloperidol", "ondansetron", "azithromycin", facts=beside)
    assert finding.rule == "interaction.qt-two"
    assert finding.summary == (
        "Haloperidol, ondansetron, azithromycin with citalopram, methadone: all prolong the QT interval"
    )
    assert finding.orders == ("MedicationRequest/d1", "MedicationRequest/d2", "MedicationRequest/d3")
    assert [r.order for r in finding.remedies if r.act is Act.REMOVE] == list(finding.orders)
    assert len(finding.facts) == 2


def test_what_one_row_says_of_an_order_is_one_finding() -> None:
    (finding,) = found("oxycodone", facts=(taken("alprazolam", "a"), taken("lorazepam", "l")))
    assert finding.summary == "Oxycodone with alprazolam, lorazepam: sedation, respiratory depression, death"


def test_combination_of_which_two_ingredients_meet_a_row_is_one_finding() -> None:
    (finding,) = found("aspirin / dipyridamole", facts=(taken("warfarin"),))
    assert finding.summary == "Aspirin, dipyridamole with warfarin: bleeding"
    assert [r.label for r in finding.remedies] == ["Remove the order of aspirin / dipyridamole", "Order INR"]


def test_of_two_drafts_that_exclude_one_another_either_may_go_and_none_is_recommended() -> None:
    (finding,) = found("simvastatin", "clarithromycin")
    assert [(r.order, r.recommended) for r in finding.remedies] == [
        ("MedicationRequest/d1", False),
        ("MedicationRequest/d2", False),
    ]


def test_result_of_years_ago_is_asked_for_again() -> None:
    level = measured("lithium-level", Decimal("0.8"), "2024-05-20")
    (finding,) = found("ibuprofen", facts=(taken("lithium"), level))
    assert [(r.label, r.recommended) for r in finding.remedies if r.act is Act.REQUEST] == [
        ("Order lithium level", True)
    ]
    assert "The newest lithium level is of 2024-05-20, more than a year old." in finding.detail


@pytest.mark.parametrize(("route", "expected"), [("54485002", 0), ("10547007", 0), ("26643006", 1), ("", 1)])
def test_eye_and_ear_drops_are_weighed_against_nothing(route: str, expected: int) -> None:
    drops = replace(order("ciprofloxacin"), route=route)
    assert len(found(drops, facts=(taken("tizanidine"),))) == expected


def test_one_that_prolongs_qt_alone_is_silent() -> None:
    assert rules("citalopram", facts=(taken("metformin"),)) == []
    assert set(heart_rhythm.ADVICE) <= set(heart_rhythm.PROLONGS)


def test_what_is_recommended_follows_the_source_and_the_record() -> None:
    (forbidden,) = found("simvastatin", facts=(taken("itraconazole"),))
    assert [(r.act, r.recommended) for r in forbidden.remedies] == [(Act.REMOVE, True)]
    (watched,) = found("ibuprofen", facts=(taken("lithium"),))
    assert [(r.act, r.recommended) for r in watched.remedies] == [(Act.REMOVE, False), (Act.REQUEST, True)]
    level = measured("lithium-level", Decimal("0.8"))
    (known,) = found("ibuprofen", facts=(taken("lithium"), level))
    assert [(r.act, r.recommended) for r in known.remedies] == [(Act.REMOVE, False), (Act.REQUEST, False)]
    assert level in known.facts
    assert "No result of" in " ".join(watched.detail)
    assert "No result of" not in " ".join(known.detail)


def test_how_a_medicine_was_read_is_said() -> None:
    (finding,) = found("ibuprofen", facts=(taken("lithium", note=drugs.FROM_DISPLAY),))
    assert drugs.FROM_DISPLAY in " ".join(finding.detail)


def test_ingredients_of_one_order_are_no_pair_of_its_own() -> None:
    assert rules("lisinopril / potassium chloride") == []


def test_order_is_not_weighed_against_its_own_record() -> None:
    assert rules("lithium", facts=(taken("lithium", id_="d1"),)) == []
    assert rules("lithium", facts=(taken("lithium", id_="old"),)) == [("duplicate.same-ingredient", "info")]


def test_same_ingredient_in_two_drafts_is_a_warning() -> None:
    assert rules("metformin", "metformin") == [("duplicate.same-ingredient", "warning")]


def test_ingredient_that_is_ordered_and_taken_many_times_is_one_finding() -> None:
    beside = (taken("acetaminophen", "old"), taken("acetaminophen", "older"))
    (finding,) = found("acetaminophen / hydrocodone", "acetaminophen", facts=beside)
    assert finding.summary == "Acetaminophen is ordered twice, and taken already"
    assert [r.label for r in finding.remedies] == [
        "Remove the order of acetaminophen / hydrocodone",
        "Remove the order of acetaminophen",
    ]


def test_most_urgent_comes_first() -> None:
    severities = [
        s
        for _, s in rules(
            "simvastatin", "ibuprofen", "lisinopril", facts=(taken("itraconazole"), taken("lithium", "l"))
        )
    ]
    assert severities == sorted(severities, key=["critical", "warning", "info"].index)
    assert set(severities) == {"critical", "warning", "info"}
