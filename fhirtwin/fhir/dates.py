"""FHIR dates: text of any precision becomes the interval of time that it stands for.

`2024` is the whole of that year and `2024-05-01T10:00Z` a whole minute: a date is as long as it is imprecise.

Dates and dateTimes without a time zone are taken in UTC. A date-only value has no zone in FHIR, and which one a caller
meant cannot be known; UTC makes the same text always mean the same interval, on every machine.

*Source*: http://hl7.org/fhir/R4/datatypes.html#dateTime, http://hl7.org/fhir/R4/search.html#date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal

from fhirtwin.errors import Incorrect

Precision = Literal["year", "month", "day", "minute", "second", "fraction"]

_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?",
    re.ASCII,
)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Interval:
    """The time a FHIR date stands for.

    Attributes:
        start: first moment, in UTC.
        end: first moment after it, in UTC.
        precision: the smallest part that the text names.
    """

    start: datetime
    end: datetime
    precision: Precision


def parse(text: str) -> Interval:
    """Read a FHIR date, dateTime, instant or search date (which may stop at the minute).

    A fraction finer than a microsecond is cut off, and a leap second (`:60`) counts as the second before it.

    Raises:
        Incorrect: no such date, or no such day; the text does not repeat it.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        raise Incorrect(_EXPECTED)
    part = found.groupdict(default="")
    fraction = part["fraction"]
    try:
        start = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            59 if part["second"] == "60" else int(part["second"] or 0),
            int(fraction[:6].ljust(6, "0")),
            tzinfo=_zone(part["zone"]),
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Incorrect(_EXPECTED) from None
    precision: Precision = "year"
    for name in ("month", "day", "minute", "second", "fraction"):
        precision = name if part[name] else precision
    return Interval(start, _end(start, precision, len(fraction)), precision)


def now_instant() -> str:
    """Tell the time as a FHIR instant in UTC with milliseconds: `2024-05-01T10:00:00.123Z`."""
    return instant(datetime.now(UTC))


def instant(moment: datetime) -> str:
    """Write a moment in UTC as `now_instant` does: such texts sort as what they stand for."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_EXPECTED: Final = (
    "Expected a date: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone, of a day there is."
)


def _zone(text: str) -> timezone:
    if text in ("", "Z"):
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    if offset > timedelta(hours=14) or text[4:6] > "59":
        raise ValueError(text)
    return timezone(-offset if text[0] == "-" else offset)


def _end(start: datetime, precision: Precision, digits: int) -> datetime:
    try:
        if precision == "year":
            return start.replace(year=start.year + 1)
        if precision == "month":
            return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return start + _LENGTH.get(precision, timedelta(microseconds=10 ** max(0, 6 - digits)))
    except (ValueError, OverflowError):
        return _LAST  # the year 9999 has no year after it


_LENGTH: Final = {
    "day": timedelta(days=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
