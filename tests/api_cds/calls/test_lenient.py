from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.api.cds.calls import lenient
from fhirtwin.api.cds.service import Call, Response
from fhirtwin.errors import Incorrect
from tests.api_cds.door import AUTHORIZATION, CARD, EHR, Door, body, door, service
from tests.api_cds.test_hooks import CONTEXTS, HOOKS, TASK, bundle, prescription
from tests.conftest import ROOT

NAMES = [one.name for one in lenient.LENIENCIES]


def of(hook: str, **changes: Any) -> dict[str, Any]:
    """A call of a hook, with changes to its context."""
    context = {name: value for name, value in {**CONTEXTS[hook], **changes}.items() if value is not ...}
    return body(hook, context=context)


VERIFIED = prescription(status="active")
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("null-authorization", {**of("patient-view"), "fhirAuthorization": None}, of("patient-view")),
    ("empty-members", {**of("patient-view"), "fhirServer": "", "extension": {}, "prefetch": None}, of("patient-view")),
    ("empty-members", of("patient-view", encounterId=None), of("patient-view")),
    ("partial-authorization", body(fhirServer=EHR, fhirAuthorization={"access_token": "x"}), body(fhirServer=EHR)),
    (
        "partial-authorization",
        body(fhirServer=EHR, fhirAuthorization={**AUTHORIZATION, "scope": ""}),
        body(fhirServer=EHR),
    ),
    ("partial-authorization", body(fhirAuthorization=AUTHORIZATION), body()),
    ("hook-instance", body(hookInstance="abc"), body(hookInstance="afd96c51-65fb-5f3c-beb8-2fd0a8a4e3d0")),
    (
        "user-outside",
        {**of("order-sign", userId=...), "user": "Practitioner/u"},
        {**of("order-sign", userId="Practitioner/u"), "user": "Practitioner/u"},
    ),
    (
        "typed-ids",
        of("order-sign", patientId="Patient/1", encounterId="Encounter/e"),
        of("order-sign", patientId="1", encounterId="e"),
    ),
    ("bare-selections", of("order-select", selections=["m"]), of("order-select")),
    (
        "example-names",
        of(
            "order-dispatch",
            dispatchedOrders=...,
            fulfillmentTasks=...,
            **{"dispatched-orders": ["ServiceRequest/s", "ServiceRequest/t"], "fulfillment-tasks": [TASK]},
        ),
        of("order-dispatch"),
    ),
    ("example-names", of("medication-verify", medication=..., order=VERIFIED), of("medication-verify")),
    ("wrapped-resource", of("medication-verify", medication={"resource": VERIFIED}), of("medication-verify")),
    (
        "wrapped-prefetch",
        body(prefetch={"a": {"response": {"status": "200"}, "resource": {"resourceType": "Patient"}}, "b": None}),
        body(prefetch={"a": {"resourceType": "Patient"}, "b": None}),
    ),
    ("no-user", of("order-sign", userId=...), of("order-sign", userId=...)),
    ("no-user", of("order-sign", userId="Device/d"), of("order-sign", userId=...)),
]


def same(one: Any, other: Any) -> bool:
    return {k: v for k, v in one.items() if k != "hookInstance"} == {
        k: v for k, v in other.items() if k != "hookInstance"
    }


@pytest.mark.parametrize(("name", "sent", "meant"), CASES)
def test_a_leniency_makes_of_a_call_what_was_meant(name: str, sent: dict[str, Any], meant: dict[str, Any]) -> None:
    made = lenient.mended(sent, frozenset({name}), "s")
    assert same(made, meant)
    assert lenient.mended(made, frozenset({name}), "s") == made, "what is mended needs no mending"
    assert lenient.mended(sent, frozenset(), "s") is sent


@pytest.fixture
def made(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Door]:
    services = [service(_echo, id=hook, hooks=(hook,)) for hook in HOOKS]
    opened = door(tmp_path, *services, cds_lenient=request.param)
    yield opened
    opened.parts.store.close()


def _echo(call: Call) -> Response:
    return Response([{**CARD, "detail": f"{call.user.reference if call.user else 'nobody'} {call.hook_instance}"}])


@pytest.mark.parametrize(
    ("made", "sent", "status"),
    [
        (setting, sent, status)
        for name, sent, _ in CASES
        if name != "wrapped-prefetch"
        for setting, status in ((name, 200), ("all", 200), (f"all,-{name},-{lenient.SET_ASIDE}", 400), ("", 400))
        if not (name == "partial-authorization" and setting.startswith("all,-"))
        and not (name == "null-authorization" and setting.startswith("all,-"))
        and not (name == "user-outside" and setting.startswith("all,-"))
    ],
    indirect=["made"],
)
def test_each_leniency_is_switched_by_its_name(made: Door, sent: dict[str, Any], status: int) -> None:
    answer = made.call(sent, sent["hook"])
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("made", ["hook-instance"], indirect=True)
def test_an_instance_that_is_no_uuid_becomes_the_same_uuid_each_time(made: Door) -> None:
    sent = of("patient-view") | {"hookInstance": "abc"}
    assert made.call(sent, "patient-view").data == made.call(sent, "patient-view").data
    other = made.call({**sent, "hookInstance": "abd"}, "patient-view")
    assert other.data != made.call(sent, "patient-view").data


