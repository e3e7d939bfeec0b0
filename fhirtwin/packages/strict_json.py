"""JSON as packages have it: small, without duplicate names, without numbers that are none, of a declared form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import Any, Never, TypeVar

import msgspec

from fhirtwin.errors import Incorrect
from fhirtwin.files import read_file
from fhirtwin.packages.forms.form import PATTERNS

_DEEPEST = 16
_LONGEST_NUMBER = 40

Form = TypeVar("Form")


def read(data: bytes, form: type[Form], name: str) -> Form:
    """Read JSON of a form.

    Args:
        data: the bytes of the file.
        form: what it must be.
        name: of the file, for errors.

    Raises:
        Incorrect: it is not exactly that; the text names file and place.
    """
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_no_number,
        )
        _refuse_depth(found, 0)
        return msgspec.convert(found, form)
    except msgspec.ValidationError as error:
        raise Incorrect(f"{name}: {_in_words(str(error))}.") from None
    except (ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, _WrongValue) else "not JSON in UTF-8"
        raise Incorrect(f"{name}: {told}.") from None


def of_file(path: Path, form: type[Form], longest: int) -> Form:
    """Read the JSON of a file that somebody names; errors have its whole path.

    Raises:
        Incorrect: it is not there, has more than `longest` bytes, or is not exactly of the form.
    """
    return read(read_file(path, longest), form, str(path))


def write(value: Any) -> bytes:
    """Write JSON for people to read, in an order that does not change."""
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"


def write_lines(name: str, values: Iterable[Any]) -> bytes:
    """Write an object of one member, a list, with a line for each element."""
    lines = (msgspec.json.encode(value, order="deterministic") for value in values)
    return msgspec.json.encode(name).join((b"{", b": [\n")) + b",\n".join(lines) + b"\n]}\n"


def _in_words(error: str) -> str:
    """What is wrong, with words in the place of a pattern that is known."""
    for pattern, words in PATTERNS.items():
        error = error.replace(f"`str` matching regex {pattern!r}", words)
    return error


class _WrongValue(ValueError):
    pass


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _WrongValue("an object has two members of one name")
    return members


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number) or len(text) > _LONGEST_NUMBER:
        raise _WrongValue("a number is too large or too long")
    return number


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _WrongValue("a number is too large or too long")
    return int(text)


def _no_number(text: str) -> Never:
    raise _WrongValue(f"{text} is no number of JSON")


def _refuse_depth(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise _WrongValue("it is nested too deeply")
    if isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            _refuse_depth(part, depth + 1)
