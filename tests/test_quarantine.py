from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.cutoff import Wait
from fhirtwin.errors import Busy, EngineAnswerRefused, EngineAnswerWrong, EngineQuarantined, EngineUnavailable
from fhirtwin.packages import published
from fhirtwin.packages.package import Package
from fhirtwin.quarantine import NOTED_EVERY_MICROSECONDS, Quarantine, of_gateway, watched
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.store.standing import Standing
from tests.packages import builders

SECOND = 1_000_000


@dataclass
class Clock:
    now: int = 1_800_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[Store]:
    made = Store.open(Settings(data=tmp_path, base_url="http://x.test/fhir", database_url=database_url))
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quarantine(store: Store, clock: Clock) -> Quarantine:
    return Quarantine(store, clock)


def standing(store: Store) -> Standing:
    with store.snapshot() as reader:
        return reader.standings.read()


def answer(quarantine: Quarantine, error: Exception | None = None) -> None:
    with quarantine.probed():
        if error:
            raise error


@pytest.mark.databases
def test_a_wrong_answer_keeps_everybody_from_asking_also_after_a_restart(
    store: Store, clock: Clock, quarantine: Quarantine
) -> None:
    other = Quarantine(store, clock)
    answer(quarantine)
    right = clock.now
    clock.now += 5 * SECOND
    with pytest.raises(EngineQuarantined):
        answer(quarantine, EngineAnswerWrong("wrong"))
    for one in (quarantine, other, Quarantine(store)):
        for gate in (one.probed, one.asked):
            asked = False
            with pytest.raises(EngineQuarantined), gate():
                asked = True
            assert not asked
    assert standing(store) == Standing(right, 1, 1, clock.now, right, withdrawn=False)


@pytest.mark.databases
def test_an_administrator_lifts_it(store: Store, clock: Clock, quarantine: Quarantine) -> None:
    with pytest.raises(EngineQuarantined):
        answer(quarantine, EngineAnswerWrong("wrong"))
    with store.write() as write:
        write.standings.lift(clock.now + 7)
    answer(quarantine)
    assert standing(store).quarantined is None


@pytest.mark.parametrize("error", [EngineUnavailable("down"), EngineAnswerRefused("not signed"), ValueError("ours")])
def test_what_anybody_on_the_line_could_cause_does_not_quarantine(
    store: Store, quarantine: Quarantine, error: Exception
) -> None:
    with pytest.raises(type(error)):
        answer(quarantine, error)
    answer(quarantine)
    assert standing(store).wrong == 0


def test_right_answers_are_noted_once_a_second_and_none_is_lost(
    store: Store, clock: Clock, quarantine: Quarantine
) -> None:
    first = clock.now
    for _ in range(10):
        answer(quarantine)
    assert standing(store) == Standing(first, 1)
    clock.now += NOTED_EVERY_MICROSECONDS
    answer(quarantine)
    assert standing(store) == Standing(clock.now, 11)


def test_what_cannot_be_noted_now_is_noted_later(store: Store, clock: Clock, quarantine: Quarantine) -> None:
    with store.write():  # holds the turn; on SQLite who notes needs it too
        answer(quarantine)
    assert standing(store) == Standing()
    clock.now += NOTED_EVERY_MICROSECONDS
    answer(quarantine)
    assert standing(store) == Standing(clock.now, 2)


def test_answers_without_a_probe_are_not_counted_as_right(store: Store, quarantine: Quarantine) -> None:
    with quarantine.asked():
        pass
    assert standing(store) == Standing()


def test_it_is_written_although_the_caller_gave_up_waiting(store: Store, quarantine: Quarantine) -> None:
    wait = Wait()
    wait.give_up()
    with wait.over(), pytest.raises(EngineQuarantined):
        answer(quarantine, EngineAnswerWrong("wrong"))
    assert standing(store).quarantined is not None


