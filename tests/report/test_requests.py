"""What is missing and can be ordered is offered, once; what can only be written down is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhirtwin.fhir import validator
from fhirtwin.predictors.model import Input, Refusal
from fhirtwin.predictors.registry import all_predictors
from fhirtwin.report import requests
from fhirtwin.report.occasion import Occasion
from fhirtwin.report.requests import service_request
from fhirtwin.rules.orderable import LITHIUM
from fhirtwin.terms import concepts
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.facts import UNITS
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin.state import PatientKey
from tests.report.builders import DAY, facts, occasion, predictor, refusal, state

CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
AT_EHR = PatientKey("https://ehr.example/fhir", "4711")
MADE_OF = {"egfr": ("creatinine",), "bmi": ("body-weight", "body-height")}


def offered(*refusals: Refusal, when: Occasion | None = None) -> list[dict[str, Any]]:
    return requests.suggestions(refusals, CARD, when or occasion())


def asks(*inputs: Input) -> Refusal:
    """A refusal of a predictor that needs exactly these."""
    return Refusal(replace(predictor(), inputs=inputs), ("r",), missing=tuple(given.fact for given in inputs))


def codes(made: list[dict[str, Any]]) -> list[str]:
    return [a["resource"]["code"]["coding"][0]["code"] for one in made for a in one["actions"]]


def test_each_missing_result_is_offered_in_the_words_of_clinicians() -> None:
    bare = state(None, facts(total_cholesterol=None, hdl_cholesterol=None, systolic_bp=None, bmi=None, uacr=None))
    made = offered(refusal(bare), refusal(bare, "kfre-4-variable"))
    assert [one["label"] for one in made] == [
        "Order total cholesterol",
        "Order HDL cholesterol",
        "Measure blood pressure",
        "Measure body weight and height",
        "Order urine albumin-creatinine ratio",
    ]
    assert codes(made) == ["2093-3", "2085-9", "85354-9", "29463-7", "8302-2", "9318-7"]


@pytest.mark.parametrize("which", all_predictors(), ids=lambda p: p.id)
def test_what_is_ordered_brings_the_fact_it_is_ordered_for(which: Any) -> None:
    for needed in which.inputs:
        made = offered(Refusal(which, ("r",), missing=(needed.fact,)))
        if needed.fact not in UNITS or needed.fact == "age":
            assert made == []
            continue
        for code in (concepts.Code(LOINC, c) for c in codes(made)):
            meant = concepts.observation(code)
            wanted = MADE_OF.get(needed.fact, (needed.fact,))
            assert concepts.is_panel([code]) or (meant and meant.fact in wanted), needed.fact
        assert made


def test_every_action_creates_a_valid_draft_for_the_patient_as_the_ehr_knows_them() -> None:
    bare = state(AT_EHR, [f for f in facts(AT_EHR.origin) if f.name not in ("systolic-bp", "bmi")])
    made = offered(refusal(bare), when=occasion(bare))
    actions = [action for one in made for action in one["actions"]]
    assert len(actions) == 3
    for action in actions:
        assert action["type"] == "create"
        assert validator.validate(action["resource"], type="ServiceRequest") == []
        assert action["resource"]["subject"] == {"reference": "Patient/4711"}
        assert (action["resource"]["status"], action["resource"]["intent"]) == ("draft", "proposal")
        assert action["resource"]["authoredOn"] == DAY.isoformat()


def test_what_two_predictors_want_is_offered_once() -> None:
    bare = state(None, facts(systolic_bp=None))
    twice = refusal(bare)
    other = replace(twice, predictor=replace(twice.predictor, id="another"))
    assert offered(twice, other) == offered(twice)


def test_weight_for_one_and_weight_and_height_for_another_is_each_once() -> None:
    weight = Input("body-weight", "body weight", "kg")
    bmi = Input("bmi", "body mass index", "kg/m2")
    assert codes(offered(asks(weight), asks(bmi))) == ["29463-7", "8302-2"]
    assert codes(offered(asks(bmi), asks(weight))) == ["29463-7", "8302-2"]


def test_a_quantity_of_a_new_predictor_is_ordered_by_its_own_code() -> None:
    hba1c = Input("hba1c", "HbA1c", "%", code=Coding(LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"))
    (made,) = offered(asks(hba1c))
    assert made["label"] == "Order HbA1c"
    nameless = replace(hba1c, code=Coding(LOINC, "4548-4"))
    assert offered(asks(nameless)) == []
    assert requests.only_written([asks(nameless)]) == ["HbA1c"]


def test_uuids_are_told_from_the_card_and_differ() -> None:
    bare = refusal(state(None, facts(systolic_bp=None, bmi=None)))
    made, later = offered(bare), offered(bare, when=replace(occasion(), as_of=DAY.replace(day=2)))
    assert [one["uuid"] for one in made] == [one["uuid"] for one in later]
    elsewhere = requests.suggestions([bare], "5e0a3a1e-3283-4575-ab82-028d55fe2719", occasion())
    assert len({one["uuid"] for one in (*made, *elsewhere)}) == 4


def test_what_cannot_be_ordered_is_told_as_a_chart_calls_it_and_not_offered() -> None:
    unknown = state(None, [f for f in facts() if f.name not in ("birth-date", "smoking-status")])
    refused = [refusal(unknown), refusal(unknown)]
    assert offered(*refused) == []
    assert requests.only_written(refused) == ["birth date"]
    smoking = refusal(state(None, [f for f in facts() if f.name != "smoking-status"]))
    assert requests.only_written([smoking]) == ["smoking status"]
    assert offered(smoking) == []


def test_requested_test_is_valid_r4() -> None:
    made = service_request(LITHIUM, "https://ehr.example/fhir/Patient/1", DAY)
    assert validator.validate(made, type="ServiceRequest") == []


def test_code_of_a_request_is_what_is_ordered() -> None:
    made = service_request(Coding("http://loinc.org", "1-8", "x"), "Patient/1", DAY)
    assert made["code"] == {"coding": [{"system": "http://loinc.org", "code": "1-8", "display": "x"}], "text": "x"}
