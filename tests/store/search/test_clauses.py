from __future__ import annotations

from fhirtwin.store.search.clauses import MAX_STATEMENTS, Remembered


def test_what_was_made_is_made_once() -> None:
    remembered: Remembered[object] = Remembered()
    assert remembered.get("a", object) is remembered.get("a", object)
    assert remembered.get("a", object) is not remembered.get("b", object)


def test_the_least_recently_used_is_forgotten_first() -> None:
    remembered: Remembered[str] = Remembered(most=2)
    made: list[str] = []

    def ask(key: str) -> None:
        remembered.get(key, lambda: made.append(key) or key)

    for key in "abacab":
        ask(key)
    assert made == ["a", "b", "c", "b"]
    assert MAX_STATEMENTS > 2
