"""The order services through the door: what an EHR sends, and what it gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirtwin.api.cds.advice import order_safety
from fhirtwin.api.cds.answers import response
from fhirtwin.fhir import validator
from fhirtwin.report.override_reasons import REASONS
from fhirtwin.terms.systems import RXNORM, SNOMED, UCUM
from tests.gateway_in_process import Gateway

EHR = "https://ehr.example/fhir"
SUBJECT = {"reference": "Patient/1"}
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
WARFARIN = {"coding": [{"system": RXNORM, "code": "11289"}]}


def concept(code: str, display: str = "", system: str = RXNORM) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def medicine(code: str, id_: str, **members: Any) -> dict[str, Any]:
    base = {"resourceType": "MedicationRequest", "id": id_, "status": "active", "intent": "order", "subject": SUBJECT}
    return {**base, "medicationCodeableConcept": concept(code), "authoredOn": "2026-05-01", **members}


def draft(code: str, id_: str = "d1", **members: Any) -> dict[str, Any]:
    return medicine(code, id_, status="draft", **members)


def allergy(code: str, id_: str = "a", system: str = RXNORM, **members: Any) -> dict[str, Any]:
    status = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]
    }
    base = {"resourceType": "AllergyIntolerance", "id": id_, "patient": SUBJECT, "clinicalStatus": status}
    return {**base, "code": concept(code, system=system), **members}


def bundle(*resources: dict[str, Any], type_: str = "searchset") -> dict[str, Any]:
    return (
        {"resourceType": "Bundle", "type": type_, "entry": [{"resource": r} for r in resources]}
        if resources
        else {
            "resourceType": "Bundle",
            "type": type_,
        }
    )


EGFR = {
    "resourceType": "Observation",
    "id": "egfr",
    "status": "final",
    "code": concept("98979-8", system="http://loinc.org"),
    "subject": SUBJECT,
    "effectiveDateTime": "2026-05-01",
    "valueQuantity": {"value": 90, "unit": "mL/min/{1.73_m2}", "system": UCUM, "code": "mL/min/{1.73_m2}"},
}
"""Good kidneys, so that renal dosing of metformin has nothing to say."""


def call(
    twin: Gateway,
    *drafts: dict[str, Any],
    taken: tuple[dict[str, Any], ...] = (),
    allergies: tuple[dict[str, Any], ...] = (),
    observations: tuple[dict[str, Any], ...] = (),
    procedures: dict[str, Any] | None = None,
    statements: dict[str, Any] | None = None,
    selections: list[str] | None = None,
    hook: str = "order-sign",
    optional: dict[str, Any] | None = None,
    **changes: Any,
) -> Any:
    context: dict[str, Any] = {
        "userId": "Practitioner/p",
        "patientId": "1",
        "draftOrders": bundle(*drafts, type_="collection"),
    }
    if hook == "order-select":
        context["selections"] = selections or [f"{d['resourceType']}/{d['id']}" for d in drafts]
    prefetch: dict[str, Any] = {
        "patient": {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1960-01-01"},
        "medications": bundle(*taken),
        "allergies": bundle(*allergies),
        "conditions": bundle(),
        "observations": bundle(EGFR, *observations),
        "statements": statements or bundle(),
        "procedures": procedures,
        "genomics": bundle(),
        **(optional or {}),
    }
    prefetch = {key: value for key, value in prefetch.items() if value is not ...}
    body = {"hook": hook, "hookInstance": HOOK_INSTANCE, "fhirServer": EHR, "context": context, "prefetch": prefetch}
    return twin.http.post(f"/cds-services/twin-{hook}", json={**body, **changes})


def cards(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert list(response.broken(answer.json)) == []
    return list(answer.json["cards"])


def heads(answer: Any) -> list[tuple[str, str]]:
    return [(card["indicator"], card["summary"]) for card in cards(answer)]


def test_orders_without_a_finding_get_no_card(twin: Gateway) -> None:
    assert cards(call(twin, draft("6809"), taken=(medicine("29046", "m"),))) == []


def test_allergy_interaction_and_duplicate_are_told_the_most_urgent_first(twin: Gateway) -> None:
    answer = call(
        twin,
        draft("723", "d1"),
        draft("5640", "d2"),
        draft("6809", "d3"),
        taken=(medicine("6448", "m1"), medicine("6809", "m2")),
        allergies=(allergy("373270004", system=SNOMED),),
    )
    assert heads(answer) == [
        ("critical", "Amoxicillin: an allergy to penicillins is recorded"),
        ("warning", "Ibuprofen with lithium: lithium rises, toxicity"),
        ("info", "Metformin is ordered, and taken already"),
    ]


def test_a_pregnancy_whose_end_was_forgotten_is_a_remark(twin: Gateway) -> None:
    pregnant = {
        "resourceType": "Condition",
        "id": "c",
        "subject": SUBJECT,
        "code": concept("77386006", system=SNOMED),
        "recordedDate": "2025-06-01",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
    }
    answer = call(twin, draft("29046"), optional={"conditions": bundle(pregnant)})
    assert heads(answer) == [
        ("info", "Lisinopril: a pregnancy is recorded 365 days ago, without an end, and not counted")
    ]


def creatinine(id_: str, value: float, day: str) -> dict[str, Any]:
    code, unit = concept("2160-0", system="http://loinc.org"), {"unit": "mg/dL", "system": UCUM, "code": "mg/dL"}
    quantity = {"value": value, **unit}
    return {**EGFR, "id": id_, "code": code, "effectiveDateTime": day, "valueQuantity": quantity}


def test_a_creatinine_of_a_day_to_come_is_named_and_not_used(twin: Gateway) -> None:
    (card,) = cards(call(twin, draft("6809"), observations=(creatinine("c", 3, "2027-01-01"),)))
    assert card["summary"] == "Orders not checked against 1 result of the record that could not be used"
    assert "creatinine, 2027-01-01" in card["detail"] and "after the day of the call" in card["detail"]


def test_creatinines_that_were_judged_as_changing_are_not_called_unused(twin: Gateway) -> None:
    both = (creatinine("c1", 0.8, "2026-05-20"), creatinine("c2", 2.8, "2026-05-20"))
    made = cards(call(twin, draft("6809"), observations=both))
    assert [card["summary"] for card in made] == [
        "Metformin: creatinine has changed as in acute kidney injury, ask before dosing"
    ]


def test_a_dose_says_that_values_are_taken_as_recorded(twin: Gateway) -> None:
    (card,) = cards(call(twin, draft("6809"), observations=(creatinine("c1", 80, "2026-05-20"),)))
    assert "as recorded: whether these are plausible for the patient is not checked" in card["detail"]


def test_more_drafts_than_can_be_judged_are_refused_whole(twin: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_safety, "MOST_DRAFTS", 3)
    many = [draft("6809", f"d{number}") for number in range(4)]
    assert call(twin, *many[:-1]).status_code == 200
    refused = call(twin, *many)
    assert refused.status_code == 413
    assert refused.json["issue"][0]["expression"] == ["context.draftOrders"]


def test_card_can_be_applied_and_overridden(twin: Gateway) -> None:
    (card,) = cards(call(twin, draft("5640"), taken=(medicine("6448", "m1"),)))
    remove, order = card["suggestions"]
    assert remove["actions"] == [
        {"type": "delete", "description": "Remove the order of ibuprofen", "resourceId": "MedicationRequest/d1"}
    ]
    (create,) = order["actions"]
    assert order["isRecommended"] is True
    assert (create["type"], create["resource"]["code"]["coding"][0]["code"]) == ("create", "14334-7")
    assert validator.validate(create["resource"], type="ServiceRequest") == []
    assert create["resource"]["subject"] == {"reference": "Patient/1"}, "as the EHR names it, which stores it"
    assert (create["resource"]["status"], create["resource"]["intent"]) == ("draft", "proposal")
    assert card["selectionBehavior"] == "at-most-one"
    assert card["overrideReasons"] == list(REASONS)
    assert card["source"]["topic"]["code"] == "DRG"
    assert card["source"]["url"].startswith("https://")


def test_the_same_finding_has_the_same_uuids_and_another_has_others(twin: Gateway) -> None:
    def asked(*drafts: dict[str, Any], lithium: str = "m1") -> list[str]:
        found = cards(call(twin, *drafts, taken=(medicine("6448", lithium),)))
        return [card["uuid"] for card in found] + [s["uuid"] for card in found for s in card["suggestions"]]

    assert asked(draft("5640")) == asked(draft("5640"), lithium="again")
    assert asked(draft("5640")) != asked(draft("7258"))
    assert len(set(asked(draft("5640")))) == 3


def test_order_select_speaks_of_the_selected_drafts_alone(twin: Gateway) -> None:
    drafts = (draft("5640", "d1"), draft("5640", "d2"), draft("6809", "d3"))
    answer = call(
        twin, *drafts, taken=(medicine("6448", "m"),), hook="order-select", selections=["MedicationRequest/d3"]
    )
    assert cards(answer) == []
    answer = call(
        twin, *drafts, taken=(medicine("6448", "m"),), hook="order-select", selections=["MedicationRequest/d2"]
    )
    assert [summary for _, summary in heads(answer)] == [
        "Ibuprofen is ordered twice",
        "Ibuprofen with lithium: lithium rises, toxicity",
    ]


def test_what_was_not_checked_is_said(twin: Gateway) -> None:
    unknown = draft("99999999", "d1", medicationCodeableConcept=concept("99999999", "**Wonder** <b>syrup</b>"))
    (card,) = cards(call(twin, unknown, draft("6809", "d2")))
    assert card["indicator"] == "info"
    assert card["summary"].startswith("Not checked: **Wonder**")
    assert "\\*\\*Wonder\\*\\* \\<b\\>syrup" in card["detail"]
    assert "code not known" in card["detail"]
    assert "1 ordered medicine was checked" in card["detail"]


PACK = "{21 (warfarin sodium 5 MG Oral Tablet) / 7 (aspirin 81 MG Oral Tablet) } Pack"
NOT_READ = [
    pytest.param(concept("99999999", PACK), id="pack"),
    pytest.param(concept("99999999", f"{PACK} [Somebrand]"), id="branded pack"),
    pytest.param(concept("00000-0000-00", "warfarin sodium 5 MG Oral Tablet", "http://hl7.org/fhir/sid/ndc"), id="NDC"),
]


@pytest.mark.parametrize("code", NOT_READ)
def test_packs_and_ndc_alone_are_not_read_and_said_so(twin: Gateway, code: dict[str, Any]) -> None:
    answer = call(twin, draft("", medicationCodeableConcept=code), taken=(medicine("1191", "m"),))
    (card,) = cards(answer)
    assert card["summary"].startswith("Not checked: ") and "code not known" in card["detail"]
    answer = call(twin, draft("1191"), taken=(medicine("", "m", medicationCodeableConcept=code),))
    (card,) = cards(answer)
    assert card["summary"].startswith("Orders not checked against 1 medicine") and "code not known" in card["detail"]


def test_an_ndc_beside_a_code_of_rxnorm_does_no_harm(twin: Gateway) -> None:
    code = {"coding": [*NOT_READ[-1].values[0]["coding"], *WARFARIN["coding"]]}  # type: ignore[index]
    answer = call(twin, draft("", medicationCodeableConcept=code), taken=(medicine("5640", "m"),))
    ((_, summary),) = heads(answer)
    assert summary.startswith("Warfarin with ibuprofen")


def test_what_the_record_says_will_be_taken_later_is_not_held_against_an_order(twin: Gateway) -> None:
    assert heads(call(twin, draft("5640"), taken=(medicine("6448", "m"),)))
    assert heads(call(twin, draft("5640"), taken=(medicine("6448", "m", authoredOn="2099-01-01"),))) == []


def test_what_of_the_record_was_not_understood_is_said(twin: Gateway) -> None:
    answer = call(
        twin,
        draft("6809"),
        taken=(medicine("99999999", "m1"), medicine("99999998", "m2", status="stopped")),
        allergies=(
            {**allergy("x"), "code": {"text": "sulfa drugs"}},
            allergy("227493005", "b", SNOMED, category=["food"]),
        ),
    )
    (card,) = cards(answer)
    assert card["summary"] == "Orders not checked against 1 allergy and 1 medicine of the record that could not be used"
    assert "MedicationRequest/m1): code not known" in card["detail"]
    assert "sulfa drugs (" in card["detail"]
    assert "m2" not in card["detail"]


def test_medicine_of_which_nobody_knows_whether_it_is_taken_is_said(twin: Gateway) -> None:
    (card,) = cards(call(twin, draft("5640"), taken=(medicine("6448", "m", status="unknown"),)))
    assert "status unknown" in card["detail"]


MG_DL = {"value": 13, "unit": "mg/dL", "system": UCUM, "code": "mg/dL"}
CREATININE: dict[str, Any] = {
    **EGFR,
    "id": "c",
    "code": concept("2160-0", system="http://loinc.org"),
    "effectiveDateTime": "2026-05-20",
    "valueQuantity": MG_DL,
}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"valueQuantity": {**MG_DL, "comparator": ">"}}, "bound"),
        ({"status": "preliminary"}, "not final"),
        ({"code": concept("33914-3", system="http://loinc.org")}, "not by the CKD-EPI 2021"),
    ],
)
def test_newer_result_that_is_not_used_is_said_beside_the_older_one(
    twin: Gateway, changes: dict[str, Any], why: str
) -> None:
    (card,) = cards(call(twin, draft("6809"), observations=({**CREATININE, **changes},)))
    assert card["summary"] == "Orders not checked against 1 result of the record that could not be used"
    assert "2026-05-20" in card["detail"]
    assert why in card["detail"]


@pytest.mark.parametrize(
    ("ordered", "changes"),
    [
        ("723", {"status": "preliminary"}),
        ("6809", {"status": "preliminary", "effectiveDateTime": "2026-04-01"}),
        ("6809", {"status": "entered-in-error"}),
        ("6809", {"status": "preliminary", "code": concept("2823-3", system="http://loinc.org")}),
    ],
)
def test_result_that_tells_nothing_more_of_the_kidneys_is_not_said(
    twin: Gateway, ordered: str, changes: dict[str, Any]
) -> None:
    assert cards(call(twin, draft(ordered), observations=({**CREATININE, **changes},))) == []


def test_what_is_not_taken_is_no_gap(twin: Gateway) -> None:
    record = (
        medicine("99999999", "m1", status="draft"),
        medicine("99999999", "m2", status="cancelled"),
        medicine("99999999", "m3", intent="proposal"),
        medicine("99999999", "m4", status="completed"),
    )
    verified = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    refuted = allergy("99999999", verificationStatus={"coding": [{"system": verified, "code": "refuted"}]})
    assert cards(call(twin, draft("6809"), taken=record, allergies=(refuted,))) == []


def test_no_known_allergy_is_no_gap(twin: Gateway) -> None:
    assert cards(call(twin, draft("723"), allergies=(allergy("716186003", system=SNOMED),))) == []


def test_medicines_that_ended_do_not_interact(twin: Gateway) -> None:
    assert cards(call(twin, draft("5640"), taken=(medicine("6448", "m", status="stopped"),))) == []


def test_stored_record_is_laid_under_the_call(twin: Gateway) -> None:
    entries = [
        {"resource": {"resourceType": "Patient", "id": "1"}, "request": {"method": "PUT", "url": "Patient/1"}},
        {"resource": medicine("6448", "m"), "request": {"method": "PUT", "url": "MedicationRequest/m"}},
    ]
    stored = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert twin.http.post("/fhir", json=stored, content_type="application/fhir+json").status_code == 200
    answer = call(twin, draft("5640"), fhirServer="https://twin.example/fhir")
    assert heads(answer) == [("warning", "Ibuprofen with lithium: lithium rises, toxicity")]
    assert cards(call(twin, draft("5640"))) == []  # Patient/1 of another server is another patient


def test_known_level_is_shown_and_not_asked_for_again(twin: Gateway) -> None:
    level = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": SUBJECT,
        "effectiveDateTime": "2026-05-20",
        "code": {"coding": [{"system": "http://loinc.org", "code": "14334-7"}]},
        "valueQuantity": {"value": 0.8, "unit": "mmol/L", "system": UCUM, "code": "mmol/L"},
    }
    (card,) = cards(call(twin, draft("5640"), taken=(medicine("6448", "m"),), observations=(level,)))
    assert "lithium level: 0.8 mmol/L, 2026-05-20" in card["detail"]
    assert not any(s.get("isRecommended") for s in card["suggestions"])


@pytest.mark.parametrize("missing", ["medications", "allergies"])
def test_without_the_lists_nothing_is_judged(twin: Gateway, missing: str) -> None:
    brought = {"patient": {"resourceType": "Patient", "id": "1"}, "conditions": bundle()}
    brought |= {key: bundle() for key in ("medications", "allergies") if key != missing}
    answer = call(twin, draft("6809"), prefetch=brought)
    assert answer.status_code == 412
    assert answer.json["resourceType"] == "OperationOutcome"


def test_draft_of_another_patient_refuses_the_call(twin: Gateway) -> None:
    answer = call(twin, draft("6809", subject={"reference": "Patient/2"}))
    assert answer.status_code == 422


def test_other_orders_alone_get_no_card(twin: Gateway) -> None:
    other = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "intent": "order", "subject": SUBJECT}
    assert cards(call(twin, other)) == []


HOSTILE = st.text(alphabet=st.sampled_from("<>[]()*_`|#!@&\\\"'\n\r\u202e\u0000aw.htps:/"), min_size=1, max_size=60)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(HOSTILE)
def test_text_of_the_call_is_never_markup(twin: Gateway, text: str) -> None:
    text = "".join(c for c in text if c.isprintable()) or "x"
    unknown = draft("99999999", medicationCodeableConcept={**concept("99999999"), "text": f"x{text}x"})
    answer = call(twin, unknown)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        (card,) = cards(answer)
        assert "<" not in card["detail"].replace("\\<", "")
        assert "](" not in card["detail"].replace("\\]", "").replace("\\(", "")


@pytest.mark.parametrize("name", ["order-select_2", "order-select_3", "order-sign_3"])
def test_examples_of_the_hook_library_are_refused_as_sent_and_judged_when_made_r4(
    twin: Gateway, shared: Path, name: str
) -> None:
    """They are of DSTU2 in part (MedicationOrder, no intent, `periodUnits`); in R4's words their medicine is read."""
    file = shared / "data" / "cds-hooks" / "requests" / "hook-library" / f"{name}.context.json"
    context = json.loads(file.read_text())["context"]
    hook, who = name.partition("_")[0], context["patientId"]
    lists = {key: bundle() for key in ("medications", "statements", "allergies", "conditions", "observations")}
    body = {
        "hook": hook,
        "hookInstance": HOOK_INSTANCE,
        "context": context,
        "prefetch": {"patient": {"resourceType": "Patient", "id": who}, **lists},
    }
    assert twin.http.post(f"/cds-services/twin-{hook}", json=body).status_code == 400
    (sent,) = [e["resource"] for e in context["draftOrders"]["entry"] if "medicationCodeableConcept" in e["resource"]]
    about = {"subject": {"reference": f"Patient/{who}"}}
    ordered = {**draft("x"), **about, "medicationCodeableConcept": sent["medicationCodeableConcept"]}
    context["draftOrders"]["entry"] = [{"resource": ordered}]
    if "selections" in context:
        context["selections"] = ["MedicationRequest/d1"]
    assert cards(twin.http.post(f"/cds-services/twin-{hook}", json=body)) == []
    lists["allergies"] = bundle(allergy("723", patient=about["subject"]))
    body["prefetch"] |= lists
    answer = twin.http.post(f"/cds-services/twin-{hook}", json=body)
    assert heads(answer) == [("critical", "Amoxicillin: an allergy to amoxicillin is recorded")]
