from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.api.cds import contexts
from fhirtwin.api.cds.calls import request
from fhirtwin.api.cds.hooks import HOOKS, hook
from fhirtwin.api.cds.service import Response, Service
from fhirtwin.errors import FhirtwinError, Incorrect, Unprocessable
from fhirtwin.settings import Settings

SETTINGS = Settings(base_url="https://twin.example/fhir")
PATIENT = {"reference": "Patient/1"}
DRUG = {"text": "x"}


def prescription(id_: str = "m", **changes: Any) -> dict[str, Any]:
    made = {"resourceType": "MedicationRequest", "id": id_, "status": "draft", "intent": "order"}
    return {**made, "medicationCodeableConcept": DRUG, "subject": PATIENT, **changes}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


TASK = {"resourceType": "Task", "status": "draft", "intent": "order", "for": PATIENT}
APPOINTMENT = {
    "resourceType": "Appointment",
    "status": "proposed",
    "participant": [{"actor": PATIENT, "status": "tentative"}],
}
CONDITION = {"resourceType": "Condition", "code": {"text": "x"}, "subject": PATIENT}
ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "patient": PATIENT,
    "clinicalStatus": {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"},
        ]
    },
}
STAFF = {"userId": "PractitionerRole/r", "patientId": "1"}
CONTEXTS: dict[str, dict[str, Any]] = {
    "patient-view": {"userId": "RelatedPerson/r", "patientId": "1"},
    "order-select": {
        **STAFF,
        "selections": ["MedicationRequest/m"],
        "draftOrders": bundle(prescription(), prescription("n")),
    },
    "order-sign": {**STAFF, "encounterId": "e", "draftOrders": bundle(prescription())},
    "order-dispatch": {
        "patientId": "1",
        "dispatchedOrders": ["ServiceRequest/s", "ServiceRequest/t"],
        "performer": "Organization/o",
        "fulfillmentTasks": [TASK],
    },
    "encounter-start": {**STAFF, "encounterId": "e"},
    "encounter-discharge": {**STAFF, "encounterId": "e"},
    "appointment-book": {"userId": "Patient/1", "patientId": "1", "appointments": bundle(APPOINTMENT)},
    "allergyintolerance-create": {**STAFF, "allergyIntolerance": ALLERGY},
    "medication-refill": {"patientId": "1", "medications": bundle(prescription())},
    "medication-verify": {**STAFF, "medication": prescription(status="active")},
    "problem-list-item-create": {**STAFF, "conditions": bundle(CONDITION)},
    "order-review": {**STAFF, "orders": bundle(prescription())},
    "medication-prescribe": {**STAFF, "medications": bundle(prescription())},
    "com.example.lunch-time": {"patientId": "1", "menu": {"soup": None}},
}


def read(name: str, context: Any) -> Any:
    service = Service("s", (name,), "S", "Says nothing.", {}, lambda _: Response())
    instance = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    return request.read({"hook": name, "hookInstance": instance, "context": context}, service, SETTINGS).context


def places(name: str, context: Any, error: type[FhirtwinError] = Incorrect) -> list[str]:
    with pytest.raises(error) as caught:
        read(name, context)
    return [issue.expression[0] for issue in caught.value.issues]


def test_every_hook_of_the_table_has_an_example_here() -> None:
    assert HOOKS.keys() == CONTEXTS.keys() - {"com.example.lunch-time"}


@pytest.mark.parametrize("name", CONTEXTS)
def test_each_hook_has_its_own_context(name: str) -> None:
    found = hook(name)
    assert found is not None
    made = read(name, {**CONTEXTS[name], "novelty": [None]})
    assert type(made) is found.context
    assert made.members["novelty"] == [None], "what a hook does not define is kept, unread"


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field.name) for name, known in HOOKS.items() for field in (*known.fields,) if field.required],
)
def test_each_required_member_is_named_when_it_is_missing(name: str, field: str) -> None:
    context = {key: value for key, value in CONTEXTS[name].items() if key != field}
    assert places(name, context) == [f"context.{field}"]


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field.name) for name, known in HOOKS.items() for field in known.fields],
)
@pytest.mark.parametrize("wrong", [None, "", [], {}, 5, True, "x y", ["x"], {"resourceType": "Patent"}])
def test_a_member_of_the_wrong_kind_is_named(name: str, field: str, wrong: Any) -> None:
    found = places(name, {**CONTEXTS[name], field: wrong})
    assert found and all(place.startswith(f"context.{field}") for place in found)


