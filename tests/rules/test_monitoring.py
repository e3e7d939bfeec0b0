"""Monitoring that is due: at the last day of each interval, the day after, and with nothing known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fhirtwin.rules.findings import Act, Severity
from fhirtwin.rules.monitoring import codes_of, monitoring, monitoring_of_taken
from fhirtwin.rules.monitoring_row import Due, MonitoringRow
from fhirtwin.rules.monitoring_table import ROWS
from fhirtwin.rules.situation import Situation
from fhirtwin.terms.concepts.observations import SETS
from fhirtwin.terms.drugs import INGREDIENTS
from fhirtwin.terms.facts import UNITS
from fhirtwin.twin.derived import as_of
from fhirtwin.twin.state import Fact, Source
from tests.rules.building import DAY, TODAY, chart, laid, ordered
from tests.twin.builders import facts_of, measured, observation, patient, person

DUES = [pytest.param(row, due, id=f"{row.name}-{due.check.key}") for row in ROWS for due in row.dues]

INTERVALS = {
    # as read: NHS SPS on lithium, spironolactone, amiodarone, valproate and DOACs; NHS Somerset on ACE
    # inhibitors; NICE on receptor blockers; labels: warfarin 2.4, Clozaril, metformin; the consensus of 2004;
    # Krantz 2009 on methadone; the guideline of 2023 on dofetilide and sotalol.
    # Longest calendar length of the interval, in days.
    ("lithium", "lithium-level"): 184,
    ("lithium", "kidney"): 184,
    ("lithium", "thyroid"): 184,
    ("lithium", "calcium"): 184,
    ("ACE inhibitor", "potassium"): 366,
    ("ACE inhibitor", "kidney"): 366,
    ("angiotensin receptor blocker", "potassium"): 366,
    ("angiotensin receptor blocker", "kidney"): 366,
    ("spironolactone", "potassium"): 184,
    ("spironolactone", "kidney"): 184,
    ("warfarin", "inr"): 28,
    ("direct oral anticoagulant", "creatinine"): 366,
    ("direct oral anticoagulant", "hemoglobin"): 366,
    ("direct oral anticoagulant", "liver"): 366,
    ("valproate", "liver"): 366,
    ("valproate", "platelets"): 366,
    ("valproate", "weight"): 366,
    ("clozapine", "neutrophils"): 31,
    ("metformin", "kidney"): 366,
    ("metformin (blood count)", "hemoglobin"): 366,
    ("second-generation antipsychotic", "weight"): 92,
    ("second-generation antipsychotic", "glucose"): 366,
    ("second-generation antipsychotic", "blood-pressure"): 366,
    ("second-generation antipsychotic", "lipids"): 1830,
    ("amiodarone", "thyroid"): 184,
    ("amiodarone", "liver"): 184,
    ("dofetilide", "qtc"): 184,
    ("dofetilide", "potassium"): 184,
    ("dofetilide", "magnesium"): 184,
    ("dofetilide", "creatinine"): 184,
    ("sotalol", "qtc"): 184,
    ("sotalol", "potassium"): 184,
    ("sotalol", "magnesium"): 184,
    ("methadone", "qtc"): 366,
}


def _due(asked: Situation, row: MonitoringRow) -> set[str]:
    slugs = {f.rule: f for f in monitoring(asked)}
    found = [f for f in slugs.values() if f.sources == (row.source,)]
    return {r.code.code for f in found for r in f.remedies if r.code}


def test_intervals_are_those_that_were_read() -> None:
    assert {(r.name, d.check.key): d.every.days for r in ROWS for d in r.dues} == INTERVALS


@pytest.mark.parametrize(("row", "due"), DUES)
def test_a_result_holds_to_the_last_day_of_its_interval_and_no_longer(row: MonitoringRow, due: Due) -> None:
    for fact in due.check.facts:
        for days, expected in ((0, False), (due.every.days, False), (due.every.days + 1, True)):
            day = (TODAY - timedelta(days=days)).isoformat()
            asked = chart(measured(fact, "5", day), orders=(ordered(min(row.ingredients)),), birth="2012-01-01")
            assert (due.check.order.code in _due(asked, row)) is expected, (fact, days)


@pytest.mark.parametrize(("row", "due"), DUES)
def test_what_was_never_measured_is_due(row: MonitoringRow, due: Due) -> None:
    asked = chart(orders=(ordered(min(row.ingredients)),))
    assert due.check.order.code in _due(asked, row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_ingredient_of_a_row_fires_it_and_is_one_that_orders_are_read_by(row: MonitoringRow) -> None:
    assert row.ingredients
    for ingredient in row.ingredients:
        assert ingredient in INGREDIENTS
        assert _due(chart(orders=(ordered(ingredient),)), row)


@pytest.mark.parametrize(("row", "due"), DUES)
def test_checks_are_told_by_facts_of_the_twin_and_ordered_by_codes_of_loinc(row: MonitoringRow, due: Due) -> None:
    assert set(due.check.facts) <= set(UNITS)
    words = {code: shown for s in SETS for code, shown in s.rows.items()}
    assert due.check.order.display == words.get(due.check.order.code, due.check.order.display)
    assert due.check.order.code in words or due.check.key in ("lipids", "blood-pressure")


def test_findings_name_the_orders_the_last_result_and_the_source() -> None:
    last = measured("inr", "2.4", "2026-10-01")
    orders = (ordered("11289", number=1), ordered("161", number=2), ordered("11289", number=3))
    (found,) = monitoring(chart(last, orders=orders))
    assert found.rule == "monitoring.warfarin.inr"
    assert found.orders == ("MedicationRequest/draft-1", "MedicationRequest/draft-3")
    assert found.severity is Severity.WARNING
    assert found.facts == (last,)
    assert "2026-10-01" in found.detail[1]
    assert len(found.summary) < 140
    assert [r.act for r in found.remedies] == [Act.REQUEST]


def test_findings_name_the_medicine_and_say_that_no_value_is_judged() -> None:
    (found,) = monitoring(chart(orders=(ordered("29046"),)))
    assert found.summary == "Lisinopril: monitoring is due (potassium, creatinine or eGFR)"
    assert found.detail[0] == "The source speaks of: ACE inhibitor."
    assert any("values themselves are not judged" in text for text in found.detail)
    heads = [f.summary for f in monitoring_of_taken(person(_taken("6809")), TODAY)]
    assert heads == ["Metformin: monitoring is due (creatinine or eGFR)", "Metformin: monitoring is due (hemoglobin)"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_everything_missing_at_once_fits_into_a_summary(row: MonitoringRow) -> None:
    for found in monitoring(chart(orders=(ordered(min(row.ingredients)),))):
        assert len(found.summary) < 140
        assert found.sources[0].url.startswith("https://")


def test_of_two_results_the_newer_counts() -> None:
    facts = (measured("inr", "2", "2025-01-01"), measured("inr", "3", DAY))
    assert list(monitoring(chart(*facts, orders=(ordered("11289"),)))) == []


def test_a_result_that_is_only_a_bound_does_not_count() -> None:
    bound = observation("6301-6", "8", "{INR}", effectiveDateTime=DAY)
    bound["valueQuantity"]["comparator"] = ">"
    (found,) = monitoring(laid(facts_of([patient(), bound]), ordered("11289")))
    assert "no result is known" in found.detail[1]
    assert "Only results that the twin can use count." in found.detail


def test_a_month_counts_by_its_last_day() -> None:
    """A result of "October 2026" may be of the 31st, twenty days ago."""
    assert list(monitoring(chart(measured("inr", "2", "2026-10"), orders=(ordered("11289"),)))) == []


def _taken(ingredient: str) -> Fact:
    return Fact("medicine", ingredient, (Source("", "MedicationRequest", "m", "1"),), time="2024-01-01")


def test_medicines_that_are_taken_are_watched_without_an_order() -> None:
    state = as_of(person(_taken("6448"), measured("tsh", "2", DAY)), TODAY)
    (found,) = monitoring_of_taken(state, TODAY)
    assert found.rule == "monitoring.lithium.lithium-level+kidney+calcium"
    assert found.orders == ()
    assert "TSH" not in found.summary


def test_a_qtc_by_any_formula_or_unit_of_a_second_counts_under_methadone() -> None:
    for code, value, unit in (("8636-3", "431", "ms"), ("76634-5", "0.431", "s"), ("76635-2", "431", "ms")):
        seen = facts_of([patient(), observation(code, value, unit, effectiveDateTime=DAY)])
        assert list(monitoring(laid(seen, ordered("6813")))) == [], code
        assert [f.rule for f in monitoring(laid(facts_of([patient()]), ordered("6813")))] == [
            "monitoring.methadone.qtc"
        ]


def test_what_is_ordered_already_is_not_asked_for_by_any_of_its_codes() -> None:
    state = as_of(person(_taken("11289"), _taken("6809")), TODAY)
    assert [f.rule for f in monitoring_of_taken(state, TODAY)] == [
        "monitoring.warfarin.inr",
        "monitoring.metformin.kidney",
        "monitoring.metformin-blood-count.hemoglobin",
    ]
    known = {"6301-6", "98979-8"}
    asked = chart(orders=(ordered("11289"), ordered("6809")))
    assert [f.rule for f in monitoring(asked, known)] == ["monitoring.metformin-blood-count.hemoglobin"]
    left = monitoring_of_taken(state, TODAY, known)
    assert [f.rule for f in left] == ["monitoring.metformin-blood-count.hemoglobin"]


def test_codes_of_a_check_are_its_order_and_all_its_results() -> None:
    kidney = next(d for r in ROWS if r.name == "metformin" for d in r.dues)
    assert {"2160-0", "14682-9", "98979-8"} <= codes_of(kidney)
    assert "2823-3" not in codes_of(kidney)
