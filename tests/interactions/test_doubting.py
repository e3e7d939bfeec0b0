from __future__ import annotations

import logging
import threading
from typing import Any
from unittest.mock import Mock

import pytest

from fhirtwin.interactions import doubting
from fhirtwin.interactions.withdrawing import DOUBTED
from fhirtwin.quarantine import microseconds
from tests.engine import lying
from tests.gateway_in_process import FHIR, Gateway, evaluator, maria


def somebody(twin: Gateway, number: int) -> str:
    """A patient like Maria Keller, another one for each number."""
    return twin.load(maria().replace("MRN-004711", f"MRN-{number}"))


def assess(twin: Gateway, patient: str) -> Any:
    return twin.http.post(f"/fhir/Patient/{patient}/$assess?store=true")


def right_until_now(twin: Gateway) -> None:
    with twin.parts.store.note_standing() as standings:
        standings.count(right=1, wrong=0, moment=microseconds())


def lies(twin: Gateway) -> None:
    twin.courier.way = lambda features: lying.moved(evaluator(), features, {3: 0.5})


def lift(twin: Gateway) -> None:
    with twin.parts.store.write() as write:
        write.standings.lift(microseconds())


def history(twin: Gateway, id_: str) -> list[dict[str, Any]]:
    found = twin.http.get(f"/fhir/RiskAssessment/{id_}/_history").json
    assert found is not None
    return [entry["resource"] for entry in found["entry"]]


@pytest.mark.databases
def test_what_was_stored_since_the_last_right_answer_is_withdrawn_and_nothing_else(twin: Gateway) -> None:
    early, late, third = (somebody(twin, number) for number in range(3))
    assert assess(twin, early).status_code == 200
    right_until_now(twin)
    assert assess(twin, late).status_code == 200
    before = {patient: twin.reports(patient) for patient in (early, late)}
    lies(twin)
    assert assess(twin, third).status_code == 503

    assert twin.reports(early) == before[early]
    assert twin.reports(third) == {}
    after = twin.reports(late)
    assert len(after) == len(before[late]) == 2
    for name, report in after.items():
        assert report["status"] == "entered-in-error"
        assert report["note"][-1] == {"text": DOUBTED}
        assert report["prediction"] == before[late][name]["prediction"]
        assert [one["status"] for one in history(twin, report["id"])] == ["entered-in-error", "final"]
        told = twin.http.get(f"/fhir/Provenance?target=RiskAssessment/{report['id']}").json
        assert told is not None
        reasons = [entry["resource"].get("reason") for entry in told["entry"]]
        assert [{"text": DOUBTED}] in reasons and len(reasons) == 2


def test_no_further_call_goes_to_the_engine_and_everybody_is_told(
    twin: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    patient = twin.load(maria())
    prefetch = twin.prefetch(patient)
    lies(twin)
    with caplog.at_level(logging.INFO):
        first = twin.call(patient, prefetch).json["cards"][0]
    sent = len(twin.courier.sent)
    second = twin.call(patient, prefetch).json["cards"][0]
    refused = assess(twin, patient)
    assert len(twin.courier.sent) == sent == 1
    for card in (first, second):
        assert card["summary"] == (
            "Risks not calculated: the prediction engine is in quarantine because it gave a wrong answer"
        )
        assert len(card["summary"]) < 140 and card["indicator"] == "warning"
        assert "not a low risk" in card["detail"]
    assert refused.status_code == 503
    assert "fhirtwin quarantine lift" in refused.json["issue"][0]["diagnostics"]
    assert "the engine gave a wrong answer and is in quarantine" in caplog.text
    assert patient not in caplog.text and "Keller" not in caplog.text
    figures = twin.http.get("/metrics").text
    assert "fhirtwin_engine_quarantined 1\n" in figures
    assert 'fhirtwin_engine_answers_total{probe="wrong"} 1\n' in figures


def test_once_it_is_lifted_what_was_withdrawn_is_calculated_anew(twin: Gateway) -> None:
    patient, other = somebody(twin, 1), somebody(twin, 2)
    right = twin.courier.way
    assess(twin, patient)
    before = twin.reports(patient)
    lies(twin)
    assess(twin, other)
    assert {one["status"] for one in twin.reports(patient).values()} == {"entered-in-error"}
    lift(twin)
    twin.courier.way = right
    assert assess(twin, patient).status_code == 200
    after = twin.reports(patient)
    assert {one["status"] for one in after.values()} == {"corrected"}
    assert {name: one["id"] for name, one in after.items()} == {name: one["id"] for name, one in before.items()}
    assert assess(twin, other).status_code == 200


def test_what_others_wrote_or_marked_is_left_as_it_is(twin: Gateway) -> None:
    patient, other = somebody(twin, 1), somebody(twin, 2)
    assess(twin, patient)
    ours = twin.reports(patient)["prevent-base"]
    marked = {**ours, "status": "cancelled"}
    assert twin.http.put(f"/fhir/RiskAssessment/{ours['id']}", json=marked, content_type=FHIR).status_code == 200
    foreign = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "method": {"coding": [{"system": "http://x.test", "code": "theirs"}]},
    }
    assert twin.http.post("/fhir/RiskAssessment", json=foreign, content_type=FHIR).status_code == 201
    lies(twin)
    assess(twin, other)
    found = {name: one["status"] for name, one in twin.reports(patient).items()}
    assert found == {"prevent-base": "cancelled", "theirs": "final", "kfre-4-variable": "entered-in-error"}


def test_it_goes_on_where_it_was_cut_off_and_stops_when_it_is_lifted(
    twin: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients = [somebody(twin, number) for number in range(3)]
    for patient in patients:
        assess(twin, patient)
    with twin.parts.store.write() as write:
        write.standings.quarantine(microseconds(), None)
    withdrawing = doubting._withdraw
    done: list[str] = []

    def cut_off(*given: Any) -> bool:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(given[2])
        return withdrawing(*given)

    monkeypatch.setattr(doubting, "_withdraw", cut_off)
    with pytest.raises(KeyboardInterrupt):
        doubting.withdraw(twin.parts)
    of_patients = [{one["status"] for one in twin.reports(patient).values()} for patient in sorted(patients)]
    assert of_patients == [{"entered-in-error"}, {"final"}, {"final"}], "all of a patient, or nothing"

    monkeypatch.setattr(doubting, "_withdraw", withdrawing)
    assert doubting.withdraw(twin.parts) == 4
    assert doubting.withdraw(twin.parts) == 0
    lift(twin)
    assert doubting.withdraw(twin.parts) == 0


def test_it_is_done_in_the_background_once_at_a_time(twin: Gateway) -> None:
    patient = twin.load(maria())
    assess(twin, patient)
    with twin.parts.store.write() as write:
        write.standings.quarantine(microseconds(), None)
    background = doubting.Doubting(twin.parts)
    background.begin()
    background.begin()
    with background._busy:  # until it is done
        assert {one["status"] for one in twin.reports(patient).values()} == {"entered-in-error"}


def test_a_machine_that_starts_no_thread_now_may_start_one_later(
    twin: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = twin.load(maria())
    assess(twin, patient)
    with twin.parts.store.write() as write:
        write.standings.quarantine(microseconds(), None)
    background = doubting.Doubting(twin.parts)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
        background.begin()
    background.begin()
    with background._busy:  # until it is done
        assert {one["status"] for one in twin.reports(patient).values()} == {"entered-in-error"}
