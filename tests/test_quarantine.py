from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fhirtwin.cutoff import Wait
from fhirtwin.errors import Busy, EngineAnswerRefused, EngineAnswerWrong, EngineQuarantined, EngineUnavailable
from fhirtwin.quarantine import NOTED_EVERY_MICROSECONDS, Quarantine
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.store.standing import Standing

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
