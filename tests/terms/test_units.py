from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Unprocessable
from fhirtwin.terms.facts import UNITS
from fhirtwin.terms.units import SCALES, canonical_spelling, convert, to_canonical

TAKEN = [(analyte, unit) for analyte, units in SCALES.items() for unit in units]
ROWS = [
    ("total-cholesterol", "5.172", "mmol/L", "200"),
    ("total-cholesterol", "1.2930", "mmol/l", "50"),
    ("hdl-cholesterol", "1.293", "mmol/L", "50"),
    ("total-cholesterol", "2", "g/L", "200"),
    ("creatinine", "88.4", "umol/L", "1"),
    ("creatinine", "176.8", "\u00b5mol/L", "2"),
    ("creatinine", "176.8", "\u03bcmol/L", "2"),
    ("creatinine", "0.0884", "mmol/L", "1"),
    ("uacr", "3.4", "mg/mmol", "30.056"),
    ("uacr", "3.4", "g/mol", "30.056"),
    ("uacr", "30", "ug/mg", "30"),
    ("uacr", "30", "mg/g{Cre}", "30"),
    ("uacr", "3.4", "mg/mmol{creat}", "30.056"),
    ("hba1c", "6.5", "%{Hb}", "6.5"),
    ("systolic-bp", "120", "mm[Hg]{sitting}", "120"),
    ("systolic-bp", "16", "kPa", "120.010200867074"),
    ("body-weight", "150", "[lb_av]", "68.0388555"),
    ("body-weight", "3400", "g", "3.4"),
    ("body-height", "1.75", "m", "175"),
    ("body-height", "70", "[in_i]", "177.8"),
    ("hba1c", "53", "mmol/mol", "7.00044"),
    ("egfr", "58", "mL/min/1.73m2", "58"),
]


@pytest.mark.parametrize(("analyte", "value", "unit", "expected"), ROWS)
def test_value_is_converted_to_the_canonical_unit(analyte: str, value: str, unit: str, expected: str) -> None:
    assert to_canonical(Decimal(value), unit, analyte=analyte) == Decimal(expected)


def test_value_in_the_canonical_unit_keeps_every_digit() -> None:
    assert (
        str(to_canonical(Decimal("166.04143833054780"), "mg/dl", analyte="total-cholesterol")) == "166.04143833054780"
    )


def test_canonical_unit_of_every_fact_is_one_of_those_taken() -> None:
    assert {name: next(iter(units)) for name, units in SCALES.items()} == UNITS


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [
        ("total-cholesterol", "mg"),
        ("total-cholesterol", "umol/L"),
        ("creatinine", "g/L"),
        ("egfr", "mL/min"),
        ("uacr", "mg/L"),
        ("egfr", "mL/min{1.73_m2}"),
        ("uacr", "{mg}/g"),
        ("systolic-bp", ""),
        ("body-weight", "lbs"),
        ("creatinine", "MG/DL"),
    ],
)
def test_unit_of_another_kind_is_refused_and_not_repeated(analyte: str, unit: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        to_canonical(Decimal(1), unit, analyte=analyte)
    assert str(refused.value).startswith(f"the unit cannot be converted: {analyte} is taken in {UNITS[analyte]}")


def test_flag_has_no_unit() -> None:
    with pytest.raises(Unprocessable, match="diabetes is not a quantity"):
        convert(Decimal(1), "mg/dL", "mg/dL", analyte="diabetes")


@given(st.sampled_from(TAKEN), st.decimals("0.01", "9999.99", places=2))
def test_conversion_there_and_back_gives_the_value_again(taken: tuple[str, str], value: Decimal) -> None:
    analyte, unit = taken
    there = convert(value, unit, UNITS[analyte], analyte=analyte)
    back = convert(there, UNITS[analyte], unit, analyte=analyte)
    # 15 significant digits are kept; the offset of HbA1c may cancel up to three of them.
    assert abs(back - value) <= Decimal("1e-11") * max(value, 1)


@given(st.sampled_from(TAKEN), st.decimals("0.01", "999", places=2), st.decimals("0.01", "999", places=2))
def test_conversion_keeps_order(taken: tuple[str, str], one: Decimal, other: Decimal) -> None:
    analyte, unit = taken
    low, high = sorted((one, other))
    assert to_canonical(low, unit, analyte=analyte) <= to_canonical(high, unit, analyte=analyte)


def test_every_other_spelling_leads_to_a_unit_of_the_table() -> None:
    from fhirtwin.terms.units import _SPELLINGS

    known = {unit for _, unit in TAKEN}
    assert {canonical_spelling(text) for text in _SPELLINGS} <= known
    assert not set(_SPELLINGS) & known
