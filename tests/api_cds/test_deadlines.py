from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin import ingest, timing
from fhirtwin.api.cds import deadlines, workers
from fhirtwin.api.cds.composite import Part, together
from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.api.cds.workers import LateError, Workers
from fhirtwin.errors import EngineUnavailable, Unavailable, Unprocessable
from fhirtwin.settings import Settings
from fhirtwin.store import Writer
from tests.api_cds.door import CARD, Door, body, door, service


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Door]]:
    made: list[Door] = []

    def open_(*services: Service, **settings: Any) -> Door:
        made.append(door(tmp_path, *services, **settings))
        return made[-1]

    yield open_
    for each in made:
        each.parts.store.close()


def outcome(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json["resourceType"] == "OperationOutcome"
    return str(answer.json["issue"][0]["diagnostics"])


def says(summary: str) -> Callable[[Call], Response]:
    return lambda _: Response([{**CARD, "summary": summary}])


def fails(error: Exception) -> Callable[[Call], Response]:
    def handler(_: Call) -> Response:
        raise error

    return handler


@pytest.fixture
def stuck() -> Iterator[Callable[[Call], Response]]:
    release = threading.Event()

    def handler(_: Call) -> Response:
        release.wait(timeout=20)
        return Response()

    yield handler
    release.set()


def test_who_is_late_is_cut_off_and_the_advice_is_named(opened: Any, stuck: Any) -> None:
    begin = time.monotonic()
    text = outcome(opened(service(stuck, budget=0.2)).call(body()), 503)
    assert time.monotonic() - begin < 2
    assert "(Service) is missing" in text and "not mean that there is nothing to say" in text


def test_the_budget_is_a_setting_and_a_services_own_wins(opened: Any) -> None:
    left: dict[str, float] = {}

    def measure(name: str) -> Callable[[Call], Response]:
        def handler(call: Call) -> Response:
            left[name] = call.deadline - time.monotonic()
            return Response()

        return handler

    made = opened(service(measure("a"), id="a"), service(measure("b"), id="b", budget=60.0), cds_budget_seconds=7)
    assert made.call(body(), "a").status_code == made.call(body(), "b").status_code == 200
    assert 5 < left["a"] <= 7 and 50 < left["b"] <= 60


def test_a_late_service_keeps_nobody_else_waiting(opened: Any, stuck: Any) -> None:
    made = opened(service(stuck, budget=0.1), service(says("here"), id="t"))
    outcome(made.call(body()), 503)
    assert made.call(body(), "t").json["cards"][0]["summary"] == "here"


def test_a_service_that_hangs_holds_up_its_own_callers_and_nobody_elses(opened: Any, stuck: Any) -> None:
    made = opened(service(stuck, budget=1.5), service(says("here"), id="t"))
    hanging = [threading.Thread(target=made.call, args=(body(),)) for _ in range(3 * deadlines.MOST_ANSWERING)]
    for each in hanging:
        each.start()
    begin = time.monotonic()
    for _ in range(5):
        assert made.call(body(), "t").status_code == 200
    assert time.monotonic() - begin < 1
    answer = made.call(body())
    assert answer.status_code == 503, "who waits for a turn is told in time"
    assert time.monotonic() - begin < 4
    for each in hanging:
        each.join()


def test_too_many_late_ones_are_told_to_come_back(opened: Any, stuck: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MOST_AT_WORK", 1)
    made = opened(service(stuck, budget=0.1))
    outcome(made.call(body()), 503)
    answer = made.call(body())
    assert "Too many" in outcome(answer, 503) and answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("error", [KeyError("Jane Doe"), TimeoutError("Jane Doe"), RuntimeError("Jane Doe")])
def test_a_handler_that_breaks_is_500_and_never_an_empty_answer(
    opened: Any, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    text = outcome(opened(service(fails(error))).call(body()), 500)
    assert "Jane" not in text + caplog.text


def test_an_error_of_ours_keeps_its_status(opened: Any) -> None:
    outcome(opened(service(fails(EngineUnavailable("down")))).call(body()), 503)


@pytest.mark.parametrize("given", [None, {"cards": []}, [], "x"])
def test_what_is_no_response_is_500(opened: Any, given: Any) -> None:
    assert "no fhirtwin.api.cds.service.Response" in outcome(opened(service(lambda _: given)).call(body()), 500)


@pytest.mark.parametrize(
    "cards", [None, 5, ["x"], [{**CARD, "summary": "x" * 140}], [{**CARD, "extension": {"a": object()}}]]
)
def test_an_illegal_answer_is_500_and_tells_nothing_of_it(opened: Any, cards: Any) -> None:
    outcome(opened(service(lambda _: Response(cards))).call(body()), 500)


def test_stages_in_the_thread_count_for_the_call() -> None:
    timing.begin()

    def handler(_: Any) -> Response:
        with timing.stage("map"):
            return Response()

    Workers().start(lambda: handler(None)).result(time.monotonic() + 5)
    assert "map;dur=" in timing.header()


def test_threads_are_used_again_and_end_when_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.05)
    staff, soon = Workers(most=2), time.monotonic() + 5
    names = {staff.start(lambda: threading.current_thread().ident).result(soon) for _ in range(20)}
    assert len(names) <= 2
    time.sleep(0.3)
    assert staff.start(lambda: 5).result(soon) == 5
    with pytest.raises(KeyError):
        staff.start(lambda: {}["x"]).result(soon)


def test_many_threads_ask_the_same_workers_and_each_gets_its_own_answer() -> None:
    staff, found = Workers(most=40), list[bool]()

    def ask(number: int) -> None:
        for round_ in range(50):
            found.append(staff.start(lambda r=round_: (number, r)).result(time.monotonic() + 10) == (number, round_))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 400 and all(found)


def test_what_is_late_is_not_waited_for(stuck: Any) -> None:
    with pytest.raises(LateError):
        Workers().start(lambda: stuck(None)).result(time.monotonic() + 0.05)


# ---- what is stored by who is late -----------------------------------------------------------------------------------


class Storing:
    """A handler that stores a Patient when it is released, and tells what came of it."""

    def __init__(self, *, inside: bool = False) -> None:
        self.release, self.done, self.errors = threading.Event(), threading.Event(), list[Exception]()
        self._inside = inside

    def __call__(self, call: Call) -> Response:
        try:
            if self._inside:
                with call.parts.store.write() as write:
                    store(write, "late")
                    self.release.wait(timeout=20)
            else:
                self.release.wait(timeout=20)
                with call.parts.store.write() as write:
                    store(write, "late")
        except Exception as error:
            self.errors.append(error)
            raise
        finally:
            self.done.set()
        return Response()


def store(write: Writer, id_: str) -> None:
    settings = Settings()
    received = ingest.receive(f'{{"resourceType":"Patient","id":"{id_}"}}'.encode(), "Patient", settings)
    ingest.keep(write, received, id_, "https://twin.example/fhir")


@pytest.mark.parametrize("inside", [False, True])
def test_who_was_cut_off_stores_nothing_any_more(opened: Any, inside: bool) -> None:
    late = Storing(inside=inside)
    made = opened(service(late, budget=0.2))
    outcome(made.call(body()), 503)
    late.release.set()
    assert late.done.wait(10)
    assert [type(error) for error in late.errors] == [Unavailable]
    assert made.parts.store.read("Patient", "late") is None


def test_a_part_that_was_cut_off_stores_nothing_any_more(opened: Any) -> None:
    late = Storing()
    made = opened(service(together(Part("doses", late), Part("allergies", says("a"))), budget=0.4))
    assert made.call(body()).json["cards"][1]["summary"] == "Advice is missing: doses"
    late.release.set()
    assert late.done.wait(10)
    assert late.errors and made.parts.store.read("Patient", "late") is None


def test_a_part_of_a_refused_call_stores_nothing_any_more(opened: Any) -> None:
    late = Storing()
    made = opened(service(together(Part("allergies", fails(Unprocessable("no"))), Part("doses", late))))
    outcome(made.call(body()), 422)
    late.release.set()
    assert late.done.wait(10)
    assert late.errors and made.parts.store.read("Patient", "late") is None


def test_who_is_in_time_stores(opened: Any) -> None:
    prompt = Storing()
    prompt.release.set()
    made = opened(service(together(Part("doses", prompt))))
    assert made.call(body()).status_code == 200
    assert made.parts.store.read("Patient", "late") is not None


# ---- several parts -------------------------------------------------------------------------------------------------


def test_parts_answer_in_their_order_and_at_the_same_time(opened: Any) -> None:
    meeting = threading.Barrier(2)

    def one(summary: str) -> Callable[[Call], Response]:
        def handler(_: Call) -> Response:
            meeting.wait(timeout=5)
            return Response([{**CARD, "summary": summary}], extension={f"com.example.{summary}": {"x": 1}})

        return handler

    made = opened(service(together(Part("first advice", one("a")), Part("second advice", one("b")))))
    answer = made.call(body()).json
    assert [card["summary"] for card in answer["cards"]] == ["a", "b"]
    assert answer["extension"].keys() == {"com.example.a", "com.example.b"}


@pytest.mark.parametrize("error", [EngineUnavailable("down"), KeyError("Jane Doe"), TimeoutError()])
def test_a_part_that_fails_is_named_and_the_others_have_their_say(
    opened: Any, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    made = opened(service(together(Part("renal dosing", fails(error)), Part("allergies", says("a")))))
    said, missing = made.call(body()).json["cards"]
    assert said["summary"] == "a"
    assert missing["indicator"] == "warning" and "renal dosing" in missing["summary"]
    assert "allergies" not in missing["detail"] and "Jane" not in caplog.text


def test_a_part_that_is_late_is_named_in_time(opened: Any, stuck: Any) -> None:
    made = opened(service(together(Part("renal dosing", stuck), Part("allergies", says("a"))), budget=0.4))
    cards = made.call(body()).json["cards"]
    assert [card["summary"] for card in cards] == ["a", "Advice is missing: renal dosing"]
    assert made.call(body()).json["cards"] == cards


def test_when_every_part_fails_that_is_an_error_and_no_empty_answer(opened: Any, stuck: Any) -> None:
    made = opened(service(together(Part("allergies", fails(KeyError())), Part("doses", stuck)), budget=0.3))
    assert "allergies, doses" in outcome(made.call(body()), 503)


def test_what_is_the_callers_mistake_refuses_the_whole_call(opened: Any) -> None:
    parts = (Part("allergies", says("a")), Part("doses", fails(Unprocessable("no"))))
    outcome(opened(service(together(*parts))).call(body()), 422)


def test_a_part_that_gives_back_nonsense_is_missing(opened: Any) -> None:
    made = opened(service(together(Part("doses", lambda _: None), Part("allergies", says("a")))))  # type: ignore[arg-type,return-value]
    assert "doses" in made.call(body()).json["cards"][1]["summary"]
