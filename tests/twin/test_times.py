from datetime import UTC, date, datetime

import pytest

from fhirtwin.twin.times import BEGINNING, begins, first_day, last_day, overlap, span


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-02", date(2023, 2, 1), date(2023, 2, 28)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("2024-03-01T00:30:00+05:00", date(2024, 3, 1), date(2024, 3, 1)),
    ],
)
def test_days_are_those_written_in_the_record(text: str, first: date, last: date) -> None:
    assert (first_day(text), last_day(text)) == (first, last)


def test_nothing_written_is_no_day_and_before_everything() -> None:
    assert (first_day(""), last_day("")) == (None, None)
    assert begins("") == BEGINNING < begins("0001-01-01T00:00:01Z")


def test_span_is_as_long_as_the_date_is_imprecise() -> None:
    assert span("2024-02") == (datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("2024-01-01", "2024-01-01", True),
        ("2024-01-01", "2024-01-01T23:59:59Z", True),
        ("2024", "2024-12-31", True),
        ("2024-01-01", "2024-01-02", False),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:01Z", False),
        ("2024-01-01T10:00:00Z", "2024-01-01T11:00:00+01:00", True),
        ("", "", True),
        ("", "2024", False),
    ],
)
def test_times_that_may_be_the_same_overlap(one: str, other: str, both: bool) -> None:
    assert overlap(one, other) is both
    assert overlap(other, one) is both


def test_moment_that_a_time_zone_moves_out_of_the_calendar_is_before_everything() -> None:
    assert begins("0001-01-01T00:00:00+14:00") == BEGINNING