@pytest.mark.parametrize("made", [lenient.SET_ASIDE], indirect=True)
def test_what_is_not_valid_is_set_aside_and_named(made: Door) -> None:
    broken = prescription("n", intent=...)
    del broken["intent"]
    answer = made.call(of("order-sign", draftOrders=bundle(prescription(), broken)), "order-sign")
    said, aside = answer.json["cards"]
    assert said["detail"].startswith("PractitionerRole/r")
    assert aside["indicator"] == "warning"
    assert "context.draftOrders.entry" in aside["detail"].replace("\\", "")
    assert "intent" in aside["detail"]


@pytest.mark.parametrize("made", [lenient.SET_ASIDE], indirect=True)
@pytest.mark.parametrize(
    "medication",
    [{**VERIFIED, "status": "x"}, {"resourceType": "MedicationOrder", "patient": {"reference": "Patient/1"}}],
)
def test_where_all_that_a_call_is_about_is_set_aside_no_service_is_asked(
    made: Door, medication: dict[str, Any]
) -> None:
    answer = made.call(of("medication-verify", medication=medication), "medication-verify")
    assert answer.status_code == 200, answer.text
    (aside,) = answer.json["cards"]
    assert aside["indicator"] == "warning" and aside["summary"].startswith("Not judged")
    assert "context.medication" in aside["detail"]


@pytest.mark.parametrize("made", [lenient.SET_ASIDE], indirect=True)
def test_a_task_that_is_set_aside_leaves_the_dispatch_to_be_judged(made: Door) -> None:
    earlier = {"order": "ServiceRequest/s", "task": {**TASK, "status": "x"}}
    sent = of("order-dispatch", dispatchedOrders=..., fulfillmentTasks=..., **earlier)
    answer = made.call(sent, "order-dispatch")
    assert [card["indicator"] for card in answer.json["cards"]] == ["info", "warning"], answer.text


@pytest.mark.parametrize("made", ["all"], indirect=True)
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (of("order-sign", draftOrders=bundle(prescription(subject={"reference": "Patient/2"}))), 422),
        (of("order-sign", draftOrders={**bundle(prescription()), "total": 2}), 400),
        (
            of("order-sign", draftOrders={**bundle(prescription()), "link": [{"relation": "next", "url": "x"}]}),
            400,
        ),
        (of("order-sign", draftOrders={"resourceType": "Bundle", "type": "history"}), 400),
        (of("order-sign", draftOrders="x"), 400),
        (of("order-sign", patientId=...), 400),
        (of("order-sign", patientId="Encounter/1"), 400),
        (of("order-select", selections=["z"]), 400),
        (
            of(
                "order-select",
                selections=["m"],
                draftOrders=bundle(
                    prescription(),
                    {
                        "resourceType": "ServiceRequest",
                        "id": "m",
                        "status": "draft",
                        "intent": "order",
                        "subject": {"reference": "Patient/1"},
                    },
                ),
            ),
            400,
        ),
    ],
)
def test_no_mode_takes_what_could_mean_two_things_or_another_patient(
    made: Door, sent: dict[str, Any], status: int
) -> None:
    assert made.call(sent, sent["hook"]).status_code == status


def test_a_setting_names_them() -> None:
    assert lenient.chosen("") == frozenset()
    assert lenient.chosen("all") == frozenset(NAMES)
    assert lenient.chosen(" typed-ids , no-user,") == {"typed-ids", "no-user"}
    assert lenient.chosen("all,-no-user") == frozenset(NAMES) - {"no-user"}
    with pytest.raises(Incorrect, match="typed-ids"):
        lenient.chosen("everything")


def test_each_use_is_counted_and_logged_without_a_word_of_the_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fhirtwin.cds")
    before = lenient.used().get("typed-ids", 0)
    lenient.mended(of("order-sign", patientId="Patient/jane-doe"), frozenset(NAMES), "s")
    assert lenient.used()["typed-ids"] == before + 1
    assert "typed-ids" in caplog.text and "jane" not in caplog.text


def test_the_page_lists_every_leniency() -> None:
    page = (ROOT / "docs" / "how-to" / "call-cds-hooks.md").read_text()
    for one in lenient.LENIENCIES:
        assert f"| `{one.name}` | {one.sent} | {one.made} |" in page
