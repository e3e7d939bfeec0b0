from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import FhirtwinError, Incorrect, TooLarge, Unsupported
from fhirtwin.fhir.search import results as search_results
from fhirtwin.fhir.search.folding import fold, microseconds
from fhirtwin.fhir.search.grammar import Grammar, Limits
from fhirtwin.fhir.search.query import Chain, Condition, Position, Query, ReverseChain
from fhirtwin.fhir.search.values import (
    CodesValue,
    DateValue,
    NumberValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
    split,
)

BASE = "http://fhir.test/fhir"


def read(type_: str, *parameters: tuple[str, str], now: datetime | None = None, lenient: bool = False) -> Query:
    return Grammar(BASE, Limits(max_count=100), lenient=lenient, now=now).parse((type_,), parameters)


def only(type_: str, name: str, text: str) -> Value:
    (condition,) = read(type_, (name, text)).wanted[0].criteria
    assert isinstance(condition, Condition)
    (value,) = condition.values
    return value


def escaped(text: str) -> str:
    for special in "\\,|$":
        text = text.replace(special, f"\\{special}")
    return text


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1).filter(fold)


@given(TEXTS)
def test_an_escaped_string_is_read_back(text: str) -> None:
    assert only("Patient", "name", escaped(text)) == StringValue(text)


@given(TEXTS, TEXTS)
def test_an_escaped_token_is_read_back(system: str, code: str) -> None:
    assert only("Observation", "code", f"{escaped(system)}|{escaped(code)}") == TokenValue(system, code)


@given(st.lists(TEXTS, min_size=1, max_size=5, unique=True))
def test_a_comma_separates_alternatives_unless_it_is_escaped(texts: list[str]) -> None:
    (condition,) = read("Patient", ("name", ",".join(map(escaped, texts)))).wanted[0].criteria
    assert isinstance(condition, Condition)
    assert condition.values == tuple(map(StringValue, texts))


@given(st.text(), st.sampled_from(",|$"))
def test_splitting_loses_nothing(text: str, separator: str) -> None:
    assert separator.join(split(text, separator)) == text


NAMES = (
    "code", "name", "date", "subject", "value-quantity", "combo-code-value-quantity", "_id", "_tag", "_profile",
    "_list", "_lastUpdated", "_count", "_page", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total",
    "_has:Observation:subject:code", "subject:Patient.name", "code:in", "identifier:of-type", "code:missing",
)  # fmt: skip


@given(st.text(), st.text())
def test_anything_is_read_or_refused_in_words(name: str, text: str) -> None:
    for known in (name, *NAMES):
        for lenient in (False, True):
            with suppress(FhirtwinError):
                read("Observation", (known, text), lenient=lenient)


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
    assert only("Observation", "code", text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("p", ReferenceValue("", "", "p")),
        ("Patient/p", ReferenceValue("", "Patient", "p")),
        ("Patient/p/_history/3", ReferenceValue("", "Patient", "p")),
        (f"{BASE}/Patient/p", ReferenceValue("", "Patient", "p")),
        (f"{BASE}x/Patient/p", ReferenceValue(f"{BASE}x", "Patient", "p")),
        ("https://ehr.test/r4/Patient/p", ReferenceValue("https://ehr.test/r4", "Patient", "p")),
        ("urn:oid:1.2", UriValue("urn:oid:1.2")),
    ],
)
def test_references(text: str, value: Value) -> None:
    assert only("Observation", "subject", text) == value


@pytest.mark.parametrize(
    ("text", "prefix", "number", "half"),
    [
        ("100", "eq", "100", "0.5"),
        ("100.00", "eq", "100.00", "0.005"),
        ("1e2", "eq", "1e2", "5"),
        ("5.40e-3", "eq", "5.40e-3", "0.000005"),
        ("lt-7", "lt", "-7", "0.5"),
        ("ap50", "ap", "50", "5"),
    ],
)
def test_a_number_is_as_precise_as_it_is_written(text: str, prefix: str, number: str, half: str) -> None:
    """The first three are R4's own examples: http://hl7.org/fhir/R4/search.html#number."""
    expected = NumberValue(prefix, Decimal(number), Decimal(half))
    assert only("RiskAssessment", "probability", text) == expected


def test_a_date_stands_for_all_moments_it_may_mean() -> None:
    starts, ends = (Fraction(microseconds(datetime(2024, month, 1, tzinfo=UTC))) for month in (2, 3))
    assert only("Observation", "date", "2024-02") == DateValue("eq", starts, ends)
    assert only("Observation", "date", "sa2024-02") == DateValue("sa", starts, ends)


