"""When facts stand for: FHIR dates and dateTimes as days and as spans that can be compared.

A FHIR date may say only a year. It is then a span, and two facts whose spans overlap cannot be put in order.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

BEGINNING = datetime.min.replace(tzinfo=UTC)


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
    if len(text) > len("2024-01-01"):
        start = datetime.fromisoformat(text)
        return start, start + (timedelta(microseconds=1) if start.microsecond else timedelta(seconds=1))
    first, last = first_day(text) or date.min, last_day(text) or date.max
    return datetime.combine(first, time(), UTC), datetime.combine(last, time(), UTC) + timedelta(days=1)


def begins(text: str) -> datetime:
    """Give the first moment a FHIR date stands for."""
    return span(text)[0]


def overlap(one: str, other: str) -> bool:
    """Tell whether two FHIR dates may stand for the same moment, so that neither is surely the newer."""
    (start, end), (other_start, other_end) = span(one), span(other)
    return (start < other_end and other_start < end) or one == other
