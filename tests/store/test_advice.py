"""Cards that were given, feedback and counts, on both databases."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import text

from fhirtwin.errors import Busy
from fhirtwin.store import Store
from fhirtwin.store.advice import CallCount, Feedback, GivenCard, OutcomeCount
from fhirtwin.twin.state import PatientKey
from tests.store.storing import put

pytestmark = pytest.mark.databases

CARD = GivenCard(
    card="00000000-0000-5000-8000-000000000001",
    service="twin-patient-view",
    hook="patient-view",
    finding="00000000-0000-5000-8000-0000000000aa",
    indicator="warning",
    patient=PatientKey("https://ehr.example/fhir", "p"),
    user="Practitioner/17",
    caller="ehr",
    suggestions=("s1", "s2"),
    reasons=(("http://reasons.example", "later"),),
    first_given=1_000,
    last_given=1_000,
)
OTHER = replace(CARD, card="00000000-0000-5000-8000-000000000002", last_given=5_000)
SAID = Feedback("d" * 64, CARD.card, "overridden", (), CARD.reasons[0], "not now", 2_000, 3_000, "ehr")


def test_a_card_is_found_as_it_was_given(store: Store) -> None:
    with store.note() as advice:
        advice.give([CARD, OTHER])
    with store.snapshot() as reader:
        assert reader.advice.find([CARD.card, "unknown"]) == {CARD.card: CARD}
        assert reader.advice.find([]) == {}


def test_a_card_of_long_names_is_kept_whole(store: Store) -> None:
    long = replace(
        CARD, patient=PatientKey(f"https://{'x' * 2000}.example", "p"), caller="https://c.example/" + "y" * 2000
    )
    with store.note() as advice:
        advice.give([long])
        assert advice.find([CARD.card]) == {CARD.card: long}


def test_a_card_that_is_given_again_stays_as_it_was(store: Store) -> None:
    with store.note() as advice:
        advice.give([CARD])
        advice.give([replace(CARD, first_given=9_000, last_given=9_000, caller="another")])
        assert advice.find([CARD.card])[CARD.card] == CARD
        advice.give_again([CARD.card], 9_000)
        assert advice.find([CARD.card])[CARD.card] == replace(CARD, last_given=9_000)


def test_what_a_note_began_is_undone_when_it_fails(store: Store) -> None:
    def fails() -> None:
        with store.note() as advice:
            advice.give([CARD])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with store.note() as advice:
        assert advice.find([CARD.card]) == {}


def test_feedback_is_kept_with_its_card_and_goes_with_it(store: Store) -> None:
    with store.note() as advice:
        advice.give([CARD, OTHER])
    with store.write() as write:
        assert write.advice.kept([SAID.digest]) == set()
        write.advice.keep([SAID])
        write.advice.mark(CARD.card, SAID.outcome_time)
    with store.note() as advice:
        assert advice.kept([SAID.digest]) == {SAID.digest}
        assert advice.find([CARD.card])[CARD.card].overridden == SAID.outcome_time
        advice.forget(before=5_000, most=10)
        assert advice.kept([SAID.digest]) == set()
        assert set(advice.find([CARD.card, OTHER.card])) == {OTHER.card}


def test_the_oldest_are_forgotten_first_and_not_more_than_asked(store: Store) -> None:
    with store.note() as advice:
        advice.give([CARD, OTHER])
        advice.forget(before=10_000, most=1)
        assert set(advice.find([CARD.card, OTHER.card])) == {OTHER.card}


def test_calls_are_added_up_by_service_and_over_days(store: Store) -> None:
    for day, service, cards in (("2026-05-31", "a", 9), ("2026-06-01", "a", 2), ("2026-06-02", "a", 0)):
        with store.note() as advice:
            advice.count_call(CallCount(service, day, answered=1, silent=int(not cards), cards=cards))
            advice.count_call(CallCount(service, day, refused=1))
    with store.note() as advice:
        advice.count_call(CallCount("b", "2026-06-02", failed=1))
    with store.snapshot() as reader:
        assert reader.advice.calls("2026-06-01", "2026-06-02") == [
            CallCount("a", "", answered=2, silent=1, cards=2, refused=2),
            CallCount("b", "", failed=1),
        ]
        assert reader.advice.calls("2020-01-01", "2020-01-01") == []


def test_outcomes_are_added_up_by_service_and_reason(store: Store) -> None:
    reason = ("http://reasons.example", "later")
    for day in ("2026-06-01", "2026-06-02"):
        with store.write() as write:
            write.advice.count_outcomes(
                [OutcomeCount("a", day, "overridden", reason, 2), OutcomeCount("a", day, "accepted", ("", ""), 1)]
            )
    with store.snapshot() as reader:
        assert reader.advice.outcomes("2026-06-01", "2026-06-02") == [
            OutcomeCount("a", "", "accepted", ("", ""), 2),
            OutcomeCount("a", "", "overridden", reason, 4),
        ]


def test_counts_of_many_at_once_are_all_there(store: Store) -> None:
    def count() -> None:
        for _ in range(20):
            with store.note() as advice:
                advice.count_call(CallCount("a", "2026-06-01", answered=1))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.snapshot() as reader:
        assert reader.advice.calls("2026-06-01", "2026-06-01")[0].answered == 160


def test_a_note_does_not_wait_long_for_a_writer(store: Store) -> None:
    """On PostgreSQL it need not wait at all; on SQLite there is one writer at a time."""
    started = time.monotonic()
    with store.write() as write:
        write.advice.count_outcomes([OutcomeCount("a", "2026-06-01", "accepted", ("", ""), 1)])
        try:
            with store.note() as advice:
                advice.count_call(CallCount("a", "2026-06-01", answered=1))
            counted = 1
        except Busy:
            counted = 0
    assert time.monotonic() - started < 3
    with store.snapshot() as reader:
        assert len(reader.advice.calls("2026-06-01", "2026-06-01")) == counted
    assert counted == (store._noting.dialect.name == "postgresql")


def test_notes_get_their_turn_while_others_write(store: Store) -> None:
    over = threading.Event()

    def write(number: int) -> None:
        version = 0
        while not over.is_set():
            version += 1
            put(store, f"p{number}", version)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(50):
            with store.note() as advice:
                advice.count_call(CallCount("a", "2026-06-01", answered=1))
    finally:
        over.set()
        for writer in writers:
            writer.join()
    with store.snapshot() as reader:
        assert reader.advice.calls("2026-06-01", "2026-06-01")[0].answered == 50


def test_writers_still_wait_for_the_disk(store: Store) -> None:
    asked = {"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"}[store._noting.dialect.name]
    lasting, passing = {"PRAGMA synchronous": ("2", "1"), "SHOW synchronous_commit": ("on", "off")}[asked]
    put(store)
    with store._writing.connect() as connection:
        assert str(connection.execute(text(asked)).scalar_one()) == lasting
    with store._noting.connect() as connection:
        assert str(connection.execute(text(asked)).scalar_one()) == passing