def test_a_date_may_be_finer_than_what_is_kept() -> None:
    second = microseconds(datetime(2024, 2, 1, 10, 0, 1, tzinfo=UTC))
    fine = only("Observation", "date", "gt2024-02-01T10:00:01.1234567Z")
    assert fine == DateValue("gt", second + Fraction(1234567, 10), second + Fraction(1234568, 10))


def test_about_a_date_is_a_tenth_of_the_way_to_now() -> None:
    query = read("Observation", ("date", "ap2024-01-01"), now=datetime(2024, 1, 11, tzinfo=UTC))
    (condition,) = query.wanted[0].criteria
    day = 24 * 3600 * 1_000_000
    start = microseconds(datetime(2024, 1, 1, tzinfo=UTC))
    assert isinstance(condition, Condition)
    assert condition.values == (DateValue("ap", Fraction(start - day), Fraction(start + 2 * day)),)


def test_a_chain_leads_to_every_type_that_has_the_parameter() -> None:
    (chain,) = read("Observation", ("subject.name", "x")).wanted[0].criteria
    assert isinstance(chain, Chain)
    assert [target.type for target in chain.wanted] == ["Location", "Patient"]
    (reverse,) = read("Patient", ("_has:Observation:patient:_has:Provenance:target:agent", "x")).wanted[0].criteria
    assert isinstance(reverse, ReverseChain) and reverse.wanted.type == "Observation"
    (inner,) = reverse.wanted.criteria
    assert isinstance(inner, ReverseChain) and inner.wanted.type == "Provenance"


def test_a_chain_is_as_deep_as_the_limit_says() -> None:
    shallow = Grammar(BASE, Limits(max_chain_depth=1))
    assert shallow.parse(("Observation",), [("patient.name", "x")]).is_conditional
    with pytest.raises(TooLarge, match="FHIRTWIN_MAX_CHAIN_DEPTH"):
        shallow.parse(("Observation",), [("patient.organization.name", "x")])


def test_a_value_set_becomes_its_codes() -> None:
    codes = {"s": frozenset({"a", "b"})}
    grammar = Grammar(BASE, value_sets=lambda url: codes if url == "http://v" else None)
    (condition,) = grammar.parse(("Observation",), [("code:in", "http://v")]).wanted[0].criteria
    assert isinstance(condition, Condition) and condition.values == (CodesValue("s", codes["s"]),)
    with pytest.raises(Unsupported):
        grammar.parse(("Observation",), [("code:in", "http://w")])


def test_a_larger_page_than_the_limit_is_refused() -> None:
    assert [read("Patient", ("_count", text)).count for text in ("0", "7", "100")] == [0, 7, 100]
    assert read("Patient").count == 50
    with pytest.raises(TooLarge, match="FHIRTWIN_MAX_COUNT"):
        read("Patient", ("_count", "101"))


def test_what_is_offered_is_named_where_something_else_is_asked_for() -> None:
    with pytest.raises(Unsupported, match=r"_id, .*birthdate, .*gender"):
        read("Patient", ("nonsense", "x"))


def test_what_is_passed_over_is_told_and_not_understood() -> None:
    query = read("Patient", ("nonsense", "x"), ("gender", "male"), ("name:below", "x"), lenient=True)
    assert (len(query.ignored), query.understood) == (2, (("gender", "male"),))
    assert len(query.wanted[0].criteria) == 1


@given(
    st.builds(
        Position,
        st.integers(0, 2**63 - 1),
        st.none() | st.integers(0, 2**63 - 1),
        st.integers(0, 2**63 - 1),
        st.lists(
            st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS, max_size=3
        ).map(tuple),
    )
)
def test_the_place_of_a_page_is_read_back(place: Position) -> None:
    assert search_results.page_position(search_results.page_text(place), len(place.keys)) == place


@given(st.text() | st.binary().map(lambda data: search_results.base64.urlsafe_b64encode(data).decode()))
def test_any_other_place_of_a_page_is_refused_in_words(text: str) -> None:
    with suppress(Incorrect):
        search_results.page_position(text, 0)


def test_the_place_of_a_page_is_not_part_of_what_was_understood() -> None:
    place = Position(9, 30, 4)
    query = read("Patient", ("name", "x"), ("_page", search_results.page_text(place)))
    assert (query.position, query.understood) == (place, (("name", "x"),))


@pytest.mark.parametrize(
    ("one", "other"), [("MÜLLER", "muller"), ("  a \t b ", "a b"), ("Straße", "strasse"), ("é", "é")]
)
def test_folding_forgets_case_accents_and_surplus_blanks(one: str, other: str) -> None:
    assert fold(one) == fold(other)
