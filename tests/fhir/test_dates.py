from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Incorrect
from fhirtwin.fhir.dates import Interval, now_instant, parse
from fhirtwin.fhir.primitives import CHECKS


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("2024", Interval(utc(2024, 1, 1), utc(2025, 1, 1), "year")),
        ("2024-02", Interval(utc(2024, 2, 1), utc(2024, 3, 1), "month")),
        ("2024-12", Interval(utc(2024, 12, 1), utc(2025, 1, 1), "month")),
        ("2024-02-29", Interval(utc(2024, 2, 29), utc(2024, 3, 1), "day")),
        ("2024-05-01T10:00Z", Interval(utc(2024, 5, 1, 10), utc(2024, 5, 1, 10, 1), "minute")),
        ("2024-05-01T10:00:00", Interval(utc(2024, 5, 1, 10), utc(2024, 5, 1, 10, 0, 1), "second")),
        ("2024-01-01T01:00:00+02:00", Interval(utc(2023, 12, 31, 23), utc(2023, 12, 31, 23, 0, 1), "second")),
        ("2024-01-01T23:00:00-14:00", Interval(utc(2024, 1, 2, 13), utc(2024, 1, 2, 13, 0, 1), "second")),
        (
            "2024-05-01T10:00:00.25Z",
            Interval(utc(2024, 5, 1, 10, 0, 0, 250_000), utc(2024, 5, 1, 10, 0, 0, 260_000), "fraction"),
        ),
        (
            "2024-05-01T10:00:00.123456789Z",
            Interval(utc(2024, 5, 1, 10, 0, 0, 123_456), utc(2024, 5, 1, 10, 0, 0, 123_457), "fraction"),
        ),
        ("2024-06-30T23:59:60Z", Interval(utc(2024, 6, 30, 23, 59, 59), utc(2024, 7, 1), "second")),
    ],
)
def test_a_date_is_as_long_as_it_is_imprecise(text: str, interval: Interval) -> None:
    assert parse(text) == interval


def test_the_last_moment_of_time_ends_nothing() -> None:
    assert parse("9999").end == datetime.max.replace(tzinfo=UTC)
    assert parse("9999-12-31").end == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "24", "2024-1", "2024-13", "2024-02-30", "0000", "2024\n", "\u0662\u0660\u0662\u0664"),
        *("2024-01-01T", "2024-01-01T10", "2024-01-01T25:00Z", "2024T10:00Z", "2024-01-01 10:00"),
        *("2024-01-01T10:00:00+15:00", "2024-01-01T10:00:00+10:60", "0001-01-01T00:00:00+14:00"),
        *("2024-01-01T10:00:00.Z", "2024-01-01T10:00:61Z"),
    ],
)
def test_what_is_no_date_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Incorrect) as caught:
        parse(text)
    assert not text or text not in str(caught.value)


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_instant_means_the_same_moment_in_every_zone(moment: datetime, minutes: int) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    local = (moment + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    assert parse(f"{local}{sign}{size // 60:02}:{size % 60:02}").start == moment


@given(st.dates())
def test_finer_dates_lie_within_coarser_ones(day: object) -> None:
    text = str(day)
    year, month, whole = parse(text[:4]), parse(text[:7]), parse(text)
    assert year.start <= month.start <= whole.start < whole.end <= month.end <= year.end


def test_now_is_an_instant_of_r4() -> None:
    assert CHECKS["instant"](now_instant(), {}) is None
    assert abs(parse(now_instant()).start - datetime.now(UTC)) < timedelta(minutes=1)