def test_drafts_and_selections_reach_the_service() -> None:
    made = read("order-select", CONTEXTS["order-select"])
    assert isinstance(made, contexts.OrderSelect)
    assert made.selections == ("MedicationRequest/m",)
    assert [draft["id"] for draft in made.draft_orders] == ["m", "n"]
    assert made.user is not None and made.user.reference == "PractitionerRole/r"


def test_a_dispatch_is_read_by_either_version_of_its_hook() -> None:
    newer = read("order-dispatch", CONTEXTS["order-dispatch"])
    older = read(
        "order-dispatch",
        {"patientId": "1", "order": "ServiceRequest/s", "performer": "Organization/o", "task": TASK},
    )
    assert newer.orders == ("ServiceRequest/s", "ServiceRequest/t")
    assert older.orders == ("ServiceRequest/s",)
    assert newer.tasks == older.tasks == (TASK,)
    assert newer.user is None


def test_a_selection_that_is_no_draft_is_refused() -> None:
    wrong = {**CONTEXTS["order-select"], "selections": ["MedicationRequest/m", "MedicationRequest/z"]}
    assert places("order-select", wrong) == ["context.selections[1]"]


@pytest.mark.parametrize(
    ("name", "field", "value", "place"),
    [
        ("order-sign", "draftOrders", bundle(prescription(subject={"reference": "Patient/2"})), ".entry[0]"),
        ("order-sign", "draftOrders", bundle(prescription(), bundle(prescription())), ".entry[1]"),
        ("order-sign", "draftOrders", bundle(prescription(subject={"reference": "Group/1"})), ".entry[0]"),
        ("order-dispatch", "fulfillmentTasks", [TASK, {**TASK, "for": {"reference": "Patient/2"}}], "[1]"),
        ("medication-verify", "medication", prescription(subject={"reference": "urn:uuid:1"}), ""),
        (
            "appointment-book",
            "appointments",
            bundle({**APPOINTMENT, "participant": [{"status": "accepted", "actor": {"reference": "Patient/2"}}]}),
            ".entry[0]",
        ),
        (
            "appointment-book",
            "appointments",
            bundle({**APPOINTMENT, "participant": [{"status": "accepted", "actor": {"display": "x"}}]}),
            ".entry[0]",
        ),
    ],
)
def test_what_is_not_the_patients_is_refused(name: str, field: str, value: Any, place: str) -> None:
    assert places(name, {**CONTEXTS[name], field: value}, Unprocessable) == [f"context.{field}{place}"]


def test_two_drafts_with_one_id_are_refused_for_a_suggestion_could_not_say_which() -> None:
    twice = bundle(prescription(), prescription("n"), prescription(medicationCodeableConcept={"text": "y"}))
    found = places("order-sign", {**CONTEXTS["order-sign"], "draftOrders": twice}, Unprocessable)
    assert found == ["context.draftOrders.entry[2]"]
    read("order-sign", {**CONTEXTS["order-sign"], "draftOrders": bundle(prescription(), prescription())})


@pytest.mark.parametrize(
    ("name", "field", "value", "place"),
    [
        ("order-sign", "draftOrders", bundle(prescription(status="drafted")), "entry[0].resource.status"),
        ("order-sign", "draftOrders", {**bundle(prescription()), "type": "transaction"}, "entry[0]"),
        ("order-sign", "draftOrders", {"resourceType": "Bundle", "type": "history"}, "type"),
        ("order-sign", "draftOrders", prescription(), "resourceType"),
        ("medication-verify", "medication", CONDITION, "resourceType"),
    ],
)
def test_what_is_not_fhir_or_of_another_type_is_refused(name: str, field: str, value: Any, place: str) -> None:
    found = places(name, {**CONTEXTS[name], field: value})
    assert any(each.startswith(f"context.{field}.{place}") for each in found), found


def test_a_medicine_that_belongs_to_nobody_may_come_with_the_drafts() -> None:
    drafts = bundle(prescription(), {"resourceType": "Medication", "id": "d"})
    assert len(read("order-sign", {**CONTEXTS["order-sign"], "draftOrders": drafts}).draft_orders) == 2


@pytest.mark.parametrize("name", ["order-signed", "lunch", "Order-sign", "com..x", ".com", ""])
def test_a_name_that_is_neither_known_nor_a_reverse_domain_is_no_hook(name: str) -> None:
    assert hook(name) is None


def test_staff_hooks_take_no_patient_as_user() -> None:
    assert places("order-sign", {**CONTEXTS["order-sign"], "userId": "Patient/1"}) == ["context.userId"]
