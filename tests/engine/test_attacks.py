"""A part of what `make fuzz` does in full (`tests/engine/attacks.py`)."""

from __future__ import annotations

from pathlib import Path

from tests.engine import attacks


def test_of_spoilt_answers_none_is_accepted() -> None:
    assert attacks.answers(16 * len(attacks.KINDS), seed=1) == {}


def test_the_attack_would_see_an_answer_that_is_accepted() -> None:
    attack = attacks.Answers("masked", 1)
    attack.spoilt = lambda _, features, request: attack.answer(attack.engine, features, request)  # type: ignore[method-assign]
    assert attack.accepted("right")


def test_spoilt_uploads_leave_the_engine_up_and_its_memory_bounded(tmp_path: Path) -> None:
    statuses, growth, wrong = attacks.uploads(300, 1, tmp_path)
    assert wrong == []
    assert growth < attacks.MOST_GROWTH_MB
    assert statuses[400] > 150
    assert statuses[500] == 0, "an unexpected failure"
