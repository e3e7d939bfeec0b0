r"""Search parameters as text become a `Query`. Nothing is guessed: what is not understood is refused by name.

R4 lets a server ignore what it does not know; the caller then gets everybody's data and believes it was filtered.

*Source*: http://hl7.org/fhir/R4/search.html (modifiers 3.1.1.5.5, prefixes 3.1.1.4.7.1, escaping 3.1.1.5.7.1).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from fhirtwin.errors import Incorrect, TooLarge, Unsupported
from fhirtwin.fhir import dates, references
from fhirtwin.fhir.tables import RESOURCE_TYPES

MAX_ALTERNATIVES: Final = 100
"""Most comma-separated values of one parameter."""

MAX_CONDITIONS: Final = 30
"""Most parameters of one search."""

PAGE: Final = "_page"
"""Our own parameter, found only in the links of a result: where the next page begins."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PREFIXED: Final = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\\,|$])")
_PAGE_VALUE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Kind(StrEnum):
    """Type of a search parameter (http://hl7.org/fhir/R4/valueset-search-param-type.html)."""

    TOKEN = "token"  # noqa: S105 - a word of FHIR
    STRING = "string"
    DATE = "date"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`code`, `system|code`, `system|` or `|code`; None means any, an empty system means that there is none."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class StringValue:
    """Text as sent; `fold` gives the form that ignores case and accents."""

    text: str


@dataclass(frozen=True, slots=True)
class DateValue:
    """A prefix and the half-open interval [starts, ends) that the date stands for, in microseconds since 1970, UTC."""

    prefix: str
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """A resource: the base is empty for this server; no type means any."""

    base: str
    type: str
    id: str


