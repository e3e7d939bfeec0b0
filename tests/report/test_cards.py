from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.api.cds.answers.response import check
from fhirtwin.errors import EngineAnswerRefused, EngineUnavailable, FhirtwinError
from fhirtwin.predictors.model import Refusal, Result
from fhirtwin.report import cards
from fhirtwin.report.identity import identity
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.risk_assessment import risk_assessment
from fhirtwin.twin.state import PatientKey
from tests.report.builders import HOW, fact, facts, occasion, predictor, refusal, result, state


def card(which: str = "prevent-base", *, stored: bool = True, **changes: Any) -> dict[str, Any]:
    whose = state(None, facts(**changes))
    return of_result(result(whose, which), occasion(whose), stored=stored)


def of_result(found: Result, when: Occasion, *, stored: bool) -> dict[str, Any]:
    who = identity(found.vector, when)
    return cards.risk_card(found, who, when, resource=risk_assessment(found, who, when), stored=stored)


def test_the_summary_leads_with_what_a_guideline_names() -> None:
    assert card()["summary"].startswith(
        "10-year risk of atherosclerotic cardiovascular disease 9.2 %, intermediate (5 to below 10 %)"
    )
    assert card("kfre-4-variable")["summary"].startswith("5-year risk of kidney failure")


def test_the_indicator_is_that_of_the_most_urgent_category() -> None:
    assert card()["indicator"] == "info"
    assert card(systolic_bp="170")["indicator"] == "warning"
    assert card("kfre-4-variable")["indicator"] == "warning"


def test_the_detail_lists_every_input_with_value_unit_date_and_source() -> None:
    found = result()
    text = card()["detail"]
    for used in found.vector.inputs:
        assert f"| {used.label} |" in text
    assert "| systolic blood pressure | 144 mmHg | 2026-05-20 | Observation/systolic-bp version 1 |" in text
    assert "**None recorded, counted as no:** diabetes, antihypertensive medicine, statin." in text
    assert "**Not calculated:** 30-year risk of" in text
    assert "ACC/AHA" in text
    assert HOW in text


def test_the_card_links_to_the_stored_assessment_and_to_the_publication() -> None:
    made = card()
    assert made["links"][0]["url"].startswith("https://twin.example/fhir/RiskAssessment/ra-")
    assert made["source"]["url"].startswith("https://doi.org/")
    assert made["source"]["topic"]["code"] == "prevent-base"


def test_a_card_of_what_is_not_stored_says_so_and_links_nowhere() -> None:
    made = card(stored=False)
    assert "links" not in made
    assert "**Not stored:**" in made["detail"]


def test_the_same_finding_has_the_same_uuid_and_another_has_not() -> None:
    assert card()["uuid"] == card()["uuid"]
    assert card()["uuid"] != card(systolic_bp="145")["uuid"]
    assert card()["uuid"] != card("kfre-4-variable")["uuid"]


def test_not_calculated_names_every_reason_of_every_predictor() -> None:
    unknown = state(None, facts(uacr=None, systolic_bp=None, hdl_cholesterol=None, bmi=None))
    refused = [refusal(unknown, "prevent-base"), refusal(unknown, "kfre-4-variable")]
    made = cards.not_calculated_card(refused, occasion())
    for reason in (reason for each in refused for reason in each.reasons):
        assert reason in made["detail"]
    assert made["indicator"] == "info"
    assert made["summary"].startswith("Risks not calculated: AHA PREVENT")
    assert "Kidney failure" in made["summary"]


def test_a_single_one_not_calculated_leads_with_its_first_reason() -> None:
    refused = refusal(state(None, facts(uacr=None)), "kfre-4-variable")
    made = cards.not_calculated_card([refused], occasion())
    assert made["summary"].startswith("Kidney failure risk equation, four variables")
    assert "not calculated: urine albumin-creatinine ratio is missing" in made["summary"]


def labels(made: dict[str, Any]) -> list[str]:
    return [one["label"] for one in made.get("suggestions", ())]


def test_a_risk_of_another_servers_patient_is_offered_to_be_filed_there() -> None:
    whose = state(PatientKey("https://ehr.example/fhir", "4711"))
    made = of_result(result(whose), occasion(whose), stored=True)
    assert labels(made) == ["File this risk in the record"]
    assert made["selectionBehavior"] == "any"
    check("test", [made])


def test_a_risk_that_is_stored_beside_its_patient_is_not_offered_to_be_filed() -> None:
    assert {"suggestions", "selectionBehavior"}.isdisjoint(card())
    assert labels(card(stored=False)) == ["File this risk in the record"]


def test_what_a_part_of_a_model_waits_for_is_offered_on_its_card() -> None:
    made = card(total_cholesterol=None)
    assert labels(made) == ["Order total cholesterol"]
    check("test", [made])


def test_cards_of_risks_can_be_overridden_for_a_reason() -> None:
    refused = refusal(state(None, facts(uacr=None)), "kfre-4-variable")
    for made in (card(), cards.not_calculated_card([refused], occasion())):
        assert "action-completed" in [reason["code"] for reason in made["overrideReasons"]]


def test_what_was_not_calculated_is_offered_to_be_ordered_and_told_to_be_recorded() -> None:
    bare = state(None, [f for f in facts(uacr=None, systolic_bp=None) if f.name != "smoking-status"])
    made = cards.not_calculated_card([refusal(bare), refusal(bare, "kfre-4-variable")], occasion())
    assert labels(made) == ["Measure blood pressure", "Order urine albumin-creatinine ratio"]
    assert made["selectionBehavior"] == "any"
    assert "**To be recorded, not ordered:** smoking status." in made["detail"]
    check("test", [made])


def test_nothing_is_offered_to_whom_the_model_does_not_apply() -> None:
    known = [f for f in facts(systolic_bp=None) if f.name != "smoking-status"]
    made = cards.not_calculated_card([refusal(state(None, [*known, fact("heart-failure", True)]))], occasion())
    assert {"suggestions", "selectionBehavior"}.isdisjoint(made)
    assert "To be recorded" not in made["detail"]


@pytest.mark.parametrize("error", [EngineUnavailable("x"), EngineAnswerRefused("x")])
def test_a_failed_engine_is_a_warning_that_is_no_low_risk(error: FhirtwinError) -> None:
    made = cards.engine_failed_card(error, occasion())
    assert made["indicator"] == "warning"
    assert "engine" in made["summary"]
    assert "not a low risk" in made["detail"]
    assert "suggestions" not in made, "nothing that can be ordered mends an engine"
    check("test", [made])


@given(st.lists(st.lists(st.text(min_size=1, max_size=400), min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_refusals_make_a_card_that_may_leave(reasons: list[list[str]]) -> None:
    made = cards.not_calculated_card([Refusal(predictor(), tuple(each)) for each in reasons], occasion())
    check("test", [made])


@given(st.text(max_size=400), st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99.9"), places=2))
def test_any_words_of_a_predictor_make_a_card_that_may_leave(text: str, percent: Decimal) -> None:
    found = result()
    output = found.scores[1].output
    renamed = replace(output, outcome=replace(output.outcome, display=text))
    scored = replace(
        found, scores=(replace(found.scores[1], output=renamed, percent=percent),), how=text, notes=(text,)
    )
    when = occasion()
    check("test", [of_result(scored, when, stored=True)])
