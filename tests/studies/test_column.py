from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Incorrect
from tests.studies.builders import BMI


@given(st.integers(100, 800))
def test_values_become_whole_numbers_and_back(tenths: int) -> None:
    count = BMI.count(Decimal(tenths) / 10)
    assert abs(count) <= BMI.steps
    assert BMI.value(Fraction(count)) == Fraction(tenths, 10)


@pytest.mark.parametrize("value", ["9.9", "80.1", "1e12", "-27"])
def test_a_value_outside_is_refused_and_not_told(value: str) -> None:
    with pytest.raises(Incorrect, match="outside 10 to 80") as refused:
        BMI.count(Decimal(value))
    assert value not in str(refused.value)


def test_a_value_between_two_steps_is_refused_and_not_rounded() -> None:
    with pytest.raises(Incorrect, match="finer than the step") as refused:
        BMI.count(Decimal("27.38"))
    assert "27.38" not in str(refused.value)
