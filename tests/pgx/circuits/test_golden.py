"""Golden cases in the room of a lookup: right engines are believed, liars found, whatever they lie about."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks import genotypes
from fhirtwin.ckks import profiles
from fhirtwin.errors import EngineAnswerWrong
from fhirtwin.pgx import phenotype
from fhirtwin.pgx.circuits import golden, tables
from fhirtwin.pgx.circuits.book import CODE_STEP
from fhirtwin.pgx.circuits.golden import Question
from fhirtwin.pgx.circuits.shelf import Shelf, Wanted

SHELVES: dict[str, Callable[[], Shelf[Any]]] = {"phenotypes": tables.phenotypes, "advice": tables.advice}
Lie = Callable[[np.ndarray], np.ndarray]
"""What an engine makes of right sums."""


def drawn(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - figures for a test


@cache
def person(name: str) -> Wanted:
    """A key of each book, as many people have."""
    if name == "advice":
        return {book.name: [next(iter(book.entries))] for book in tables.advice().books}
    rules = [rule for call in genotypes.sure(genotypes.drawing(1)) for rule in phenotype.asked(call)]
    return tables.phenotypes().kept({gene: [tables.pair(*rest)] for gene, *rest in rules})


def asked(name: str, lie: Lie, seed: int, wanted: Wanted | None = None) -> list[np.ndarray]:
    """Ask all rounds in clear; one by lot is lied about. What was sent."""
    shelf, draw, sent = SHELVES[name](), drawn(seed), list[np.ndarray]()
    lied = draw.randrange(shelf.rounds)

    def ask(values: np.ndarray) -> Mapping[str, Decimal]:
        sums = shelf.panel.weights @ values
        sums = lie(sums) if len(sent) == lied else sums
        sent.append(values)
        return {row: Decimal(f"{one:.3f}") for row, one in zip(shelf.panel.rows, sums.tolist(), strict=True)}

    Question(shelf, person(name) if wanted is None else wanted, {}, draw).asked(ask)
    return sent


def moved(draw: random.Random, rows: int) -> Lie:
    """Another sum of one row, by a whole code: no other check sees it."""
    place, by = draw.randrange(rows), draw.choice([-1, 1]) * float(CODE_STEP)
    return lambda sums: sums + by * (np.arange(sums.size) == place)


def is_caught(name: str, lie: Lie, seed: int) -> bool:
    try:
        asked(name, lie, seed)
    except EngineAnswerWrong:
        return True
    return False


@pytest.mark.parametrize("name", SHELVES)
def test_a_right_engine_is_believed_and_every_place_is_full(name: str) -> None:
    shelf = SHELVES[name]()
    for seed in range(20):
        sent = asked(name, lambda sums: sums, seed)
        assert len(sent) == shelf.rounds
        for values in sent:
            assert not shelf.panel.chosen_twice(values)
            assert ((values >= shelf.panel.low) & (values <= shelf.panel.high) | (values == 0)).all()
        places = sum(shelf.most(book.name) for book in shelf.books)
        features = sum(len(one.features) for one in shelf.beside.values())
        assert sum(int(np.count_nonzero(values[: values.size - features])) for values in sent) == places
        for panel in shelf.beside.values():
            assert panel.weights.any()


@pytest.mark.parametrize("name", SHELVES)
def test_999_of_1000_engines_that_lie_in_one_of_a_hundred_calls_are_caught_within_1000(name: str) -> None:
    draw, rows, found = drawn(11), len(SHELVES[name]().panel.rows), 0
    for _ in range(1_000):
        calls = 0
        while calls < 1_000:
            calls += 1 + int(np.log(1.0 - draw.random()) / np.log(0.99))  # until the next lie
            if calls <= 1_000 and is_caught(name, moved(draw, rows), draw.getrandbits(32)):
                found += 1
                break
    assert found >= 999


@pytest.mark.parametrize(("name", "at_least"), [("phenotypes", 0.85), ("advice", 0.8)])
def test_most_single_lies_are_caught(name: str, at_least: float) -> None:
    """By their place: a person with one key of a book has one of its eight places, in phenotypes."""
    draw, rows = drawn(5), len(SHELVES[name]().panel.rows)
    caught = sum(is_caught(name, moved(draw, rows), seed) for seed in range(300))
    assert at_least <= caught / 300


def test_where_the_person_lies_is_by_lot() -> None:
    shelf, key = tables.phenotypes(), tables.phenotypes().books[0]
    wanted = {key.name: [next(iter(key.entries))]}
    seen: Counter[int] = Counter()
    for seed in range(800):
        question = Question(shelf, wanted, {}, drawn(seed))
        places = question._filled(key.name, tuple(list(key.entries)[1:]))  # golden ones are others
        seen[places.index(wanted[key.name][0])] += 1
    assert seen.keys() == set(range(8)) and min(seen.values()) > 60


def test_models_beside_the_books_are_golden_in_all_rounds_but_one_and_what_is_asked_is_told() -> None:
    shelf = tables.advice()
    name, panel = next(iter(shelf.beside.items()))
    given = panel.low * 0.5 + panel.high * 0.5
    for choice in panel.choices:
        given[list(choice[1:])] = 0.0
    seen: list[bool] = []

    def ask(values: np.ndarray) -> Mapping[str, Decimal]:
        start = shelf._starts[name]
        seen.append(bool(np.array_equal(values[start : start + given.size], given)))
        sums = shelf.panel.weights @ values
        return {row: Decimal(f"{one:.3f}") for row, one in zip(shelf.panel.rows, sums.tolist(), strict=True)}

    first = Counter[int]()
    for seed in range(40):
        seen.clear()
        _, sums = Question(shelf, {}, {name: given}, drawn(seed)).asked(ask)
        assert sum(seen) == 1 and len(seen) == 4
        first[seen.index(True)] += 1
        for row, right in zip(panel.rows, panel.weights @ given, strict=True):
            assert abs(float(sums[f"{name}:{row}"]) - right) <= 0.0006
    assert first.keys() == {0, 1, 2, 3}
    place = shelf.panel.rows.index(f"{name}:{panel.rows[0]}")
    lies = [is_caught("advice", lambda sums: sums + 0.01 * (np.arange(sums.size) == place), seed) for seed in range(8)]
    assert all(lies), "nobody asked for it, so all four are golden"


def test_what_is_taken_for_a_lie_is_beyond_noise_and_rounding() -> None:
    sparse = profiles.SPARSE
    assert float(golden.WRONG_BEYOND) == pytest.approx(float(sparse.step) / 2 + sparse.error + sparse.tolerance)


def test_a_book_that_a_person_fills_has_no_golden_case_and_is_answered() -> None:
    shelf = tables.phenotypes()
    book = max(shelf.books, key=lambda one: len(one.entries))
    wanted = {book.name: list(book.entries)[: shelf.most(book.name)]}
    assert len(wanted[book.name]) == 8
    asked("phenotypes", lambda sums: sums, 1, wanted)
