"""Feedback: what is taken, what is refused and with which words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirtwin.access import Caller
from fhirtwin.errors import Unavailable
from fhirtwin.store.advice import OutcomeCount
from tests.api_cds.advising import ID, LATER, OTHER, SUGGESTION, WHEN, Advisor, accepted, card, overridden, send, shown
from tests.gateway_in_process import Gateway

pytestmark = pytest.mark.databases


def issues(answer: Any, status: int) -> dict[str, str]:
    """What is wrong, by place."""
    assert answer.status_code == status, answer.text
    assert answer.json["resourceType"] == "OperationOutcome"
    return {issue["expression"][0]: issue["diagnostics"] for issue in answer.json["issue"]}


def outcomes(twin: Gateway) -> list[OutcomeCount]:
    with twin.parts.store.snapshot() as reader:
        return reader.advice.outcomes("0000-01-01", "9999-12-31")


@pytest.fixture
def ids(advised: Gateway, advisor: Advisor) -> list[str]:
    """Two cards that were shown."""
    advisor.cards = [card(1), card(2)]
    return [one["uuid"] for one in shown(advised)]


def test_an_accepted_suggestion_is_kept(advised: Gateway, ids: list[str]) -> None:
    answer = send(advised, accepted(ids[0]))
    assert (answer.status_code, answer.json) == (200, {})
    assert outcomes(advised) == [OutcomeCount(ID, "", "accepted", ("", ""), 1)]


def test_an_overridden_card_is_kept_with_reason_and_comment(advised: Gateway, ids: list[str]) -> None:
    why = {"reason": LATER, "userComment": "on Monday"}
    assert send(advised, overridden(ids[0], overrideReason=why), overridden(ids[1])).status_code == 200
    assert outcomes(advised) == [
        OutcomeCount(ID, "", "overridden", ("", ""), 1),
        OutcomeCount(ID, "", "overridden", (LATER["system"], LATER["code"]), 1),
    ]


def test_the_same_item_again_is_kept_once(advised: Gateway, ids: list[str]) -> None:
    item = overridden(ids[0], overrideReason={"userComment": "no"})
    same = {**item, "outcomeTimestamp": WHEN.replace("Z", ".000+00:00"), "card": ids[0].upper()}
    for sent in ((item, item), (same,), (item, accepted(ids[1])), (accepted(ids[1], SUGGESTION, SUGGESTION),)):
        assert send(advised, *sent).status_code == 200
        advised.now += timedelta(minutes=1)
    assert [one.number for one in outcomes(advised)] == [1, 1]


def test_a_card_may_be_acted_upon_several_times(advised: Gateway, ids: list[str]) -> None:
    later = WHEN.replace("30Z", "50Z")
    assert send(advised, overridden(ids[0]), overridden(ids[0], outcomeTimestamp=later)).status_code == 200
    assert [one.number for one in outcomes(advised)] == [2]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "feedback"),
        ({"feedback": []}, "feedback"),
        ({"feedback": {}}, "feedback"),
        ({"feedback": None}, "feedback"),
        ({"feedback": ["x"]}, "feedback[0]"),
        ({"feedback": [None]}, "feedback[0]"),
    ],
)
def test_a_body_of_another_shape_is_refused(advised: Gateway, body: Any, place: str) -> None:
    assert set(issues(advised.http.post(f"/cds-services/{ID}/feedback", json=body), 400)) == {place}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"card": ...}, "card"),
        ({"card": 7}, "card"),
        ({"card": "not-a-uuid"}, "card"),
        ({"outcome": ...}, "outcome"),
        ({"outcome": "ignored"}, "outcome"),
        ({"outcome": []}, "outcome"),
        ({"outcomeTimestamp": ...}, "outcomeTimestamp"),
        ({"outcomeTimestamp": "2026-06-01"}, "outcomeTimestamp"),
        ({"outcomeTimestamp": "2026-06-01T12:00:30"}, "outcomeTimestamp"),
        ({"outcomeTimestamp": "2026-06-01T14:00:30+02:00"}, "outcomeTimestamp"),
        ({"outcomeTimestamp": "2026-02-30T12:00:30Z"}, "outcomeTimestamp"),
        ({"outcomeTimestamp": "٢٠٢٦-06-01T12:00:30Z"}, "outcomeTimestamp"),
        ({"outcomeTimestamp": 1780315230}, "outcomeTimestamp"),
        ({"acceptedSuggestions": [{"id": SUGGESTION}]}, "acceptedSuggestions"),
        ({"outcome": "accepted"}, "acceptedSuggestions"),
        ({"outcome": "accepted", "acceptedSuggestions": []}, "acceptedSuggestions"),
        ({"outcome": "accepted", "acceptedSuggestions": {}}, "acceptedSuggestions"),
        ({"outcome": "accepted", "acceptedSuggestions": [{}]}, "acceptedSuggestions[0].id"),
        ({"outcome": "accepted", "acceptedSuggestions": [{"id": 3}]}, "acceptedSuggestions[0].id"),
        ({"outcome": "accepted", "acceptedSuggestions": ["x"]}, "acceptedSuggestions[0].id"),
        ({"overrideReason": {}}, "overrideReason"),
        ({"overrideReason": None}, "overrideReason"),
        ({"overrideReason": "later"}, "overrideReason"),
        ({"overrideReason": {"userComment": ""}}, "overrideReason.userComment"),
        ({"overrideReason": {"userComment": ["x"]}}, "overrideReason.userComment"),
        ({"overrideReason": {"reason": {"code": "later"}}}, "overrideReason.reason"),
        ({"overrideReason": {"reason": "later"}}, "overrideReason.reason"),
        (
            {"outcome": "accepted", "acceptedSuggestions": [{"id": SUGGESTION}], "overrideReason": {"reason": LATER}},
            "overrideReason",
        ),
    ],
)
def test_an_item_that_is_wrong_is_refused_by_place(
    advised: Gateway, ids: list[str], changes: dict[str, Any], place: str
) -> None:
    item = {name: value for name, value in {**overridden(ids[0]), **changes}.items() if value is not ...}
    assert set(issues(send(advised, accepted(ids[1]), item), 400)) == {f"feedback[1].{place}"}
    assert outcomes(advised) == [], "all of a body or nothing"


def test_every_fault_is_named_at_once(advised: Gateway, ids: list[str]) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    found = issues(send(advised, {}, overridden(unknown), accepted(ids[0], SUGGESTION, "x")), 400)
    of_first = {f"feedback[0].{name}" for name in ("card", "outcome", "outcomeTimestamp")}
    assert set(found) == of_first | {"feedback[1].card", "feedback[2].acceptedSuggestions"}


def test_what_does_not_fit_the_card_is_refused_by_place(advised: Gateway, ids: list[str]) -> None:
    foreign = {"system": "http://elsewhere.example", "code": "later"}
    found = issues(
        send(
            advised,
            overridden("00000000-0000-4000-8000-000000000000"),
            accepted(ids[0], "another"),
            overridden(ids[0], overrideReason={"reason": foreign}),
            overridden(ids[0], outcomeTimestamp="2026-05-01T12:00:00Z"),
            overridden(ids[0], outcomeTimestamp="2026-06-02T12:00:00Z"),
            overridden(ids[1], overrideReason={"reason": OTHER}),
        ),
        422,
    )
    assert set(found) == {
        "feedback[0].card",
        "feedback[1].acceptedSuggestions",
        "feedback[2].overrideReason.reason",
        "feedback[3].outcomeTimestamp",
        "feedback[4].outcomeTimestamp",
    }
    assert "clock" in found["feedback[3].outcomeTimestamp"]
    assert outcomes(advised) == []


def test_a_card_of_another_service_or_client_is_unknown(advised: Gateway, ids: list[str]) -> None:
    assert send(advised, overridden(ids[0]), service="twin-patient-view").status_code == 422
    advised.caller = Caller("another", advised.caller.may)
    assert send(advised, overridden(ids[0])).status_code == 422


def test_who_may_nothing_gives_no_feedback(advised: Gateway, ids: list[str]) -> None:
    advised.caller = replace(advised.caller, may=frozenset())
    assert send(advised, overridden(ids[0])).status_code == 403


def test_a_service_that_is_not_there_takes_none(advised: Gateway, ids: list[str]) -> None:
    answer = send(advised, overridden(ids[0]), service="none")
    assert answer.status_code == 404
    assert ID in answer.text


def test_more_than_a_body_may_have_is_refused(advised: Gateway, ids: list[str]) -> None:
    item = overridden(ids[0])
    assert send(advised, *[item] * 1000).status_code == 200
    found = issues(send(advised, *[item] * 1001), 400)
    assert "FHIRTWIN_MAX_FEEDBACK_ITEMS" in found["feedback"]


@pytest.mark.parametrize(("content", "status"), [("text/plain", 415), ("application/json", 400)])
def test_what_is_no_json_is_refused(advised: Gateway, content: str, status: int) -> None:
    answer = advised.http.post(f"/cds-services/{ID}/feedback", data=b"feedback=", content_type=content)
    assert answer.status_code == status


def test_feedback_repeats_nothing_of_what_was_sent(advised: Gateway, ids: list[str]) -> None:
    secret = "Maria Keller refuses"
    answer = send(advised, overridden(ids[0], overrideReason={"userComment": secret, "reason": {"code": secret}}))
    assert answer.status_code == 400
    assert "Maria" not in answer.text


def test_members_that_are_not_defined_are_passed_over(advised: Gateway, ids: list[str]) -> None:
    item = overridden(ids[0], extension={"x.y": {}}, more=[1])
    assert send(advised, item).status_code == 200


def test_a_store_that_cannot_be_written_refuses_feedback(
    advised: Gateway, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Any:
        raise Unavailable("gone")

    monkeypatch.setattr(advised.parts.store, "write", gone)
    assert send(advised, overridden(ids[0])).status_code == 503


def test_a_card_is_forgotten_after_its_days(advised: Gateway, advisor: Advisor, ids: list[str]) -> None:
    send(advised, overridden(ids[0]))
    advised.now += timedelta(days=366)
    advisor.cards = [card(3)]
    shown(advised)
    recent = (advised.now + timedelta(seconds=1)).isoformat()
    assert send(advised, overridden(ids[0], outcomeTimestamp=recent)).status_code == 422
    assert [one.number for one in outcomes(advised)] == [1], "counts stay"


def test_a_card_that_is_shown_now_and_then_is_not_forgotten(advised: Gateway, advisor: Advisor, ids: list[str]) -> None:
    for _ in range(4):
        advised.now += timedelta(days=200)
        assert [one["uuid"] for one in shown(advised)] == ids
    advisor.cards = [card(3)]
    shown(advised)
    recent = (advised.now + timedelta(seconds=1)).isoformat()
    assert send(advised, overridden(ids[0], outcomeTimestamp=recent)).status_code == 200


def test_feedback_of_the_public_sandbox_is_read(advised: Gateway, shared: Path) -> None:
    """What a client that nobody here wrote sends differs from what is taken in nothing but the card."""
    file = shared / "data" / "cds-hooks" / "requests" / "cds-hooks-sandbox" / "feedback_accepted.json"
    sent = json.loads(file.read_text())
    assert set(issues(send(advised, *sent["feedback"]), 422)) == {"feedback[0].card"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_MEMBERS = st.sampled_from(
    ["card", "outcome", "acceptedSuggestions", "overrideReason", "outcomeTimestamp", "reason", "id", "userComment"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.dictionaries(_MEMBERS, _JSON, max_size=4), whole=st.booleans())
def test_no_feedback_breaks_the_server(advised: Gateway, ids: list[str], changes: dict[str, Any], whole: bool) -> None:
    item = {**(overridden(ids[0]) if whole else accepted(ids[1])), **changes}
    assert send(advised, item).status_code in (200, 400, 422)
