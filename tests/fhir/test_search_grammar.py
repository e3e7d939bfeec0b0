from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import FhirtwinError, Incorrect, Unsupported
from fhirtwin.fhir.search_grammar import (
    DateValue,
    Kind,
    Query,
    ReferenceValue,
    StringValue,
    TokenValue,
    Value,
    fold,
    microseconds,
    parse,
)

KNOWN = {"code": Kind.TOKEN, "name": Kind.STRING, "date": Kind.DATE, "subject": Kind.REFERENCE}
BASE = "http://fhir.test/fhir"


def read(*parameters: tuple[str, str], now: datetime | None = None) -> Query:
    return parse("Observation", parameters, KNOWN, base_url=BASE, default_count=50, max_count=100, now=now)


def only(name: str, text: str) -> Value:
    (condition,) = read((name, text)).conditions
    (value,) = condition.values
    return value


def escaped(text: str) -> str:
    for special in "\\,|$":
        text = text.replace(special, f"\\{special}")
    return text


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(str.strip)


@given(TEXTS)
def test_an_escaped_string_is_read_back(text: str) -> None:
    assert only("name", escaped(text)) == StringValue(text)


@given(TEXTS, TEXTS)
def test_an_escaped_token_is_read_back(system: str, code: str) -> None:
    assert only("code", f"{escaped(system)}|{escaped(code)}") == TokenValue(system, code)


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_comma_separates_alternatives_unless_it_is_escaped(texts: list[str]) -> None:
    (condition,) = read(("name", ",".join(map(escaped, texts)))).conditions
    assert condition.values == tuple(map(StringValue, texts))


@given(st.text(), st.text())
def test_anything_is_read_or_refused_in_words(name: str, text: str) -> None:
    for known in (name, *KNOWN, "_count", "_page"):
        with suppress(FhirtwinError):
            read((known, text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x", TokenValue(None, "x")),
        ("s|x", TokenValue("s", "x")),
        ("|x", TokenValue("", "x")),
        ("s|", TokenValue("s", None)),
    ],
)
def test_tokens(text: str, value: TokenValue) -> None:
    assert only("code", text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("p", ReferenceValue("", "", "p")),
        ("Patient/p", ReferenceValue("", "Patient", "p")),
        (f"{BASE}/Patient/p", ReferenceValue("", "Patient", "p")),
        (f"{BASE}x/Patient/p", ReferenceValue(f"{BASE}x", "Patient", "p")),
        ("https://ehr.test/r4/Patient/p", ReferenceValue("https://ehr.test/r4", "Patient", "p")),
    ],
)
def test_references(text: str, value: ReferenceValue) -> None:
    assert only("subject", text) == value


def test_a_date_stands_for_all_moments_it_may_mean() -> None:
    starts, ends = (microseconds(datetime(2024, month, 1, tzinfo=UTC)) for month in (2, 3))
    assert only("date", "2024-02") == DateValue("eq", starts, ends)
    assert only("date", "sa2024-02") == DateValue("sa", starts, ends)


def test_about_a_date_is_a_tenth_of_the_way_to_now() -> None:
    (condition,) = read(("date", "ap2024-01-01"), now=datetime(2024, 1, 11, tzinfo=UTC)).conditions
    day = 24 * 3600 * 1_000_000
    start = microseconds(datetime(2024, 1, 1, tzinfo=UTC))
    assert condition.values == (DateValue("ap", start - day, start + 2 * day),)


def test_count_is_cut_to_the_largest_page() -> None:
    assert [read(("_count", text)).count for text in ("0", "7", "5000")] == [0, 7, 100]
    assert read().count == 50


def test_what_is_offered_is_named_where_something_else_is_asked_for() -> None:
    with pytest.raises(Unsupported, match="code, date, name, subject"):
        read(("nonsense", "x"))


def test_the_place_of_a_page_is_not_part_of_what_was_understood() -> None:
    query = read(("name", "x"), ("_page", "4-9"))
    assert (query.after, query.ceiling, query.understood) == (4, 9, (("name", "x"),))
    with pytest.raises(Incorrect):
        read(("_page", "4"))


@pytest.mark.parametrize(
    ("one", "other"), [("MÜLLER", "muller"), ("  a \t b ", "a b"), ("Straße", "strasse"), ("é", "é")]
)
def test_folding_forgets_case_accents_and_surplus_blanks(one: str, other: str) -> None:
    assert fold(one) == fold(other)
