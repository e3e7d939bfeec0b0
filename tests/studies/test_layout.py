from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Fault
from fhirtwin.studies import tags
from fhirtwin.studies.layout import Layout
from fhirtwin.studies.statistics import Statistic

BOUNDS = st.tuples(st.integers(-(2**80), 2**80), st.integers(0, 2**90)).map(lambda b: (b[0], b[0] + b[1]))


@given(st.data(), st.lists(BOUNDS, min_size=1, max_size=8), st.integers(1, 1024))
def test_totals_of_digits_are_digits_of_totals(data: st.DataObject, bounds: list[tuple[int, int]], sites: int) -> None:
    layout = Layout(tuple(Statistic(str(n), low, high) for n, (low, high) in enumerate(bounds)))
    drawn = [[data.draw(st.integers(low, high)) for low, high in bounds] for _ in range(min(sites, 3))]
    added = sum((layout.digits(values) for values in drawn), start=np.zeros(layout.used, dtype=np.int64))
    assert layout.numbers(added, len(drawn)) == tuple(map(sum, zip(*drawn, strict=True)))


def test_a_statistic_outside_its_bounds_is_a_fault_and_not_told() -> None:
    layout = Layout((Statistic("rows", 0, 100),))
    with pytest.raises(Fault, match="rows is outside") as refused:
        layout.digits([101])
    assert "101" not in str(refused.value)


@given(st.lists(st.integers(0, 2**20 - 1), min_size=1, max_size=50), st.binary(min_size=32, max_size=32))
def test_tags_add_up_as_contributions_do(numbers: list[int], secret: bytes) -> None:
    one = np.array(numbers, dtype=np.int64)
    first, second = tags.tag(one, secret, [5], b"b"), tags.tag(one[::-1].copy(), secret, [7], b"b")
    assert (first + second) % tags.PRIME == tags.tag(one + one[::-1], secret, [5, 7], b"b")


def test_tags_of_another_round_are_others() -> None:
    assert tags.pad(b"s" * 32, b"a") != tags.pad(b"s" * 32, b"b")
    assert tags.factors(b"s" * 32, b"a", 4) != tags.factors(b"s" * 32, b"b", 4)
