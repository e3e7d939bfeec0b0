"""Results that are still to come when an encounter ends."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.rules.findings import Severity
from fhirtwin.rules.pending import LISTED, Pending, ordered_codes, pending, pending_results
from fhirtwin.twin.state import Source
from tests.twin.builders import Json, concept

HERE = {"reference": "Encounter/e1"}


def _order(**members: Any) -> Json:
    base = {
        "resourceType": "ServiceRequest",
        "id": "o1",
        "status": "active",
        "intent": "order",
        "encounter": HERE,
        "code": concept("loinc", "2823-3", display="Potassium [Moles/volume] in Serum or Plasma"),
        "authoredOn": "2026-11-19",
    }
    return base | members


def _result(kind: str = "Observation", **members: Any) -> Json:
    base = {
        "resourceType": kind,
        "id": "r1",
        "status": "preliminary",
        "encounter": HERE,
        "code": concept("loinc", "6301-6", display="INR"),
        "effectiveDateTime": "2026-11-20T08:00:00Z",
    }
    return base | members


def _found(*resources: Json) -> tuple[Pending, ...]:
    return pending([(Source("", r["resourceType"], r["id"], "1"), r) for r in resources], "e1")


@pytest.mark.parametrize(
    ("kind", "status", "is_pending"),
    [
        ("Observation", "registered", True),
        ("Observation", "preliminary", True),
        ("Observation", "final", False),
        ("Observation", "cancelled", False),
        ("Observation", "entered-in-error", False),
        ("DiagnosticReport", "registered", True),
        ("DiagnosticReport", "partial", True),
        ("DiagnosticReport", "preliminary", True),
        ("DiagnosticReport", "amended", False),
    ],
)
def test_results_by_status(kind: str, status: str, is_pending: bool) -> None:
    assert bool(_found(_result(kind, status=status))) is is_pending


@pytest.mark.parametrize(
    ("members", "is_pending"),
    [
        ({}, True),
        ({"status": "completed"}, False),
        ({"status": "draft"}, False),
        ({"intent": "plan"}, False),
        ({"doNotPerform": True}, False),
        ({"code": concept("snomed", "91251008")}, False),
        ({"code": concept("snomed", "1"), "category": [concept("snomed", "108252007")]}, True),
        ({"code": concept("snomed", "1"), "category": [concept("snomed", "363679005")]}, True),
        ({"encounter": {"reference": "Encounter/e2"}}, False),
        ({"encounter": {"reference": "https://ehr.example/fhir/Encounter/e1"}}, True),
        ({"encounter": None}, False),
        ({"encounter": {"reference": "EpisodeOfCare/e1"}}, False),
    ],
)
def test_orders_that_end_in_a_result_and_belong_to_the_encounter(members: Json, is_pending: bool) -> None:
    assert bool(_found(_order(**members))) is is_pending


@pytest.mark.parametrize(("status", "is_pending"), [("final", False), ("corrected", False), ("preliminary", True)])
def test_an_order_is_answered_by_a_final_result_that_names_it(status: str, is_pending: bool) -> None:
    answer = _result(status=status, basedOn=[{"reference": "ServiceRequest/o1"}], encounter=None)
    assert bool(_found(_order(), answer)) is is_pending


def test_a_result_that_names_another_order_answers_nothing() -> None:
    answer = _result(status="final", basedOn=[{"reference": "ServiceRequest/o2"}, {"reference": "CarePlan/o1"}])
    assert [p.source.id for p in _found(_order(), answer)] == ["o1"]


def test_one_finding_names_what_is_pending() -> None:
    (finding,) = pending_results(_found(_order(), _result()))
    assert finding.summary == "2 results are still to come"
    assert finding.severity is Severity.WARNING
    assert finding.orders == ("Observation/r1", "ServiceRequest/o1")
    assert [(f.value, f.note, f.time[:10]) for f in finding.facts] == [
        ("INR", "preliminary", "2026-11-20"),
        ("Potassium [Moles/volume] in Serum or Plasma", "active", "2026-11-19"),
    ]
    (one,) = pending_results(_found(_order()))
    assert one.summary == "1 result is still to come"


def test_a_long_list_is_cut_and_says_by_how_much() -> None:
    (finding,) = pending_results(_found(*(_order(id=f"o{n}") for n in range(LISTED + 3))))
    assert len(finding.facts) == LISTED
    assert "there are 3 more" in finding.detail[1]
    (full,) = pending_results(_found(*(_order(id=f"o{n}") for n in range(LISTED))))
    assert len(full.detail) == 1


def test_nothing_pending_is_nothing_to_say() -> None:
    assert list(pending_results(())) == []


@pytest.mark.parametrize(
    ("code", "title"),
    [
        (concept("loinc", "1-1"), "LOINC 1-1"),
        ({"text": "blood culture"}, "blood culture"),
        ({"text": "x" * 500}, "x" * 80),
        (None, "not named"),
        ({"coding": ["?"]}, "not named"),
    ],
)
def test_titles(code: Any, title: str) -> None:
    assert _found(_result(code=code))[0].title == title


def test_codes_on_order_are_those_of_active_orders_of_any_encounter() -> None:
    orders = [_order(), _order(id="o2", status="revoked", code=concept("loinc", "6301-6")), _order(encounter=None)]
    assert ordered_codes([(Source("", "ServiceRequest", o["id"]), o) for o in orders]) == {"2823-3"}
    assert ordered_codes([(Source("", "Observation", "r1"), _result())]) == frozenset()
