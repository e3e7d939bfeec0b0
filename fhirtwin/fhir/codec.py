"""JSON of FHIR: bytes to objects and back, with every digit of a decimal kept and every trap named.

msgspec parses; what it lets pass and FHIR does not is looked for in one walk over the result. Only when something is
wrong does `fhirtwin.fhir.json_faults` read the text again, slowly, to say where.

*Source*: http://hl7.org/fhir/R4/json.html, RFC 8259.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import json_faults
from fhirtwin.fhir.json_faults import MAX_DIGITS, number_is_right

ANY_DEPTH: Final = 1000
"""Of what is read again: it was within the limit when it came, whatever the limit is now."""

_LARGEST: Final = 10**MAX_DIGITS
"""Whole numbers nearer to zero are right without a closer look."""
_SURROGATE: Final = re.compile(rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]|(\\u[dD][89a-fA-F])")
"""An escaped backslash, a pair of surrogates or, as its group, half of a pair."""
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"([ \t\r\n]*:)?')
_NUL: Final = re.compile(rb"\\[^u]|(\\u0000)")
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def decode(data: bytes, *, max_depth: int = 64) -> dict[str, Any]:
    """Read one JSON object; numbers with a fraction or exponent become Decimal, whole ones int.

    Args:
        data: UTF-8 without a byte order mark.
        max_depth: deepest nesting of objects and arrays that is read; the outermost object counts as 1.

    Raises:
        Incorrect: not UTF-8, not JSON (NaN and Infinity are not), not an object, nested too deeply, a name twice in one
            object, the character U+0000, or a number beyond `json_faults.MAX_DIGITS` or `MAX_EXPONENT`. The text
            names the place, by byte or by path.
    """
    value = _value(data, max_depth)
    if type(value) is not dict:
        raise Incorrect("The body must be one JSON object.")
    return value


def reread(data: bytes) -> dict[str, Any]:
    """Read what is stored here, or was written here of that, however deeply it is nested.

    Raises:
        Incorrect: as for `decode`.
    """
    return decode(data, max_depth=ANY_DEPTH)


def decode_array(data: bytes, *, max_depth: int = 64) -> list[Any]:
    """Read one JSON array, such as a JSON Patch, as strictly as `decode` reads an object.

    Args:
        data: UTF-8 without a byte order mark.
        max_depth: deepest nesting that is read; the array counts as 1.

    Raises:
        Incorrect: not an array, or what `decode` refuses.
    """
    value = _value(data, max_depth)
    if type(value) is not list:
        raise Incorrect("The body must be one JSON array.")
    return value


def _value(data: bytes, max_depth: int) -> Any:
    try:
        value = _decoder.decode(data)
    except RecursionError:
        raise _located(data, max_depth, json_faults.TOO_DEEP) from None
    except msgspec.ValidationError:
        raise _located(data, max_depth, json_faults.BAD_NUMBER) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Incorrect(_broken(data, str(error))) from None
    wrong = _wrong(value, data, max_depth)
    if wrong:
        raise _located(data, max_depth, wrong)
    return value


def encode(value: Any) -> bytes:
    """Write JSON in UTF-8 without white space, with every digit of a Decimal: `0.010`, `1E+2`."""
    return _encoder.encode(value)


def _number(text: str) -> Decimal:
    short = len(text) <= MAX_DIGITS and "e" not in text and "E" not in text
    if not short and not number_is_right(text):
        raise ValueError(json_faults.BAD_NUMBER)
    return Decimal(text)


_decoder: Final = msgspec.json.Decoder(float_hook=_number)


def _wrong(value: Any, data: bytes, max_depth: int) -> str:
    """Tell what FHIR forbids in JSON that parsed, or nothing."""
    try:
        members = _count_members(value, max_depth)
    except ValueError as error:
        return str(error)
    if not _is_all_of(data, value, members):
        return json_faults.TWICE
    if b"\\u0000" in data and any(_NUL.findall(data)):
        return json_faults.NUL
    return ""


def _is_all_of(data: bytes, value: Any, members: int) -> bool:
    r"""Tell whether every member of a text is in what was parsed: of two with one name the parser drops the first.

    What is the same when written again has all. Else, minified, every member has its `":`, and a string may hold one
    too (as `\\":`): equal numbers leave no room for another member. Unequal ones decide nothing yet.
    """
    again = encode(value)
    if again == data:
        return True
    close = msgspec.json.format(data, indent=-1)
    return again == close or members == close.count(b'":') or members == sum(map(bool, _STRING.findall(data)))


def _count_members(value: Any, max_depth: int) -> int:
    """Count the members of all objects, level by level.

    Raises:
        ValueError: too many levels, or a whole number too large; with the text that says so.
    """
    members = depth = 0
    level = [value] if isinstance(value, dict | list) else []
    while level:
        depth += 1
        if depth > max_depth:
            raise ValueError(json_faults.TOO_DEEP)
        deeper: list[Any] = []
        for container in level:
            values: Iterable[Any] = container
            if type(container) is dict:
                members += len(container)
                values = container.values()
            for item in values:
                kind = type(item)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    deeper.append(item)
                elif kind is int and not -_LARGEST < item < _LARGEST and not number_is_right(str(item)):
                    raise ValueError(json_faults.BAD_NUMBER)
        level = deeper
    return members


def _located(data: bytes, max_depth: int, wrong: str) -> Incorrect:
    fault = json_faults.find(data.decode(), max_depth)
    if fault is None:
        return Incorrect(f"{wrong} It stands beyond the first {json_faults.MAX_READ} values.")
    return Incorrect(f"{fault.text} It stands at {fault.place}.", expression=fault.place)


def _first_bad_byte(data: bytes) -> int | None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _broken(data: bytes, reason: str) -> str:
    """Put msgspec's finding (a reason and a byte number, never content) into words of ours."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "The body begins with a byte order mark; send UTF-8 without one."
    if (bad := _first_bad_byte(data)) is not None:
        return f"The body is not UTF-8 (byte {bad})."
    if not data.strip():
        return "The body is empty; send one JSON object."
    for found in _SURROGATE.finditer(data):
        if found[1]:
            return f"The body is not JSON: half of a surrogate pair stands alone (byte {found.start()})."
    if reason == "Input data was truncated":
        return f"The body is not JSON: it ends too early (byte {len(data)})."
    return f"The body is not JSON: {reason.removeprefix('JSON is malformed: ')}."
