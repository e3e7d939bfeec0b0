"""The kit for services sees what a gateway would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from fhirtwin.api.cds.contexts import OrderSign
from fhirtwin.api.cds.hooks import HOOKS
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.errors import Incorrect
from fhirtwin.intake.prefetch import Template
from fhirtwin.testing.services import CheckFailed, answer

CARD: dict[str, Any] = {"summary": "Something to say", "indicator": "info", "source": {"label": "Test"}}


def service(handler: Any = lambda _: Response([CARD]), **changes: Any) -> Service:
    made: dict[str, Any] = {
        "id": "s",
        "hooks": tuple(HOOKS),
        "title": "Service",
        "description": "Says what the test wants.",
        "prefetch": {},
        "handler": handler,
    }
    return Service(**made | changes)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_can_be_tried_without_writing_a_context(hook: str) -> None:
    seen: list[Call] = []

    def look(call: Call) -> Response:
        seen.append(call)
        return Response([CARD])

    (card,) = answer(service(look), {}, patient="p1", hook=hook)["cards"]
    assert card["summary"] == CARD["summary"]
    assert card["uuid"] and card["source"]["topic"]["code"] == "s"
    assert (seen[0].hook, seen[0].patient.id) == (hook, "p1")
    assert isinstance(seen[0].context, HOOKS[hook].context)


def test_a_context_that_is_given_is_used() -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "mine",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "something"},
        "subject": {"reference": "Patient/p1"},
    }
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}

    def look(call: Call) -> Response:
        assert isinstance(call.context, OrderSign)
        return Response([CARD | {"summary": str(call.context.draft_orders[0]["id"])}])

    said = answer(service(look), {}, patient="p1", hook="order-sign", context={"draftOrders": bundle})
    assert said["cards"][0]["summary"] == "mine"


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (lambda _: Response([CARD | {"summary": "x" * 140}]), "summary"),
        (lambda _: Response([{"summary": "x"}]), "indicator"),
        (lambda _: 1 / 0, "500"),
        (lambda _: {"cards": []}, "Response"),
    ],
)
def test_what_a_gateway_would_not_let_out_fails(handler: Any, text: str) -> None:
    with pytest.raises(CheckFailed, match=text):
        answer(service(handler), {}, patient="p1")


def test_another_patients_data_fail() -> None:
    wanted = {"patient": Template("Patient/{{context.patientId}}")}
    with pytest.raises(CheckFailed, match="422"):
        answer(service(prefetch=wanted), {"patient": {"resourceType": "Patient", "id": "p2"}}, patient="p1")


def test_a_service_that_does_not_pass_the_gate_fails() -> None:
    with pytest.raises(Incorrect, match="reverse-domain"):
        answer(service(hooks=("unknown",)), {}, patient="p1")
    with pytest.raises(CheckFailed, match="not for the hook"):
        answer(service(hooks=("patient-view",)), {}, patient="p1", hook="order-sign")
