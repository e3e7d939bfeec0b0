"""Lookups as linear forms: codes, what they mean, and answers that are no code."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from fhirtwin.ckks import profiles
from fhirtwin.errors import EngineAnswerRefused
from fhirtwin.pgx.circuits.book import CODE_STEP, MARGIN, Book

BOOK = Book("gene", {("a", "a"): "poor", ("a", "b"): "good", ("b", "b"): "good", ("b", "c"): "other"})


def test_the_circuit_gives_the_code_of_what_is_written_at_a_key() -> None:
    for key, written in BOOK.entries.items():
        values = np.zeros(len(BOOK.entries))
        values[BOOK.places[key]] = 1.0
        (opened,) = BOOK.panel.weights @ values
        assert BOOK.read(Decimal(str(opened)), asked=True) == written
    assert BOOK.read(Decimal(0), asked=False) is None


def test_what_can_be_off_is_a_fifth_of_what_is_refused() -> None:
    off = Decimal(str(profiles.SPARSE.error)) + profiles.SPARSE.step / 2
    assert off / CODE_STEP * 5 < MARGIN


@pytest.mark.parametrize("code", ["0", "0.5", "1.11", "0.89", "1.5", "2.2", "3.89", "4", "-1", "1000"])
def test_what_is_no_code_is_refused_and_not_brought_to_the_nearest(code: str) -> None:
    with pytest.raises(EngineAnswerRefused, match="no code of the table"):
        BOOK.read(Decimal(code) * CODE_STEP, asked=True)


@pytest.mark.parametrize("code", ["1", "0.5", "0.11", "-0.11", "-1"])
def test_a_code_where_nothing_was_looked_up_is_refused(code: str) -> None:
    with pytest.raises(EngineAnswerRefused, match="no code of the table"):
        BOOK.read(Decimal(code) * CODE_STEP, asked=False)


@pytest.mark.parametrize("off", ["0.09", "-0.09"])
def test_what_lies_within_the_margin_is_read(off: str) -> None:
    assert BOOK.read((2 + Decimal(off)) * CODE_STEP, asked=True) == "good"
    assert BOOK.read(Decimal(off) * CODE_STEP, asked=False) is None


@pytest.mark.parametrize(
    "entries",
    [
        {**BOOK.entries, ("a", "a"): "bad"},  # the same codes, another meaning
        {**BOOK.entries, ("b", "c"): "good"},
        {("a", "z") if key == ("a", "b") else key: written for key, written in BOOK.entries.items()},
        dict(reversed(list(BOOK.entries.items()))),
    ],
)
def test_a_book_that_says_something_else_has_another_digest(entries: dict[tuple[str, ...], str]) -> None:
    assert replace(BOOK, entries=entries).panel.digest != BOOK.panel.digest
