"""Renal dosing: every range of every label, and everything that keeps a dose from being judged."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import Decimal

import pytest

from fhirtwin.rules.findings import Act, Severity
from fhirtwin.rules.interval import Interval, above, above_to, at_most, below, between, closed, from_to_below
from fhirtwin.rules.kidney_measure import OLDEST
from fhirtwin.rules.renal import LOCAL_ROUTES, renal
from fhirtwin.rules.renal_row import Metric, RenalRow
from fhirtwin.rules.renal_table import ROWS
from fhirtwin.rules.situation import Situation
from fhirtwin.terms.drugs import INGREDIENTS
from tests.conftest import ROOT
from tests.rules.building import BORN, DAY, TODAY, chart, clearance, flag, laid, ordered
from tests.twin.builders import facts_of, measured, observation, patient

GOLDEN = list(csv.DictReader((ROOT / "fixtures" / "golden" / "renal.csv").read_text().splitlines()))
STEP = Decimal("0.01")
METRICS = {"crcl": Metric.CLEARANCE, "egfr": Metric.EGFR}

rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def _rules(asked: Situation) -> list[str]:
    return [finding.rule for finding in renal(asked)]


def _with(row: RenalRow, value: str) -> Situation:
    facts = clearance(value) if row.metric is Metric.CLEARANCE else (measured("egfr", value, DAY),)
    return chart(*facts, orders=(ordered(*row.ingredients),))


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: f"{c['medicine']}-{c['value']}")
def test_verdicts_are_those_of_the_labels(case: dict[str, str]) -> None:
    value = case["value"]
    facts = clearance(value) if case["metric"] == "crcl" else (measured("egfr", value, DAY),)
    found = list(renal(chart(*facts, orders=(ordered(case["ingredient"]),))))
    assert [f.rule for f in found] == ([f"renal.{case['medicine']}.{case['expected']}"] if case["expected"] else [])


@rows
def test_golden_cases_lie_below_at_and_above_every_threshold(row: RenalRow) -> None:
    given = {Decimal(c["value"]) for c in GOLDEN if c["medicine"] == row.name and METRICS[c["metric"]] is row.metric}
    ends = {end for band in row.bands for end in (band.range.low, band.range.high) if end is not None}
    assert ends
    assert {end + step for end in ends for step in (-STEP, 0, STEP)} <= given


@rows
def test_every_golden_medicine_is_in_the_table_and_the_other_way_round(row: RenalRow) -> None:
    assert {c["ingredient"] for c in GOLDEN if c["medicine"] == row.name} == set(row.ingredients)
    assert {c["medicine"] for c in GOLDEN} == {r.name for r in ROWS}


@rows
def test_medicines_are_ones_that_orders_are_read_by(row: RenalRow) -> None:
    assert row.ingredients <= set(INGREDIENTS)


@rows
def test_ranges_of_a_row_do_not_overlap(row: RenalRow) -> None:
    for value in (Decimal(n) / 2 for n in range(400)):
        assert sum(value in band.range for band in row.bands) <= 1


@rows
def test_the_other_measure_is_never_put_in_its_place(row: RenalRow) -> None:
    """An eGFR tells nothing about a label that asks for clearance without a weight, nor the other way round."""
    value = "0.99" if row.metric is Metric.EGFR else "10"
    facts = (measured("egfr", value, DAY),) if row.metric is Metric.CLEARANCE else clearance(value)[1:]
    (found,) = renal(chart(*facts, orders=(ordered(*row.ingredients),)))
    assert found.rule == f"renal.{row.name}.missing"
    assert found.remedies


@rows
def test_findings_cite_the_label_and_say_what_they_were_made_from(row: RenalRow) -> None:
    inside = next(c["value"] for c in GOLDEN if c["medicine"] == row.name and c["expected"])
    (found,) = renal(_with(row, inside))
    assert len(found.summary) < 140
    assert found.sources == (row.label.citation,)
    assert row.label.section in found.sources[0].label
    assert found.sources[0].url.startswith(("https://", "http://"))
    assert {f.name for f in found.facts} == (
        {"egfr"} if row.metric is Metric.EGFR else {"creatinine", "body-weight", "age", "sex"}
    )
    assert DAY in " ".join(found.detail)
    assert inside in found.summary


@pytest.mark.parametrize("name", ["acute-kidney-injury", "dialysis"])
@rows
def test_injury_and_dialysis_end_in_a_question_and_no_dose(row: RenalRow, name: str) -> None:
    inside = next(c["value"] for c in GOLDEN if c["medicine"] == row.name and c["expected"])
    facts = clearance(inside) if row.metric is Metric.CLEARANCE else (measured("egfr", inside, DAY),)
    (found,) = renal(chart(*facts, flag(name), orders=(ordered(*row.ingredients),)))
    assert found.rule == f"renal.{row.name}.unsteady"
    assert found.severity is Severity.WARNING
    assert "Ask" in " ".join(found.detail)
    assert not any(band.advice in " ".join(found.detail) for band in row.bands)
    assert [(one.act, one.recommended) for one in found.remedies] == [(Act.ASK, False)]
    assert found.remedies[0].label == f"Task: ask nephrology or pharmacy for the dose of {row.name}"


@rows
def test_creatinine_that_changes_ends_in_a_question(row: RenalRow) -> None:
    before = measured("creatinine", "1.6", (TODAY - timedelta(days=2)).isoformat())
    (found,) = renal(chart(before, *clearance("20"), orders=(ordered(*row.ingredients),)))
    assert found.rule == f"renal.{row.name}.unsteady"


@rows
def test_a_child_is_not_judged_and_the_finding_says_so(row: RenalRow) -> None:
    asked = chart(*clearance("20"), orders=(ordered(*row.ingredients),), birth="2010-01-01")
    (found,) = renal(asked)
    assert found.rule == f"renal.{row.name}.child"
    assert found.severity is Severity.INFO


@pytest.mark.parametrize("row", [r for r in ROWS if r.metric is Metric.CLEARANCE], ids=lambda row: row.name)
def test_without_weight_it_says_so_and_offers_to_measure_it(row: RenalRow) -> None:
    (found,) = renal(chart(clearance("1")[0], orders=(ordered(*row.ingredients),)))
    assert found.rule == f"renal.{row.name}.missing"
    assert "no body weight is known" in found.summary
    assert [r.code.code for r in found.remedies if r.code] == ["29463-7"]
    assert all(r.act is Act.REQUEST for r in found.remedies)


@rows
def test_nothing_known_at_all_is_said(row: RenalRow) -> None:
    (found,) = renal(chart(orders=(ordered(*row.ingredients),)))
    assert found.rule == f"renal.{row.name}.missing"
    assert "2160-0" in {r.code.code for r in found.remedies if r.code}


@rows
def test_a_value_of_a_year_counts_and_an_older_one_does_not(row: RenalRow) -> None:
    for age, judged in ((OLDEST, True), (OLDEST + timedelta(days=1), False)):
        day = (TODAY - age).isoformat()
        old = (
            (measured("egfr", "20", day),)
            if row.metric is Metric.EGFR
            else (measured("creatinine", "1", day), measured("body-weight", "14.4", DAY))
        )
        found = _rules(chart(*old, orders=(ordered(*row.ingredients),)))
        assert (found != [f"renal.{row.name}.missing"]) is judged


def test_a_stale_weight_is_not_used() -> None:
    creatinine, _ = clearance("20")
    weight = measured("body-weight", "14.4", "2025-11-19")
    (found,) = renal(chart(creatinine, weight, orders=(ordered("67108"),)))
    assert found.rule == "renal.enoxaparin.missing"
    assert "2025-11-19" in " ".join(found.detail)


def test_two_weights_of_the_same_time_are_none() -> None:
    creatinine, weight = clearance("20")
    (found,) = renal(chart(creatinine, weight, measured("body-weight", "99", DAY), orders=(ordered("67108"),)))
    assert found.rule == "renal.enoxaparin.missing"
    assert "different values for the same time" in found.summary


def test_without_a_sex_clearance_is_not_made_up() -> None:
    born = patient(gender="unknown", birthDate=BORN)
    state = facts_of([born, observation("2160-0", "1", effectiveDateTime=DAY)])
    (found,) = renal(laid(state, ordered("67108")))
    assert "no sex is known" in " ".join(found.detail)


def test_units_of_the_record_do_not_change_the_verdict() -> None:
    """Creatinine 88.4 µmol/L is 1 mg/dL; 21.6 kg, 30 mL/min in a man of forty, is 47.62 pounds and some more."""
    for pounds, expected in (("47.61", ["renal.enoxaparin.below-30"]), ("47.63", [])):
        state = facts_of(
            [
                patient(gender="male", birthDate=BORN),
                observation("14682-9", "88.4", "umol/L", effectiveDateTime=DAY),
                observation("29463-7", pounds, "[lb_av]", effectiveDateTime=DAY),
            ]
        )
        assert _rules(laid(state, ordered("67108"))) == expected


def test_contraindicated_is_critical_and_the_draft_can_be_removed() -> None:
    (found,) = renal(chart(measured("egfr", "29", DAY), orders=(ordered("6809", number=7),)))
    assert found.severity is Severity.CRITICAL
    (remedy,) = found.remedies
    assert (remedy.act, remedy.order, remedy.recommended) == (Act.REMOVE, "MedicationRequest/draft-7", True)


def test_what_is_avoided_for_some_indications_is_not_recommended_for_removal() -> None:
    """Edoxaban above 95 mL/min is to be avoided in atrial fibrillation, and is as usual for thromboembolism."""
    (found,) = renal(chart(*clearance("100"), orders=(ordered("1599538"),)))
    assert [(r.act, r.recommended) for r in found.remedies] == [(Act.REMOVE, False)]


def test_what_is_missing_for_many_is_said_once() -> None:
    orders = (ordered("25480", number=1), ordered("82122", number=2), ordered("6809", number=3))
    (found,) = renal(chart(orders=orders))
    assert found.rule == "renal.gabapentin+levofloxacin+metformin.missing"
    assert (len(found.orders), len(found.sources)) == (3, 3)
    assert found.summary == "Gabapentin, levofloxacin, metformin: renal dose not judged: no creatinine is known"
    assert [r.label for r in found.remedies] == ["Order serum creatinine", "Measure body weight"]


def test_two_drafts_of_one_medicine_are_one_finding_and_none_is_recommended_for_removal() -> None:
    orders = (ordered("6809", number=1), ordered("6809", number=2))
    (found,) = renal(chart(measured("egfr", "20", DAY), orders=orders))
    assert found.orders == ("MedicationRequest/draft-1", "MedicationRequest/draft-2")
    assert [r.recommended for r in found.remedies] == [False, False]


def test_on_dialysis_the_finding_says_so_and_what_the_label_forbids() -> None:
    (found,) = renal(chart(flag("dialysis"), orders=(ordered("6809", number=1), ordered("25480", number=2))))
    assert found.summary == (
        "Metformin, gabapentin: dialysis or end-stage renal disease is recorded, ask before dosing"
    )
    assert "The label contraindicates metformin at eGFR below 30 mL/min/1.73 m²." in found.detail


def test_creatinine_that_an_egfr_was_calculated_from_is_shown() -> None:
    facts = [patient(gender="female", birthDate=BORN), observation("2160-0", "2.4", effectiveDateTime=DAY)]
    (found,) = renal(laid(facts_of(facts), ordered("6809")))
    assert [f.name for f in found.facts] == ["egfr", "creatinine"]
    assert f"creatinine 2.4 mg/dL of {DAY}" in " ".join(found.detail)


def test_weight_from_pounds_is_shown_with_few_digits() -> None:
    facts = [
        patient(gender="male", birthDate=BORN),
        observation("2160-0", "3", effectiveDateTime=DAY),
        observation("29463-7", "154", "[lb_av]", effectiveDateTime=DAY),
    ]
    (found,) = renal(laid(facts_of(facts), ordered("25480")))
    assert "body weight 69.85 kg of" in " ".join(found.detail)


def test_every_order_is_judged_for_itself() -> None:
    orders = (ordered("6809", number=1), ordered("25480", number=2), ordered("161", number=3))
    found = list(renal(chart(measured("egfr", "40", DAY), *clearance("40")[1:], orders=orders)))
    assert [(f.orders, f.rule) for f in found] == [
        (("MedicationRequest/draft-1",), "renal.metformin.30-to-45"),
        (("MedicationRequest/draft-2",), "renal.gabapentin.missing"),
    ]


def test_a_fixed_combination_is_judged_for_every_medicine_in_it() -> None:
    assert _rules(chart(measured("egfr", "20", DAY), orders=(ordered("593411", "6809"),))) == [
        "renal.metformin.below-30",
        "renal.sitagliptin.below-30",
    ]


def test_removing_what_is_contraindicated_in_one_indication_only_is_not_recommended() -> None:
    (found,) = renal(chart(*clearance("40"), orders=(ordered("298869"),)))
    assert found.rule == "renal.eplerenone.above-30-to-50"
    assert found.severity is Severity.WARNING
    assert [(one.label, one.recommended) for one in found.remedies] == [
        ("Remove this order of eplerenone, to write another", False)
    ]


@pytest.mark.parametrize("route", sorted(LOCAL_ROUTES))
def test_eye_drops_and_the_like_are_not_judged(route: str) -> None:
    assert _rules(chart(*clearance("5"), orders=(ordered("82122", route=route),))) == []
    assert _rules(chart(*clearance("5"), orders=(ordered("82122", route="26643006"),))) != []


@pytest.mark.parametrize(
    ("interval", "inside", "outside", "words"),
    [
        (below(3), ["2.99", "-1"], ["3"], "below 3"),
        (at_most(3), ["3"], ["3.01"], "3 or below"),
        (above(3), ["3.01"], ["3"], "above 3"),
        (Interval(low=Decimal(3), with_low=True), ["3"], ["2.99"], "3 or above"),
        (closed(3, 5), ["3", "5"], ["2.99", "5.01"], "3 to 5 (both included)"),
        (from_to_below(3, 5), ["3", "4.99"], ["5"], "3 to below 5"),
        (above_to(3, 5), ["3.01", "5"], ["3"], "above 3 to 5"),
        (between(3, 5), ["3.01", "4.99"], ["3", "5"], "above 3 to below 5"),
    ],
)
def test_ends_of_ranges(interval: Interval, inside: list[str], outside: list[str], words: str) -> None:
    assert all(Decimal(v) in interval for v in inside)
    assert not any(Decimal(v) in interval for v in outside)
    assert str(interval) == words
