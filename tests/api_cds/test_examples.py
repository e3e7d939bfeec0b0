"""Examples that somebody tries a service with are ones that it has something to say of."""

from __future__ import annotations

from fhirtwin.api.cds import examples
from fhirtwin.api.cds.hooks import HOOKS
from fhirtwin.rules.problems import kinds, problem_of


def test_the_problem_of_the_example_is_one_that_there_are_criteria_for() -> None:
    made = examples.context(HOOKS["problem-list-item-create"], "p1", examples.MEDICINES[0], "")
    (entry,) = made["conditions"]["entry"]
    assert list(kinds(problem_of(entry["resource"])))
