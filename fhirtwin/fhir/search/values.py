r"""The values of search parameters: text of each kind becomes what is compared.

*Source*: http://hl7.org/fhir/R4/search.html: prefixes 3.1.1.4.7.1, escaping 3.1.1.5.7.1, and the section of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from fhirtwin.errors import Incorrect, TooLarge
from fhirtwin.fhir import dates, references
from fhirtwin.fhir.json_faults import number_is_right
from fhirtwin.fhir.search.folding import fold, microseconds

MAX_TEXT: Final = 2000
"""Most characters of one value: no code, name or address is longer."""

MAX_CONTAINED: Final = 128
"""Longest text that `:contains` looks for: the index of long texts is made of windows that overlap by so much."""

_PREFIXED: Final = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\\,|$])")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,4}))?")
_FRACTION: Final = re.compile(r"\.([0-9]{7,12})[0-9]*(?=Z|[+-]|$)")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`code`, `system|code`, `system|` or `|code`; None means any, an empty system means that there is none."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class TypedValue:
    """`system|code|value` of `:of-type`: an identifier of that type with that value."""

    system: str
    code: str
    value: str


@dataclass(frozen=True, slots=True)
class StringValue:
    """Text as sent; `folding.fold` gives the form that ignores case and accents."""

    text: str


@dataclass(frozen=True, slots=True)
class DateValue:
    """A prefix and the half-open interval [starts, ends) that the date stands for.

    Both in microseconds since 1970, UTC; no whole number where the date is finer.
    """

    prefix: str
    starts: Fraction
    ends: Fraction


@dataclass(frozen=True, slots=True)
class NumberValue:
    """A prefix, a number, and half of what its last digit stands for: `100` means [99.5, 100.5) where it is equal."""

    prefix: str
    number: Decimal
    half: Decimal


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """`number`, `number|system|code` or `number||code`; None means any."""

    number: NumberValue
    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """A resource: the base is empty for this server; no type means any."""

    base: str
    type: str
    id: str


@dataclass(frozen=True, slots=True)
class UriValue:
    """A URI as sent; of a canonical, the version that is asked for, empty for any."""

    uri: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class CodesValue:
    """The codes of one system that a value set holds, for `:in` and `:not-in`."""

    system: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class PresenceValue:
    """Of `:missing`: whether the element must be absent."""

    missing: bool


@dataclass(frozen=True, slots=True)
class CompositeValue:
    """One value for each component, in the order of the definition; all must hold within one occurrence."""

    parts: tuple[Value, ...]


Value = (
    TokenValue
    | TypedValue
    | StringValue
    | DateValue
    | NumberValue
    | QuantityValue
    | ReferenceValue
    | UriValue
    | CodesValue
    | PresenceValue
    | CompositeValue
)


def split(text: str, separator: str) -> Iterator[str]:
    r"""Cut at separators that no backslash escapes; escapes stay in the parts."""
    start = position = 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == separator:
            yield text[start:position]
            start = position + 1
        position += 1
    yield text[start:]


def unescape(text: str) -> str:
    r"""Take the backslash away from `\,` `\|` `\$` and `\\`."""
    return _ESCAPED.sub(r"\1", text)


def token(name: str, text: str) -> TokenValue:
    """Read a token.

    Raises:
        Incorrect: it has more than two parts, or says nothing.
    """
    match [unescape(part) for part in split(text, "|")]:
        case [code]:
            return TokenValue(None, code)
        case [system, ""] if system:
            return TokenValue(system, None)
        case [system, code] if code:
            return TokenValue(system, code)
    raise Incorrect(f"`{name}` takes `code`, `system|code`, `system|` or `|code`.")


def typed(name: str, text: str) -> TypedValue:
    """Read the value of `:of-type`: http://hl7.org/fhir/R4/search.html#token.

    Raises:
        Incorrect: one of its three parts is missing.
    """
    match [unescape(part) for part in split(text, "|")]:
        case [system, code, value] if system and code and value:
            return TypedValue(system, code, value)
    raise Incorrect(f"`{name}:of-type` takes `system|code|value`, all three.")


def string(name: str, text: str, modifier: str) -> StringValue:
    """Read a text.

    Raises:
        Incorrect: nothing is left of it when case, accents and blanks do not count; or it is longer than a part of a
            text is looked for.
    """
    folded = fold(text)
    if not folded:
        raise Incorrect(f"`{name}` has no letter, digit or sign to search for.")
    if modifier == "contains" and len(folded) > MAX_CONTAINED:
        raise TooLarge(f"`{name}:contains` takes at most {MAX_CONTAINED} characters.")
    return StringValue(text)


def presence(name: str, text: str) -> PresenceValue:
    """Read the value of `:missing`.

    Raises:
        Incorrect: it is neither `true` nor `false`.
    """
    if text not in ("true", "false"):
        raise Incorrect(f"`{name}:missing` takes true or false.")
    return PresenceValue(text == "true")


def number(name: str, text: str) -> NumberValue:
    """Read a number with its prefix.

    The precision is what R4's examples say: `100` means [99.5, 100.5), `100.00` [99.995, 100.005), `1e2` [95, 105).

    Raises:
        Incorrect: it is no number, or one with more digits than any measurement has.
    """
    prefix, stated = _prefix(text)
    found = _NUMBER.fullmatch(stated)
    if not found or not number_is_right(stated.lstrip("+")):
        raise Incorrect(f"`{name}` takes a number such as 5.4, with one of the prefixes of R4 before it or none.")
    value = Decimal(stated)
    if prefix == "ap":
        return NumberValue(prefix, value, abs(value) / 10)  # what R4 recommends: a tenth of the value
    decimals, power = len(found[1] or ""), int(found[2] or 0)
    if found[2] and not decimals:
        decimals = 1  # R4's own example takes `1e2` for 1.0e2
    return NumberValue(prefix, value, Decimal(5).scaleb(power - decimals - 1))


def quantity(name: str, text: str) -> QuantityValue:
    """Read a quantity: http://hl7.org/fhir/R4/search.html#quantity.

    Raises:
        Incorrect: it is not of one of the three forms.
    """
    match [unescape(part) for part in split(text, "|")]:
        case [amount]:
            return QuantityValue(number(name, amount), None, None)
        case [amount, system, code] if code:
            return QuantityValue(number(name, amount), system or None, code)
    raise Incorrect(f"`{name}` takes `number`, `number|system|code` or `number||code`.")


def date(name: str, text: str, now: datetime | None) -> DateValue:
    """Read a date with its prefix.

    Args:
        name: the parameter, for the text of an error.
        text: as sent.
        now: the present, for the prefix `ap`; None: the clock.

    Raises:
        Incorrect: it is no date.
    """
    prefix, stated = _prefix(text.strip())
    try:
        interval = dates.parse(stated)
    except Incorrect:
        raise Incorrect(f"`{name}` is not a date: use YYYY, YYYY-MM, YYYY-MM-DD or a dateTime with zone.") from None
    starts, ends = Fraction(microseconds(interval.start)), Fraction(microseconds(interval.end))
    if finer := _FRACTION.search(stated):
        starts += Fraction(int(finer[1][6:]), 10 ** (len(finer[1]) - 6))
        ends = starts + Fraction(1, 10 ** (len(finer[1]) - 6))
    if prefix == "ap":
        # R4 recommends a tenth of the time between the date and now.
        margin = abs(microseconds(now or datetime.now(UTC)) - starts) / 10
        starts, ends = starts - margin, ends + margin
    return DateValue(prefix, starts, ends)


def reference(name: str, text: str, type_: str, base_url: str) -> ReferenceValue:
    """Read a reference.

    Args:
        name: the parameter, for the text of an error.
        text: an id, `Type/id` or an absolute URL, without escapes.
        type_: the type that the modifier names; empty for any.
        base_url: this server's base: what lies below it is its own.

    Raises:
        Incorrect: it is none of these, or of another type than the modifier says.
    """
    local = text.removeprefix(f"{base_url}/") if base_url else text
    if _ID.fullmatch(local):
        return ReferenceValue("", type_, local)
    found = references.parse(local)
    if not (found.type and found.id) or (type_ and found.type != type_):
        raise Incorrect(f"`{name}` takes an id, `Type/id` or an absolute URL of a resource.")
    return ReferenceValue(found.base, found.type, found.id)


def is_restful(text: str) -> bool:
    """Whether a URL names a resource of a FHIR server: `[base]/Type/id`."""
    found = references.parse(text)
    return bool(found.type and found.id)


def uri(text: str, *, versioned: bool) -> UriValue:
    """Read a URI, or a canonical `uri|version`: http://hl7.org/fhir/R4/references.html#canonical."""
    if versioned:
        address, _, version = text.partition("|")
        return UriValue(address, version)
    return UriValue(text)


def _prefix(text: str) -> tuple[str, str]:
    found = _PREFIXED.fullmatch(text)
    return (found[1] or "eq", found[2]) if found else ("eq", text)