Value = TokenValue | StringValue | DateValue | ReferenceValue


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter: any of `values` must fit."""

    name: str
    kind: Kind
    modifier: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """One search: all conditions must hold.

    Attributes:
        count: resources on a page; 0 asks for the total alone.
        after: number of the last resource of the page before; 0 on the first page.
        ceiling: number of the newest resource when the first page was made; later ones belong to another search.
        understood: the parameters as they were understood, for the self link.
    """

    type: str
    conditions: tuple[Condition, ...]
    count: int
    after: int = 0
    ceiling: int | None = None
    understood: tuple[tuple[str, str], ...] = ()


def parse(
    type_: str,
    parameters: Iterable[tuple[str, str]],
    known: Mapping[str, Kind],
    *,
    base_url: str,
    default_count: int,
    max_count: int,
    now: datetime | None = None,
) -> Query:
    """Read the parameters of a search of one type.

    Args:
        type_: resource type that is searched.
        parameters: decoded names and values, in the order sent.
        known: the parameters of that type and their kinds.
        base_url: this server's base: references below it are its own.
        default_count: page size when `_count` is not given.
        max_count: largest page; a larger `_count` gets this, as R4 allows.
        now: the present, for the prefix `ap`; default: the clock.

    Raises:
        Unsupported: a parameter, a modifier or a chain that is not offered; the text names what is.
        Incorrect: a value that cannot be read; the text names the parameter.
        TooLarge: more values or parameters than one search may have.
    """
    conditions: list[Condition] = []
    understood: list[tuple[str, str]] = []
    count, after, ceiling = default_count, 0, None
    for name, text in parameters:
        if name == "_count":
            count = min(page_size(text), max_count)
        elif name == PAGE:
            after, ceiling = _page(text)
            continue
        else:
            conditions.append(_condition(type_, name, text, known, base_url, now))
        understood.append((name, text))
    if len(conditions) > MAX_CONDITIONS:
        raise TooLarge(f"A search may have at most {MAX_CONDITIONS} parameters.")
    return Query(type_, tuple(conditions), count, after, ceiling, tuple(understood))


def fold(text: str) -> str:
    """The form in which strings are compared: without case, accents and surplus blanks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def microseconds(moment: datetime) -> int:
    """A moment as microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def _condition(
    type_: str, sent: str, text: str, known: Mapping[str, Kind], base_url: str, now: datetime | None
) -> Condition:
    name, _, modifier = sent.partition(":")
    kind = known.get(name)
    if kind is None or "." in sent:
        offered = ", ".join(sorted(known)) or "none"
        raise Unsupported(f"Search parameter `{_shown(sent)}` is not offered for {type_}; offered are: {offered}.")
    if not _modifier_fits(kind, modifier):
        raise Unsupported(f"Modifier `:{_shown(modifier)}` is not offered for `{name}` of {type_}.")
    parts = list(_split(text, ","))
    if len(parts) > MAX_ALTERNATIVES:
        raise TooLarge(f"`{name}` may have at most {MAX_ALTERNATIVES} values.")
    if not all(part.strip() for part in parts):
        raise Incorrect(f"`{name}` has an empty value; leave the parameter out to search for anything.")
    return Condition(name, kind, modifier, tuple(_value(name, kind, modifier, part, base_url, now) for part in parts))


def _modifier_fits(kind: Kind, modifier: str) -> bool:
    match kind:
        case Kind.STRING:
            return modifier in ("", "exact", "contains")
        case Kind.REFERENCE:
            return modifier == "" or modifier in RESOURCE_TYPES
        case _:
            return modifier == ""


def _value(name: str, kind: Kind, modifier: str, text: str, base_url: str, now: datetime | None) -> Value:
    match kind:
        case Kind.TOKEN:
            return _token(name, text)
        case Kind.STRING:
            return StringValue(_unescape(text))
        case Kind.DATE:
            return _date(name, text, now)
        case Kind.REFERENCE:
            return _reference(name, _unescape(text), modifier, base_url)


def _token(name: str, text: str) -> TokenValue:
    parts = [_unescape(part) for part in _split(text, "|")]
    match parts:
        case [code]:
            return TokenValue(None, code)
        case [system, ""] if system:
            return TokenValue(system, None)
        case [system, code] if code:
            return TokenValue(system, code)
    raise Incorrect(f"`{name}` takes `code`, `system|code`, `system|` or `|code`.")


def _date(name: str, text: str, now: datetime | None) -> DateValue:
    found = _PREFIXED.fullmatch(text.strip())
    prefix, stated = (found[1] or "eq", found[2]) if found else ("eq", text)
    try:
        interval = dates.parse(stated)
    except Incorrect:
        raise Incorrect(f"`{name}` is not a date: use YYYY, YYYY-MM, YYYY-MM-DD or a dateTime with zone.") from None
    starts, ends = microseconds(interval.start), microseconds(interval.end)
    if prefix == "ap":
        # R4 recommends a tenth of the time between the date and now.
        margin = abs(microseconds(now or datetime.now(UTC)) - starts) // 10
        starts, ends = starts - margin, ends + margin
    return DateValue(prefix, starts, ends)


def _reference(name: str, text: str, modifier: str, base_url: str) -> ReferenceValue:
    local = text.removeprefix(f"{base_url}/") if base_url else text
    if _ID.fullmatch(local):
        return ReferenceValue("", modifier, local)
    found = references.parse(local)
    if not (found.type and found.id) or (modifier and found.type != modifier):
        raise Incorrect(f"`{name}` takes an id, `Type/id` or an absolute URL of a resource.")
    return ReferenceValue(found.base, found.type, found.id)


def page_size(text: str) -> int:
    """Read `_count`.

    Raises:
        Incorrect: it is no whole number.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Incorrect("`_count` takes a whole number from 0.")
    return int(text)


def _page(text: str) -> tuple[int, int]:
    found = _PAGE_VALUE.fullmatch(text)
    if not found:
        raise Incorrect(f"`{PAGE}` is made by this server: follow the links of a result as they are.")
    return int(found[1]), int(found[2])


def _split(text: str, separator: str) -> Iterator[str]:
    r"""Cut at separators that no backslash escapes; escapes stay in the parts."""
    part, escaped = "", False
    for character in text:
        if character == separator and not escaped:
            yield part
            part = ""
            continue
        part += character
        escaped = character == "\\" and not escaped
    yield part


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _shown(name: str) -> str:
    """A parameter's name, cut to what a sane one may contain: the text of an error carries no data."""
    return re.sub(r"[^A-Za-z0-9_.:\-]", "?", name)[:64]
