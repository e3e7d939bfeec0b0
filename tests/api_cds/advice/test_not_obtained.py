"""What was asked for and not obtained is told where it could have mattered, and never called missing."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.terms.drugs.ingredients import CODES
from tests.api_cds.advice import test_follow_up as follow_up
from tests.api_cds.advice.test_order_safety import bundle, call, cards, draft, heads, medicine
from tests.gateway_in_process import Gateway, maria

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
PART = {**bundle(), "link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]}
OPTIONAL = ("statements", "procedures", "observations", "genomics")


def told(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [card["summary"] for card in answer.json["cards"] if "not obtained" in card["summary"]]


@pytest.mark.parametrize("value", [..., FAILED, PART])
def test_every_key_that_matters_to_the_order_is_named_with_why(twin: Gateway, value: Any) -> None:
    (card,) = cards(call(twin, draft(CODES["escitalopram"]), optional=dict.fromkeys(OPTIONAL, value)))
    assert card["summary"] == ("Not checked against medicines stated as taken, results, results of genes: not obtained")
    why = "is absent" if value is ... else "the client could not obtain it" if value is FAILED else "next"
    assert card["detail"].count(why) == 3
    assert "does not mean that the record holds none" in card["detail"]


def test_a_key_that_nothing_ordered_is_judged_by_is_not_named(twin: Gateway) -> None:
    answer = call(twin, draft(CODES["amoxicillin"]), optional=dict.fromkeys(OPTIONAL, FAILED))
    assert heads(answer) == [("info", "Not checked against medicines stated as taken: not obtained")]


def test_only_selected_drafts_say_what_matters(twin: Gateway) -> None:
    drafts = (draft(CODES["amoxicillin"], "d1"), draft(CODES["escitalopram"], "d2"))
    answer = call(
        twin, *drafts, hook="order-select", selections=["MedicationRequest/d1"], optional={"genomics": FAILED}
    )
    assert told(answer) == []


def test_nothing_is_said_to_be_unrecorded_where_results_were_not_obtained(twin: Gateway) -> None:
    taken = (medicine(CODES["warfarin"], "w"),)
    failed = cards(call(twin, draft(CODES["ciprofloxacin"]), taken=taken, optional={"observations": FAILED}))
    whole = cards(call(twin, draft(CODES["ciprofloxacin"]), taken=taken, optional={"observations": bundle()}))
    said = "\n".join(card["summary"] + card["detail"] for card in failed)
    assert "No result of INR" not in said and "is known" not in said.replace("is not known", "")
    assert "Whether a result of INR is recorded is not known: results were not obtained." in said
    assert "creatinine was not obtained" in said
    assert "No result of INR that could be used is recorded." in "\n".join(card["detail"] for card in whole)
    recommended = [s["label"] for card in failed for s in card.get("suggestions", ()) if s.get("isRecommended")]
    assert recommended == []
    assert "Order INR" in [s["label"] for card in whole for s in card.get("suggestions", ()) if s.get("isRecommended")]


def test_of_a_patient_who_is_stored_here_the_store_answers(twin: Gateway) -> None:
    entry = {"resource": {"resourceType": "Patient", "id": "1"}, "request": {"method": "PUT", "url": "Patient/1"}}
    stored = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert twin.http.post("/fhir", json=stored, content_type="application/fhir+json").status_code == 200
    optional = dict.fromkeys(OPTIONAL, FAILED)
    here = call(twin, draft(CODES["escitalopram"]), optional=optional, fhirServer="https://twin.example/fhir")
    assert told(here) == []
    assert told(call(twin, draft(CODES["escitalopram"]), optional=optional)) != []


def test_discharge_names_statements_that_were_not_obtained(twin: Gateway) -> None:
    made = follow_up.discharge(twin, statements=FAILED)
    assert [card["summary"] for card in made] == ["Not checked against medicines stated as taken: not obtained"]


def test_a_refill_asks_for_no_statements_and_so_misses_none(twin: Gateway) -> None:
    services = twin.http.get("/cds-services").json["services"]
    (refill,) = [one for one in services if one["id"] == "twin-medication-refill"]
    assert "statements" not in refill["prefetch"]
    assert {"patient", "medications", "observations", "orders"} <= {*refill["prefetch"]}


def test_chart_names_genes_and_statements_that_were_not_obtained(twin: Gateway) -> None:
    patient = twin.load(maria())
    sent = twin.prefetch(patient) | {"genomics": FAILED, "statements": PART}
    ehr = twin.call(patient, sent, fhirServer="https://ehr.example/fhir")
    assert told(ehr) == ["Not checked against medicines stated as taken, results of genes: not obtained"]
    assert told(twin.call(patient, sent)) == []
