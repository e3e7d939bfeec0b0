"""The services that follow up, through the door: refill, discharge, and a new problem."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhirtwin.api.cds.services import registry
from fhirtwin.fhir import validator
from fhirtwin.terms.systems import ICD10CM, LOINC, RXNORM
from tests.gateway_in_process import Gateway

EHR = "https://ehr.example/fhir"
SUBJECT = {"reference": "Patient/1"}
ENCOUNTER = {"reference": "Encounter/e1"}
Json = dict[str, Any]


def concept(code: str, system: str = RXNORM, display: str = "") -> Json:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def bundle(*resources: Json, kind: str = "searchset") -> Json:
    entries = [{"resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": kind, **({"entry": entries} if entries else {})}


def medicine(code: str, id_: str = "m1", **members: Any) -> Json:
    base = {"resourceType": "MedicationRequest", "id": id_, "status": "active", "intent": "order", "subject": SUBJECT}
    return {**base, "medicationCodeableConcept": concept(code), "authoredOn": "2024-01-01", **members}


def result(code: str, value: float, unit: str, id_: str, **members: Any) -> Json:
    base = {"resourceType": "Observation", "id": id_, "status": "final", "subject": SUBJECT}
    quantity = {"value": value, "system": "http://unitsofmeasure.org", "code": unit, "unit": unit}
    return {
        **base,
        "code": concept(code, LOINC),
        "effectiveDateTime": "2026-01-05",
        "valueQuantity": quantity,
        **members,
    }


def request(code: str, id_: str = "s1", **members: Any) -> Json:
    base = {"resourceType": "ServiceRequest", "id": id_, "status": "active", "intent": "order", "subject": SUBJECT}
    return {**base, "code": concept(code, LOINC), **members}


def call(twin: Gateway, service: str, hook: str, context: Json, **prefetch: Json) -> Any:
    given = {
        "patient": {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1960-01-01"},
        **{key: bundle() for key in registry.all_services()[service].prefetch if key != "patient"},
        **prefetch,
    }
    sent = {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": EHR,
        "context": {"userId": "Practitioner/p", "patientId": "1", **context},
        "prefetch": given,
    }
    answer = twin.http.post(f"/cds-services/{service}", json=sent)
    assert answer.status_code == 200, answer.text
    return answer.json["cards"]


def refill(twin: Gateway, *drafts: Json, **prefetch: Json) -> Any:
    medications = {"medications": bundle(*drafts, kind="collection")}
    return call(twin, "twin-medication-refill", "medication-refill", medications, **prefetch)


def discharge(twin: Gateway, **prefetch: Json) -> Any:
    return call(twin, "twin-encounter-discharge", "encounter-discharge", {"encounterId": "e1"}, **prefetch)


def ordered(cards: Any) -> list[str]:
    """LOINC codes of the requests that the cards offer."""
    made = created(cards)
    return [one["code"]["coding"][0]["code"] for one in made if one["resourceType"] == "ServiceRequest"]


def created(cards: Any) -> list[dict[str, Any]]:
    """What the suggestions of cards create, each valid R4."""
    found = []
    for card in cards:
        for suggestion in card.get("suggestions", ()):
            for action in suggestion["actions"]:
                issues = validator.validate(json.loads(json.dumps(action["resource"])))
                assert not [issue for issue in issues if issue.severity in ("error", "fatal")]
                found.append(action["resource"])
    return found


def test_a_refill_of_lithium_asks_for_what_is_missing(twin: Gateway) -> None:
    tsh = result("3016-3", 2, "m[IU]/L", "o1", effectiveDateTime=twin.day.isoformat())
    (card,) = refill(twin, medicine("6448", status="draft"), observations=bundle(tsh))
    assert card["indicator"] == "warning"
    assert card["selectionBehavior"] == "any"
    assert ordered([card]) == ["14334-7", "2160-0", "17861-6"]
    assert "lithium-monitoring" in card["source"]["url"]


def test_a_refill_with_everything_there_has_nothing_to_say(twin: Gateway) -> None:
    inr = result("6301-6", 2.4, "{INR}", "o1", effectiveDateTime=twin.day.isoformat())
    assert refill(twin, medicine("11289", status="draft"), observations=bundle(inr)) == []


def test_what_is_ordered_already_is_not_asked_for(twin: Gateway) -> None:
    assert ordered(refill(twin, medicine("11289", status="draft"))) == ["6301-6"]
    assert refill(twin, medicine("11289", status="draft"), orders=bundle(request("6301-6"))) == []


def test_a_refill_that_cannot_be_read_is_said(twin: Gateway) -> None:
    (card,) = refill(twin, medicine("999999999", status="draft"))
    assert card["summary"].startswith("Not checked")


def test_the_same_refill_gives_the_same_cards(twin: Gateway) -> None:
    assert refill(twin, medicine("6448", status="draft")) == refill(twin, medicine("6448", status="draft"))


def test_discharge_lists_what_is_pending_and_what_nobody_ordered(twin: Gateway) -> None:
    pending = result("6301-6", 2, "{INR}", "o9", status="preliminary", encounter=ENCOUNTER)
    cards = discharge(
        twin,
        medications=bundle(medicine("9997")),
        results=bundle(pending),
        orders=bundle(request("2823-3", encounter=ENCOUNTER)),
    )
    assert [card["summary"] for card in cards] == [
        "2 results are still to come",
        "Spironolactone: monitoring is due (creatinine or eGFR)",
    ]
    assert "Observation/o9" in cards[0]["detail"]
    assert ordered(cards) == ["2160-0"]
    assert cards[0]["selectionBehavior"] == "any"
    tasks = [one for one in created(cards) if one["resourceType"] == "Task"]
    assert ("Observation/o9", "Patient/1") in [(t["focus"]["reference"], t["for"]["reference"]) for t in tasks]
    assert len(tasks) == 2


def test_other_pending_results_are_another_card(twin: Gateway) -> None:
    def uuid_of(code: str) -> str:
        (card,) = discharge(twin, orders=bundle(request(code, encounter=ENCOUNTER)))
        return str(card["uuid"])

    assert uuid_of("2823-3") == uuid_of("2823-3") != uuid_of("6301-6")


def test_discharge_says_which_medicines_it_could_not_read(twin: Gateway) -> None:
    (card,) = discharge(twin, medications=bundle(medicine("999999999")))
    assert card["summary"] == "1 medicine of the record could not be read"
    assert discharge(twin, medications=bundle(medicine("999999999", status="stopped"))) == []


def test_discharge_with_nothing_open_has_nothing_to_say(twin: Gateway) -> None:
    assert discharge(twin) == []


@pytest.mark.parametrize("key", ["observations", "orders", "results", "reports"])
def test_discharge_without_what_it_needs_is_refused(twin: Gateway, key: str) -> None:
    service = registry.all_services()["twin-encounter-discharge"]
    given = {name: bundle() for name in service.prefetch if name not in ("patient", key)}
    sent = {
        "hook": "encounter-discharge",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/p", "patientId": "1", "encounterId": "e1"},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "1", "gender": "female"}, **given},
    }
    assert twin.http.post("/cds-services/twin-encounter-discharge", json=sent).status_code == 412


def test_a_new_problem_is_shown_with_its_evidence(twin: Gateway) -> None:
    condition = {"resourceType": "Condition", "id": "c1", "subject": SUBJECT, "code": concept("E11.9", ICD10CM)}
    results = [
        result("4548-4", 7.1, "%", "o1", effectiveDateTime="2026-01-01"),
        result("4548-4", 6.9, "%", "o2", effectiveDateTime="2026-04-01"),
    ]
    (card,) = call(
        twin,
        "twin-problem-list-item-create",
        "problem-list-item-create",
        {"conditions": bundle(condition, kind="collection")},
        observations=bundle(*results),
    )
    assert card["summary"] == "Diabetes: 2 results of HbA1c are 6.5 % or more"
    assert card["indicator"] == "info"
    assert all(id_ in card["detail"] for id_ in ("Observation/o1", "Observation/o2"))


def test_a_problem_without_criteria_gives_no_card(twin: Gateway) -> None:
    condition = {"resourceType": "Condition", "id": "c1", "subject": SUBJECT, "code": concept("I10", ICD10CM)}
    context = {"conditions": bundle(condition, kind="collection")}
    assert call(twin, "twin-problem-list-item-create", "problem-list-item-create", context) == []
