"""A part of what `make fuzz` does in full (`tests/engine/attacks.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import attacks, spoilt_answers, spoilt_uploads
from tests.engine.questions import Served, served


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(spoilt_answers.PANEL, spoilt_answers.TABLE, tmp_path_factory.mktemp("held"))


def test_of_spoilt_answers_none_is_accepted(tmp_path: Path) -> None:
    tried, accepted = spoilt_answers.answers(200, 1, tmp_path)
    assert min(tried.values()) >= len(spoilt_answers.KINDS)
    assert accepted == {}


def test_the_attack_would_see_an_answer_that_is_accepted(held: Served) -> None:
    """Of every kind: the right one."""
    engine = spoilt_answers.Engine(held)
    for kind, question in held.questions().items():
        attack = spoilt_answers.Answers(engine, question, question, 1)
        attack.spoilt = lambda _, features, request: spoilt_answers.respond(engine.answer(features), request)  # type: ignore[method-assign]
        assert attack.accepted("right"), kind


def test_spoilt_uploads_leave_the_engine_up_and_its_memory_bounded(tmp_path: Path) -> None:
    statuses, growth, wrong = spoilt_uploads.uploads(300, 1, tmp_path, heavy=3)
    assert wrong == []
    assert growth < attacks.MOST_GROWTH_MB
    assert statuses[400] > 150
    assert statuses[500] == 0, "an unexpected failure"