def test_while_it_cannot_be_written_this_process_asks_no_more_and_tries_again(
    store: Store, quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise Busy("others write")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", busy)
        for error in (EngineAnswerWrong("wrong"), None):
            with pytest.raises(EngineQuarantined):
                answer(quarantine, error)
        assert standing(store).quarantined is None
    with pytest.raises(EngineQuarantined):
        answer(quarantine)
    assert standing(store).quarantined is not None and standing(store).wrong == 1


def test_it_is_seen_to_that_what_is_doubted_is_withdrawn(store: Store, quarantine: Quarantine) -> None:
    told: list[str] = []

    def telling(who: str) -> Callable[[], object]:
        return lambda: told.append(who)

    quarantine.when_found = telling("this")
    quarantine.remind()
    assert told == []
    with pytest.raises(EngineQuarantined):
        answer(quarantine, EngineAnswerWrong("wrong"))
    other = Quarantine(store)
    other.when_found = telling("other")
    other.remind()
    with pytest.raises(EngineQuarantined):
        other.require()
    assert told == ["this", "other", "other"]
    with store.write() as write:
        write.standings.settle(None)
    with pytest.raises(EngineQuarantined):
        other.require()
    assert told == ["this", "other", "other"]


@pytest.mark.databases
def test_of_two_quarantines_the_longer_doubt_stands(store: Store) -> None:
    with store.write() as write:
        write.standings.quarantine(100, 90)
        write.standings.settle(90)
        assert write.standings.read() == Standing(quarantined=100, doubted_from=90, withdrawn=True)
        assert write.standings.quarantine(110, 95) == Standing(quarantined=100, doubted_from=90, withdrawn=True)
        assert write.standings.quarantine(120, 50) == Standing(quarantined=100, doubted_from=50, withdrawn=False)
        write.standings.settle(90)
        assert not write.standings.read().withdrawn, "what was withdrawn was less than what is doubted"
        assert write.standings.quarantine(130, None) == Standing(quarantined=100, withdrawn=False)
        assert write.standings.quarantine(140, 60) == Standing(quarantined=100, withdrawn=False)


MODEL = "ab" * 32


def golden(quarantine: Quarantine, error: Exception | None = None, what: str = MODEL) -> None:
    with quarantine.judged(what):
        if error:
            raise error


def doubted(quarantine: Quarantine, clock: Clock) -> None:
    clock.now += 7 * SECOND
    answer(quarantine)  # a panel's probe says nothing of a network
    with pytest.raises(EngineQuarantined):
        golden(quarantine, EngineAnswerWrong("wrong"))


@pytest.mark.databases
def test_results_are_doubted_since_the_last_golden_case_that_was_right(
    store: Store, clock: Clock, quarantine: Quarantine
) -> None:
    answer(quarantine)
    clock.now += 5 * SECOND
    golden(quarantine)
    right = clock.now
    doubted(quarantine, clock)
    found = standing(store)
    assert (found.doubted_from, found.wrong, found.right) == (right, 1, 2)
    with pytest.raises(EngineQuarantined):
        golden(quarantine)


def test_they_are_so_whatever_answer_was_wrong_and_without_a_right_one_since_the_model_was_first_asked(
    store: Store, clock: Clock, quarantine: Quarantine
) -> None:
    answer(quarantine)
    clock.now += 5 * SECOND
    with quarantine.asked(MODEL):
        first = clock.now
    clock.now += 5 * SECOND
    with pytest.raises(EngineQuarantined):
        answer(quarantine, EngineAnswerWrong("wrong"))
    assert standing(store).doubted_from is not None and standing(store).doubted_from < first  # the panel's own
    with store.write() as write:
        write.standings.lift(clock.now)
    clock.now += SECOND
    lifted = clock.now - SECOND
    answer(quarantine)
    doubted(quarantine, clock)
    assert standing(store).doubted_from == lifted, "what was right before it was lifted counts no more"


def test_they_are_so_whatever_process_found_the_engine_out(store: Store, clock: Clock, quarantine: Quarantine) -> None:
    """Also one that has not asked for the model itself since it started."""
    answer(quarantine)
    clock.now += 5 * SECOND
    golden(quarantine)
    right = clock.now
    clock.now += 5 * SECOND
    answer(quarantine)
    with pytest.raises(EngineQuarantined):
        answer(Quarantine(store, clock, golden=[MODEL, "cd" * 32]), EngineAnswerWrong("wrong"))
    assert standing(store).doubted_from == right


def test_right_answers_to_golden_cases_are_noted_once_a_second_and_no_model_speaks_for_another(
    store: Store, clock: Clock, quarantine: Quarantine
) -> None:
    other = "cd" * 32
    golden(quarantine, what=other)
    first = clock.now
    for _ in range(3):
        clock.now += 5 * SECOND
        golden(quarantine)
        golden(quarantine)
    with store.snapshot() as reader:
        assert reader.standings.last_golden(other) == first
        assert reader.standings.last_golden(MODEL) == clock.now
        assert reader.standings.last_golden("ef" * 32) is None
        assert reader.standings.read() == Standing()


def test_what_a_busy_store_could_not_be_told_of_golden_cases_it_is_told_later(
    store: Store, clock: Clock, quarantine: Quarantine
) -> None:
    golden(quarantine)
    first = clock.now
    clock.now += 2 * SECOND
    with store.write():
        golden(quarantine)
        golden(quarantine, what="cd" * 32)  # is not watched yet
    with store.snapshot() as reader:
        assert reader.standings.last_golden(MODEL) == first
    clock.now += 2 * SECOND
    golden(quarantine)
    golden(quarantine, what="cd" * 32)
    with store.snapshot() as reader:
        assert reader.standings.last_golden(MODEL) == reader.standings.last_golden("cd" * 32) == clock.now


def published_in(folder: Path) -> dict[str, Package]:
    found = builders.one_of_each_kind(folder)
    for one in found.values():
        published.publish(one, folder / "models", with_weights=True)
    builders.authors_file(folder / "authors.json")
    return found


def settings_of(folder: Path, **changes: Any) -> Settings:
    return Settings(data=folder, base_url="http://x.test/fhir", **changes)


def test_networks_are_watched_where_a_gateway_asks_them(tmp_path: Path) -> None:
    """Of the others some have a probe in each answer, and some give no report."""
    found = published_in(tmp_path)
    assert watched(found.values(), settings_of(tmp_path, circuit_keys="kept")) == [found["network"].hash]
    assert watched(found.values(), settings_of(tmp_path)) == []


def test_who_asks_the_engine_beside_the_gateway_doubts_networks_since_their_own_golden_cases(
    tmp_path: Path, clock: Clock
) -> None:
    network, settings = published_in(tmp_path)["network"].hash, settings_of(tmp_path, circuit_keys="kept")
    store = Store.open(settings)
    try:
        gateway = Quarantine(store, clock)
        answer(gateway)
        clock.now += 5 * SECOND
        golden(gateway, what=network)
        right = clock.now
        clock.now += 5 * SECOND
        answer(gateway)
        assert of_gateway(settings, store).found_wrong()
        assert standing(store).doubted_from == right
    finally:
        store.close()


def test_models_that_cannot_be_read_keep_no_engine_out_of_quarantine(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, circuit_keys="kept")
    (tmp_path / "models").mkdir()
    (tmp_path / "authors.json").write_text("{")
    store = Store.open(settings)
    try:
        assert of_gateway(settings, store).found_wrong()
        with pytest.raises(EngineQuarantined):
            Quarantine(store).require()
    finally:
        store.close()
