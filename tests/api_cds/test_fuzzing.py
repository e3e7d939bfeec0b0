from __future__ import annotations

import json
import random
from pathlib import Path

from tests.api_cds.fuzzing import Range, mutated, run


def test_changed_calls_are_answered_and_never_with_5xx(tmp_path: Path) -> None:
    aim = Range(tmp_path, None)
    statuses, longest, broken = run(aim, 400, seed=7)
    aim.close()
    assert broken == [], broken
    assert longest < 2
    assert statuses[200] > 40 and statuses[400] > 100, "the changes are neither too many nor too few"


def test_a_change_changes_something_and_can_be_repeated() -> None:
    value = {"a": [1, {"b": "text"}], "c": None}
    made = [mutated(value, random.Random(n)) for n in range(200)]  # noqa: S311
    assert made == [mutated(value, random.Random(n)) for n in range(200)]  # noqa: S311
    assert sum(each != value for each in made) > 150
    assert len({json.dumps(each) for each in made}) > 60
