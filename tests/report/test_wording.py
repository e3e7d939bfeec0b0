from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.report import wording


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2088.18", "2088"),
        ("12345", "12345"),
        ("62.1", "62.1"),
        ("1.234567", "1.235"),
        ("0.0101", "0.0101"),
        ("0.000123456", "0.0001235"),
        ("5.00", "5.00"),
        ("0.00", "0"),
        ("1E+2", "100"),
    ],
)
def test_a_number_has_at_most_four_digits_and_none_added(value: str, shown: str) -> None:
    assert wording.number(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (Decimal("144"), "mm[Hg]", "144 mmHg"),
        (Decimal("3"), "furlong", "3 furlong"),
        (True, "", "yes"),
        ("male", "", "male"),
    ],
)
def test_a_quantity_reads_as_clinicians_write_it(value: Decimal | bool | str, unit: str, shown: str) -> None:
    assert wording.quantity(value, unit) == shown


@given(st.lists(st.text(max_size=300), min_size=1, max_size=6))
def test_a_summary_always_fits_a_card(parts: list[str]) -> None:
    text = wording.summary(parts)
    assert len(text) <= 139
    assert "\n" not in text


def test_a_summary_keeps_whole_parts_and_cuts_only_the_first() -> None:
    assert wording.summary(["a" * 100, "b" * 37]) == "a" * 100 + "; " + "b" * 37
    assert wording.summary(["a" * 100, "b" * 38]) == "a" * 100
    assert wording.summary(["a" * 140]) == "a" * 138 + "…"


@given(st.text(max_size=200))
def test_escaped_text_has_no_bare_markup_and_stays_on_one_line(text: str) -> None:
    escaped = wording.escape(text)
    assert escaped.isprintable() or all(not character.isspace() or character == " " for character in escaped)
    bare = escaped.replace("\\\\", "").split("\\")
    for part in (bare[0], *(rest[1:] for rest in bare[1:])):
        assert not set(part) & set("`*_[]<>|~#&!@")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", "a\\|b"),
        ("[x](javascript:1)", "\\[x\\](javascript:1)"),
        ("see https://x.example", "see https\\://x.example"),
        ("www.x.example", "www\\.x.example"),
        ("<b>&amp;", "\\<b\\>\\&amp;"),
        ("one\ntwo\u202e", "one two"),
    ],
)
def test_markup_is_shown_and_not_obeyed(text: str, escaped: str) -> None:
    assert wording.escape(text) == escaped


def test_a_table_row_cannot_break_out_of_its_cell() -> None:
    assert wording.table(("A", "B"), [("x|y", "1\n2")]).splitlines() == [
        "| A | B |",
        "| --- | --- |",
        "| x\\|y | 1 2 |",
    ]
