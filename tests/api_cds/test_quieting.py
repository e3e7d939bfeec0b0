"""Cards that a user overrode: held back from them for a time, and from nobody else."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from fhirtwin.api.cds import composite
from fhirtwin.api.cds.composite import Part
from fhirtwin.api.cds.service import Call, Response
from fhirtwin.errors import EngineUnavailable, Fault, Precondition, Unavailable
from fhirtwin.store.advice import CallCount
from tests.api_cds.advising import ID, Advisor, accepted, call, card, overridden, send, shown
from tests.gateway_in_process import Gateway

pytestmark = pytest.mark.databases

QUIETENED = "org.fhirtwin.quietened"


def summaries(twin: Gateway, **whose: str) -> list[str]:
    return [one["summary"] for one in shown(twin, **whose)]


def override(twin: Gateway, summary: str, **whose: str) -> str:
    (found,) = [one["uuid"] for one in shown(twin, **whose) if one["summary"] == summary]
    assert send(twin, overridden(found)).status_code == 200
    return str(found)


def counts(twin: Gateway) -> CallCount:
    with twin.parts.store.snapshot() as reader:
        (found,) = reader.advice.calls("0000-01-01", "9999-12-31")
    return found


@pytest.fixture(autouse=True)
def two_cards(advisor: Advisor) -> None:
    advisor.cards = [card(1), card(2)]


def test_an_overridden_card_is_held_back_and_the_response_says_so(advised: Gateway) -> None:
    id_ = override(advised, "Finding 1")
    answer = call(advised).json
    assert [one["summary"] for one in answer["cards"]] == ["Finding 2"]
    until = "2026-06-02T12:00:30Z"
    told = {"count": 1, "until": until, "cards": [{"uuid": id_, "until": until}]}
    assert answer["extension"] == {QUIETENED: told}


def test_other_extensions_of_the_response_stay(advised: Gateway, advisor: Advisor) -> None:
    advisor.extension = {"org.fhirtwin.late": {"count": 1}}
    assert call(advised).json["extension"] == advisor.extension
    override(advised, "Finding 1")
    assert set(call(advised).json["extension"]) == {"org.fhirtwin.late", QUIETENED}


def test_it_comes_back_when_its_time_is_over(advised: Gateway) -> None:
    override(advised, "Finding 1")
    advised.now += timedelta(hours=24)
    assert summaries(advised) == ["Finding 2"]
    advised.now += timedelta(seconds=30)
    assert summaries(advised) == ["Finding 1", "Finding 2"]
    assert "extension" not in call(advised).json


@pytest.mark.parametrize(
    "whose",
    [
        {"user": "Practitioner/18"},
        {"user": "PractitionerRole/17"},
        {"patient": "q"},
    ],
)
def test_it_is_held_back_from_nobody_else(advised: Gateway, whose: dict[str, str]) -> None:
    override(advised, "Finding 1")
    assert summaries(advised, **whose) == ["Finding 1", "Finding 2"]


def test_nor_from_users_of_another_server(advised: Gateway) -> None:
    override(advised, "Finding 1")
    assert len(call(advised, fhirServer="https://other.example/fhir").json["cards"]) == 2


def test_each_user_has_a_uuid_of_their_own_for_the_same_card(advised: Gateway) -> None:
    first = {one["uuid"] for one in shown(advised)}
    assert first == {one["uuid"] for one in shown(advised)}
    assert first.isdisjoint(one["uuid"] for one in shown(advised, user="Practitioner/18"))


def test_what_is_critical_is_always_shown(advised: Gateway, advisor: Advisor) -> None:
    advisor.cards = [card(1, "critical")]
    override(advised, "Finding 1")
    assert summaries(advised) == ["Finding 1"]
    assert "extension" not in call(advised).json


def test_what_becomes_more_urgent_is_shown(advised: Gateway, advisor: Advisor) -> None:
    advisor.cards = [card(1, "info")]
    override(advised, "Finding 1")
    assert summaries(advised) == []
    advisor.cards = [card(1, "warning")]
    assert summaries(advised) == ["Finding 1"]


def test_it_comes_back_when_the_data_behind_it_change(advised: Gateway, advisor: Advisor) -> None:
    override(advised, "Finding 1")
    advisor.cards = [card(3, summary="Finding 1, with a newer value")]
    assert len(shown(advised)) == 1


def test_a_card_that_tells_of_a_failure_is_always_shown(advised: Gateway, advisor: Advisor) -> None:
    advisor.lasting = frozenset({advisor.cards[0]["uuid"]})
    override(advised, "Finding 1")
    assert summaries(advised) == ["Finding 1", "Finding 2"]


def test_a_failed_engine_cannot_be_overridden_away(twin: Gateway, patient: str) -> None:
    twin.courier.fails = EngineUnavailable("late")
    prefetch = twin.prefetch(patient)
    (found,) = twin.call(patient, prefetch).json["cards"]
    assert send(twin, overridden(found["uuid"]), service="twin-patient-view").status_code == 200
    assert twin.call(patient, prefetch).json["cards"] == [found]


def test_nor_can_a_part_that_failed(advised: Gateway, advisor: Advisor) -> None:
    def fails(_call: Call) -> Response:
        raise Fault("broken")

    advisor.instead = composite.together(Part("renal dosing", fails), Part("the rest", advisor.answer))
    override(advised, "Advice is missing: renal dosing")
    override(advised, "Finding 1")
    assert summaries(advised) == ["Finding 2", "Advice is missing: renal dosing"]


def test_a_risk_that_was_overridden_comes_back_with_a_corrected_input(twin: Gateway, patient: str) -> None:
    first = twin.call(patient, twin.prefetch(patient)).json["cards"]
    assert send(twin, *[overridden(one["uuid"]) for one in first], service="twin-patient-view").status_code == 200
    assert twin.call(patient, twin.prefetch(patient)).json["cards"] == []
    found: Any = twin.http.get(f"/fhir/Observation?patient={patient}&code=85354-9").json
    pressure = found["entry"][0]["resource"]
    pressure["status"] = "corrected"
    pressure["component"][0]["valueQuantity"]["value"] = 118
    assert twin.http.put(f"/fhir/Observation/{pressure['id']}", json=pressure).status_code == 200
    answer = twin.call(patient, twin.prefetch(patient)).json
    assert len(answer["cards"]) == 1
    assert answer["extension"][QUIETENED]["count"] == len(first) - 1


def test_an_accepted_card_is_shown_again(advised: Gateway) -> None:
    first = shown(advised)
    assert send(advised, accepted(first[0]["uuid"])).status_code == 200
    assert shown(advised) == first


@pytest.mark.parametrize(("accepted_at", "quiet"), [("2026-06-01T12:00:20Z", True), ("2026-06-01T12:00:40Z", False)])
def test_what_the_user_did_last_counts(advised: Gateway, accepted_at: str, quiet: bool) -> None:
    id_ = override(advised, "Finding 1")
    assert send(advised, accepted(id_, outcomeTimestamp=accepted_at)).status_code == 200
    assert (summaries(advised) == ["Finding 2"]) is quiet


def test_a_card_that_the_service_gave_no_uuid_can_be_overridden_too(advised: Gateway, advisor: Advisor) -> None:
    advisor.cards = [card(1, uuid=...)]
    override(advised, "Finding 1")
    assert shown(advised) == []


def test_an_answer_that_breaks_the_rules_is_neither_given_nor_noted(advised: Gateway, advisor: Advisor) -> None:
    advisor.cards = [card(1), card(2, indicator=...)]
    answer = call(advised)
    assert (answer.status_code, "indicator" in answer.text) == (500, True)
    assert counts(advised) == CallCount(ID, "", failed=1)


def test_every_call_is_counted_with_its_cards(advised: Gateway, advisor: Advisor) -> None:
    override(advised, "Finding 1")
    override(advised, "Finding 2")
    shown(advised)
    advisor.cards = []
    shown(advised)
    assert counts(advised) == CallCount(ID, "", answered=4, silent=2, cards=3, quietened=3)


@pytest.mark.parametrize(
    ("error", "refused"), [(Precondition("no data"), 1), (Fault("ours"), 0), (ZeroDivisionError(), 0)]
)
def test_errors_are_counted_apart(advised: Gateway, advisor: Advisor, error: Exception, refused: int) -> None:
    advisor.fails = error
    assert call(advised).status_code == (412 if refused else 500)
    assert counts(advised) == CallCount(ID, "", refused=refused, failed=1 - refused)


def test_a_call_that_is_wrong_is_counted_as_refused(advised: Gateway) -> None:
    assert call(advised, hook="another").status_code == 400
    assert counts(advised) == CallCount(ID, "", refused=1)


def test_cards_that_cannot_be_noted_are_given_all_the_same(
    advised: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    override(advised, "Finding 1")

    def gone() -> Any:
        raise Unavailable("gone")

    monkeypatch.setattr(advised.parts.store, "note", gone)
    with caplog.at_level(logging.WARNING, "fhirtwin.cds"):
        answer = call(advised).json
    assert [one["summary"] for one in answer["cards"]] == ["Finding 1", "Finding 2"]
    assert all("uuid" not in one for one in answer["cards"])
    assert "org.fhirtwin.no-feedback" in answer["extension"]
    assert "could not be noted" in caplog.text


def test_quieting_can_be_switched_off(unquiet: Gateway, advisor: Advisor) -> None:
    override(unquiet, "Finding 1")
    unquiet.now += timedelta(minutes=1)
    assert summaries(unquiet) == ["Finding 1", "Finding 2"]
