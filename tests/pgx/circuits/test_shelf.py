"""Books side by side, several times over: where keys go, what comes back, how many there is room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from fhirtwin.ckks.panel import Panel
from fhirtwin.errors import EngineAnswerRefused, Unprocessable
from fhirtwin.pgx.circuits.book import CODE_STEP, Book, Key
from fhirtwin.pgx.circuits.shelf import Shelf

SQUARES = Book("squares", {(str(n),): n * n for n in range(1, 9)})
NAMES = Book("names", {("x",): 100, ("y",): 200})
LINE = Panel(("a", "b"), np.array([-1.0, -1.0]), np.array([1.0, 1.0]), ("sum",), np.array([[1.0, 2.0]]))
SHELF = Shelf((SQUARES, NAMES), copies=2, rounds=2, others={"squares": 3}, beside={"line": LINE})


def opened(number: int, wanted: Mapping[str, list[Key]], **beside: np.ndarray) -> dict[str, Decimal]:
    sums = SHELF.panel.weights @ SHELF.values(number, wanted, beside)
    return {row: Decimal(str(one)) for row, one in zip(SHELF.panel.rows, sums, strict=True)}


def test_all_keys_of_all_rounds_come_back_with_what_is_written() -> None:
    wanted: dict[str, list[Key]] = {"squares": [(str(n),) for n in (8, 1, 5, 3)], "names": [("y",)]}
    found: dict[tuple[str, Key], int] = {}
    for number in range(SHELF.rounds):
        found |= SHELF.read(number, wanted, opened(number, wanted))
    assert found == {("squares", (str(n),)): n * n for n in (8, 1, 5, 3)} | {("names", ("y",)): 200}


def test_models_beside_the_books_are_evaluated_in_every_round_that_gives_them_something() -> None:
    given = np.array([0.5, -1.0])
    assert opened(0, {"names": [("x",)]}, line=given)["line:sum"] == Decimal("-1.5")
    assert opened(1, {}, line=given)["line:sum"] == Decimal("-1.5")
    assert opened(1, {})["line:sum"] == 0


def test_a_key_at_two_places_must_be_told_the_same() -> None:
    wanted: dict[str, list[Key]] = {"names": [("x",), ("x",)]}
    sums = opened(0, wanted)
    assert SHELF.read(0, wanted, sums) == {("names", ("x",)): 100}
    name = next(row for row in SHELF.panel.rows if row.startswith("1:names:"))
    with pytest.raises(EngineAnswerRefused):
        SHELF.read(0, wanted, sums | {name: 2 * CODE_STEP})


def test_one_key_a_copy_is_what_the_vault_lets_through() -> None:
    wanted: dict[str, list[Key]] = {"squares": [("1",), ("2",), ("3",)], "names": [("x",), ("y",)]}
    assert not SHELF.panel.chosen_twice(SHELF.values(0, wanted))
    assert np.count_nonzero(SHELF.values(0, wanted)) == 5


def test_keys_that_no_book_has_are_not_asked_and_each_key_once() -> None:
    wanted = {"squares": [("2",), ("99",), ("2",)], "no such": [("1",)]}
    assert SHELF.kept(wanted) == {"squares": [("2",)]}


def test_more_than_there_is_room_for_is_refused_by_name() -> None:
    keys: list[Key] = [(str(n),) for n in range(1, 9)]
    assert SHELF.kept({"squares": keys[:6]})["squares"] == keys[:6]
    with pytest.raises(Unprocessable, match="More than 6 values of squares fit equally well"):
        SHELF.kept({"squares": keys[:7]})
    with pytest.raises(Unprocessable, match="More than 4 values of names"):
        Shelf((replace(NAMES, entries=SQUARES.entries),), copies=2, rounds=2).kept({"names": keys[:5]})


def test_a_code_in_a_copy_that_was_not_asked_is_refused() -> None:
    sums = opened(0, {"squares": [("1",), ("2",)]})
    with pytest.raises(EngineAnswerRefused):
        SHELF.read(0, {"squares": [("1",)]}, sums)
    sums = opened(0, {"squares": [("1",)]})
    name = next(row for row in SHELF.panel.rows if row.startswith("1:names:"))
    with pytest.raises(EngineAnswerRefused):
        SHELF.read(0, {"squares": [("1",)]}, sums | {name: CODE_STEP})
