from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.terms import ucum


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 g", "1000 mg"),
        ("0.199 g/dL", "1.99 mg/mL"),
        ("1 kPa", "1000 Pa"),
        ("760 mm[Hg]", "101.32472 kPa"),
        ("37 Cel", "98.6 [degF]"),
        ("1 [lb_av]", "453.59237 g"),
        ("1 [in_i]", "2.54 cm"),
        ("5 10*9/L", "5000 10*6/L"),
        ("5 10*3/uL", "5 10*9/L"),
        ("60 /min", "1 Hz"),
        ("60 {beats}/min", "60 /min"),
        ("1 %", "10 mmol/mol"),
        ("90 mL/min/{1.73_m2}", "1.5 mL/s"),
        ("1 u[IU]/mL", "1 m[iU]/L"),
        ("1 a", "365.25 d"),
        ("1 kg.m/s2", "1 N"),
        ("6 L/(min.m2)", "0.1 L/s/m2"),
        ("1 L", "1 l"),
    ],
)
def test_the_same_amount_is_the_same_in_base_units(one: str, other: str) -> None:
    (amount, known), (other_amount, other_known) = measured(one), measured(other)
    assert known.base == other_known.base
    assert known.into_base(amount) == other_known.into_base(other_amount)


def measured(text: str) -> tuple[Decimal, ucum.Unit]:
    amount, _, code = text.partition(" ")
    known = ucum.canonical(code)
    assert known is not None
    return Decimal(amount), known


@pytest.mark.parametrize(
    ("code", "base"),
    [
        ("mg/dL", "g.m-3"),
        ("mm[Hg]", "g.m-1.s-2"),
        ("[IU]/mL", "[iU].m-3"),
        ("1", "1"),
        ("{score}", "1"),
        ("/m2", "m-2"),
    ],
)
def test_base_units_are_written_in_order(code: str, base: str) -> None:
    known = ucum.canonical(code)
    assert known is not None and known.base == base


def test_units_that_differ_in_case_alone_are_not_the_same() -> None:
    assert ucum.canonical("Mg") != ucum.canonical("mg")
    assert ucum.canonical("MMOL/L") is None


@pytest.mark.parametrize(
    "code",
    "|[pH]|dB|x|mgg|mg/|mg//dL|(mg|mg)|m-|m999999999|10*99999|mg dL|{|0/0|/0m|Cel/s|µg|m[in_i|m²".split("|"),  # noqa: SIM905 - reads better without quotes
)
def test_what_is_no_multiple_of_base_units_is_not_known(code: str) -> None:
    assert ucum.canonical(code) is None


@pytest.mark.parametrize("symbol", ["m", "(", "m.", "m/", "1"])
def test_a_long_text_is_not_read(symbol: str) -> None:
    assert ucum.canonical(symbol * (ucum.MAX_LENGTH + 1)) is None


@given(st.text(max_size=ucum.MAX_LENGTH))
def test_no_text_is_too_strange(code: str) -> None:
    known = ucum.canonical(code)
    assert known is None or known.base


def test_factors_are_exact() -> None:
    known = ucum.canonical("mL/min")
    assert known is not None and known.times == Fraction(1, 60_000_000)
