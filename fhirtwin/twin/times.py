"""When facts stand for: FHIR dates and dateTimes as days and as spans that can be compared.

A FHIR date may say only a year. It is then a span, and two facts whose spans overlap cannot be put in order.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from functools import lru_cache

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import dates

BEGINNING = datetime.min.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def first_day(text: str) -> date | None:
    """Give the first calendar day a FHIR date or dateTime may stand for, as written (its own time zone).

    Args:
        text: FHIR date, dateTime or instant; empty when there is none.

    Returns:
        The day, or None for empty text.
    """
    if not text:
        return None
    year, month, day = (*_calendar(text), 1, 1)[:3]
    return date(year, month, day)


@lru_cache(maxsize=4096)
def last_day(text: str) -> date | None:
    """Give the last calendar day a FHIR date or dateTime may stand for, as `first_day` does the first."""
    if not text:
        return None
    year, month = (*_calendar(text), 12)[:2]
    days = _calendar(text)[2:] or (monthrange(year, month)[1],)
    return date(year, month, days[0])


def _calendar(text: str) -> tuple[int, ...]:
    return tuple(map(int, text[:10].split("-")))


@lru_cache(maxsize=4096)
def span(text: str) -> tuple[datetime, datetime]:
    """Give the span a FHIR date stands for: its first moment, and the moment after its last. Empty text: all before."""
    if not text:
        return BEGINNING, BEGINNING
    try:
        interval = dates.parse(text)
    except Incorrect:
        # A validated date has one fault left: its time zone moves it out of the calendar, at the beginning of year 1.
        return BEGINNING, BEGINNING
    return interval.start, interval.end


def begins(text: str) -> datetime:
    """Give the first moment a FHIR date stands for."""
    return span(text)[0]


def overlap(one: str, other: str) -> bool:
    """Tell whether two FHIR dates may stand for the same moment, so that neither is surely the newer."""
    (start, end), (other_start, other_end) = span(one), span(other)
    return (start < other_end and other_start < end) or one == other
