"""What leaves the door, whatever a service left out; and that the same call is answered the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.api.cds.service import Call, Response
from tests.api_cds.door import CARD, EHR, Door, body, door, service

SUGGESTION = {"label": "Do it"}
REPEATED = [
    CARD,
    {**CARD, "summary": "More", "suggestions": [SUGGESTION, SUGGESTION], "selectionBehavior": "any"},
    CARD,
]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Door]:
    opened = door(
        tmp_path,
        service(lambda _: Response(REPEATED)),
        service(lambda _: Response(), id="silent"),
        service(_of_the_call, id="echo", hooks=("patient-view", "com.example.lunch")),
    )
    yield opened
    opened.parts.store.close()


def _of_the_call(call: Call) -> Response:
    return Response([{**CARD, "detail": f"{call.hook} {call.hook_instance} {call.fhir_server}"}])


@pytest.mark.conforms(
    "cds-hooks_2.0@1", "cds-hooks_2.0@74", "cds-hooks_2.0@80", "cds-hooks_2.0@119", "cds-hooks_2.0@220"
)
def test_what_a_client_needs_is_there_whatever_the_service_left_out(made: Door) -> None:
    answer = made.call(body())
    assert answer.status_code == 200 and answer.content_type == "application/json"
    cards = answer.json["cards"]
    uuids = [card["uuid"] for card in cards] + [each["uuid"] for each in cards[1]["suggestions"]]
    assert len(set(uuids)) == len(uuids) == 5
    assert {card["source"]["topic"]["code"] for card in cards} == {"s"}


def test_the_same_hook_instance_gets_the_same_answer(made: Door) -> None:
    assert made.call(body()).data == made.call(body()).data


def test_a_finding_that_has_not_changed_keeps_its_card_at_the_next_firing(made: Door) -> None:
    later = body(hookInstance="11111111-1111-4111-8111-111111111111")
    assert made.call(later).data == made.call(body()).data


def test_another_patients_card_is_another_card(made: Door) -> None:
    here, there = made.call(body()).json, made.call(body(fhirServer=EHR)).json
    assert {card["uuid"] for card in here["cards"]}.isdisjoint(card["uuid"] for card in there["cards"])


@pytest.mark.conforms("cds-hooks_2.0@3", "cds-hooks_2.0@74", "cds-hooks_2.0@75")
def test_nothing_to_say_is_an_empty_array_and_nothing_else(made: Door) -> None:
    assert made.call(body(), "silent").json == {"cards": []}


def test_a_service_of_several_hooks_is_told_which_fired(made: Door) -> None:
    for hook in ("patient-view", "com.example.lunch"):
        (card,) = made.call(body(hook, fhirServer=f"{EHR}/"), "echo").json["cards"]
        assert card["detail"] == f"{hook} d1577c69-dfbe-44ad-ba6d-3e05e953b2ea {EHR}"
    assert made.call(body("order-sign"), "echo").status_code == 400


@pytest.mark.conforms("cds-hooks_2.0@75", "cds-hooks_2.0@125")
def test_system_actions_and_extension_leave_with_the_cards(tmp_path: Path) -> None:
    delete = {"type": "delete", "description": "Take it away", "resourceId": "ServiceRequest/s"}
    answer = Response([], [delete], {"com.example.x": {"a": 1}})
    opened = door(tmp_path, service(lambda _: answer))
    assert opened.call(body()).json == {
        "cards": [],
        "systemActions": [delete],
        "extension": {"com.example.x": {"a": 1}},
    }
    opened.parts.store.close()


def test_the_log_names_the_service_and_the_rule_that_its_answer_broke(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened = door(tmp_path, service(lambda _: Response([{**CARD, "summary": "Jane Doe " * 20}])))
    with caplog.at_level("ERROR", "fhirtwin.error"):
        assert opened.call(body()).status_code == 500
    (told,) = (record.getMessage() for record in caplog.records)
    assert "CDS service s made an answer that must not leave: cards[0].summary must be" in told
    assert "Jane" not in told
    opened.parts.store.close()


@pytest.mark.conforms("cds-hooks_2.0@1")
def test_only_json_is_read(made: Door) -> None:
    refused = made.http.post("/cds-services/s", data="<a/>", content_type="application/xml")
    assert refused.status_code == 415
    assert "Send the body as application/json." in refused.text
    wrong: Any = made.http.post("/cds-services/s", data="{", content_type="application/json")
    assert wrong.status_code == 400 and wrong.json["resourceType"] == "OperationOutcome"
