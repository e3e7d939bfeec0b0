"""The primitive types of R4: one check each, compiled from the table.

A check takes a JSON value and the object it stands in, and answers None or what is wrong.

*Source*: http://hl7.org/fhir/R4/datatypes.html#primitive.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from fhirtwin.fhir.tables import PRIMITIVES

Finding = tuple[str, str, str]
"""Place relative to the value, FHIR issue type, text."""
Findings = list[Finding] | None
MAX_ISSUES: Final = 100
"""Most issues told of one resource. Judging stops soon after, so a body full of mistakes costs no more than another."""
Check = Callable[[Any, Mapping[str, Any]], Findings]

_EXPECTED: Final = {
    "base64Binary": "base64 text",
    "boolean": "true or false, without quotes",
    "canonical": "a canonical URL, without spaces",
    "code": "a code: text without whitespace other than single spaces within",
    "date": "a date: YYYY, YYYY-MM or YYYY-MM-DD, of a day that exists",
    "dateTime": "a dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone, of a day that exists",
    "decimal": "a number, without quotes",
    "id": "an id: 1 to 64 of A-Z a-z 0-9 - and .",
    "instant": "an instant: YYYY-MM-DDThh:mm:ss with a time zone, of a day that exists",
    "integer": "a whole number from -2147483648 to 2147483647, without quotes or a fraction",
    "markdown": "Markdown text that is not empty, at most 1048576 characters",
    "oid": "an OID: urn:oid:1.2.3",
    "positiveInt": "a whole number from 1 to 2147483647, without quotes or a fraction",
    "string": "text that is not empty, at most 1048576 characters",
    "time": "a time: hh:mm:ss",
    "unsignedInt": "a whole number from 0 to 2147483647, without quotes or a fraction",
    "uri": "a URI, not empty and without spaces",
    "url": "a URL, not empty and without spaces",
    "uuid": "a UUID: urn:uuid: and 32 small hexadecimal digits, grouped by hyphens",
    "xhtml": "XHTML text that is not empty",
}

_SAME_LANGUAGE: Final = {
    "[ \\r\\n\\t\\S]+": "[^\\x0b\\x0c]+",
    "\\S*": "\\S+",
    "": "(?s:.+)",
}
"""Published patterns, and what is matched in their place: the same language, faster, but for the empty text, which no
primitive may be (http://hl7.org/fhir/R4/json.html#primitive)."""

_AS_WORDED: Final = {"[^\\s]+(\\s[^\\s]+)*": "[^\\s]+( [^\\s]+)*"}
"""The published pattern of a code, and what R4 says beside it: no whitespace other than single spaces."""

SPACED: Final = frozenset({"string", "markdown"})
SPACELESS: Final = frozenset({"canonical", "code", "uri", "url"})
"""With those before, the kinds whose patterns forbid no printable character, or of these the space alone."""

LONGEST_TEXT: Final = PRIMITIVES["string"].max_length or 0
"""Characters. R4 publishes it once, on string; code, id and markdown are strings."""

_SPACE: Final = re.compile(r"\s+", re.ASCII)
_JSON_TYPES: Final = {"string": (str,), "boolean": (bool,), "integer": (int,), "decimal": (int, Decimal)}
_DATED: Final = frozenset({"date", "dateTime", "instant"})


def wrong(kind: str, value: Any) -> Findings:
    """State what was expected of a primitive; `structure` when the JSON type is wrong, `value` when the content is."""
    if value is None:
        return [("", "structure", "A null stands only in an array, beside an extension of the same position.")]
    if isinstance(value, dict | list):
        return [("", "structure", f"Expected {_EXPECTED[kind]}; not an object or array.")]
    right = type(value) in _JSON_TYPES[PRIMITIVES[kind].json]
    return [("", "value" if right else "structure", f"Expected {_EXPECTED[kind]}.")]


def _boolean(value: Any, _: Mapping[str, Any]) -> Findings:
    return None if value is True or value is False else wrong("boolean", value)


def _decimal(value: Any, _: Mapping[str, Any]) -> Findings:
    return None if type(value) is Decimal or type(value) is int else wrong("decimal", value)


def _whole(kind: str) -> Check:
    low, high = PRIMITIVES[kind].min, PRIMITIVES[kind].max

    def check(value: Any, _: Mapping[str, Any]) -> Findings:
        return None if type(value) is int and low <= value <= high else wrong(kind, value)

    return check


def _text(kind: str) -> Check:
    primitive = PRIMITIVES[kind]
    # Java's \s, which the published patterns are written for, is the ASCII one.
    pattern = (_SAME_LANGUAGE | _AS_WORDED).get(primitive.regex, primitive.regex)
    matches = re.compile(pattern, re.ASCII).fullmatch
    longest = LONGEST_TEXT if kind in ("string", "markdown", "code", "id") else 1 << 62

    quick, spaces = kind in SPACED | SPACELESS, kind in SPACED

    def check(value: Any, _: Mapping[str, Any]) -> Findings:
        if type(value) is str and 0 < len(value) <= longest:
            # Looked at first, since it takes a tenth of the time: of what is printable no pattern forbids but spaces.
            if quick and value.isprintable() and (spaces or " " not in value):
                return None
            if matches(value):
                return None
        return wrong(kind, value)

    return check


def _dated(kind: str) -> Check:
    matches = re.compile(PRIMITIVES[kind].regex, re.ASCII).fullmatch

    def check(value: Any, _: Mapping[str, Any]) -> Findings:
        # The pattern lets every month have 31 days; only the 29th and later need the calendar.
        if type(value) is str and matches(value) and (value[8:10] < "29" or _is_day(value[:10])):
            return None
        return wrong(kind, value)

    return check


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _base64(value: Any, _: Mapping[str, Any]) -> Findings:
    # Not by the published pattern: it needs exponential time on some texts, and lets padding stand anywhere.
    if type(value) is not str:
        return wrong("base64Binary", value)
    try:
        content = binascii.a2b_base64(_SPACE.sub("", value), strict_mode=True)
    except ValueError:
        return wrong("base64Binary", value)
    return None if content else wrong("base64Binary", value)


def _check(kind: str) -> Check:
    if kind in _DATED:
        return _dated(kind)
    by_name: dict[str, Check] = {"boolean": _boolean, "decimal": _decimal, "base64Binary": _base64}
    return by_name.get(kind) or (_whole if PRIMITIVES[kind].json == "integer" else _text)(kind)


CHECKS: Final = {kind: _check(kind) for kind in PRIMITIVES}
"""The check of each primitive type."""
