"""Reads well-formed JSON again, slowly, to say what is wrong with it and where.

`fhirtwin.fhir.codec` comes here only with text that a parser accepted and that it knows to be wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Final

from fhirtwin.fhir.tables import RESOURCE_TYPES

MAX_DIGITS: Final = 18
"""Most significant digits of a number, zeros at either end not counted; no measurement has more."""
MAX_WRITTEN: Final = 40
"""Most digits as written, the exponent's aside."""
MAX_EXPONENT: Final = 308
"""Greatest power of ten of the first and of the last digit, up and down: what a double holds, and R4's own examples
need 245. Without a limit `int(Decimal("1e2000000"))` takes minutes."""

MAX_READ: Final = 500_000
"""Symbols read in search of a place, about half a second of work: a long body full of mistakes must not buy more."""

TOO_DEEP: Final = "The JSON is nested too deeply."
TWICE: Final = "The same member stands twice in one object."
NUL: Final = "The character U+0000 is not allowed in FHIR."
BAD_NUMBER: Final = (
    f"The number has more than {MAX_DIGITS} significant digits, is written with more than {MAX_WRITTEN}, or reaches "
    f"beyond ten to the power of {MAX_EXPONENT} up or down."
)

_TOKEN: Final = re.compile(r'[{}\[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\],:"]+')
_NUMBER: Final = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the place: `Patient.name[0].given`, or `Resource.name` when the type stands farther down."""

    text: str
    place: str


@dataclass(slots=True)
class _Container:
    is_object: bool
    name: str = ""
    number: int = 0
    expects_name: bool = True
    names: set[str] = field(default_factory=set)


def number_is_right(text: str) -> bool:
    """Tell whether a JSON number keeps within `MAX_DIGITS`, `MAX_WRITTEN` and `MAX_EXPONENT`, without computing it."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return False
    whole, fraction, exponent = found.groups(default="")
    digits = whole + fraction
    if len(digits) > MAX_WRITTEN or len(digits.strip("0")) > MAX_DIGITS or len(exponent.lstrip("+-0")) > 3:
        return False
    value = Decimal(text)
    return int(value.as_tuple().exponent) >= -MAX_EXPONENT and (not value or value.adjusted() <= MAX_EXPONENT)


def find(text: str, max_depth: int) -> Fault | None:
    """Find the first fault that `fhirtwin.fhir.codec.decode` promises to refuse.

    Args:
        text: well-formed JSON.
        max_depth: deepest nesting allowed.

    Returns:
        The fault, or None when there is none among the first `MAX_READ` symbols.
    """
    return _Reader(max_depth).read(text)


class _Reader:
    def __init__(self, max_depth: int) -> None:
        self.max_depth = max_depth
        self.stack: list[_Container] = []
        self.root = "Resource"

    def read(self, text: str) -> Fault | None:
        for match in islice(_TOKEN.finditer(text), MAX_READ):
            symbol = match.group()
            wrong = self.structure(symbol) if symbol in "{}[],:" else self.scalar(symbol)
            if wrong:
                return Fault(wrong, self.place())
        return None

    def structure(self, symbol: str) -> str:
        if symbol in "{[":
            if len(self.stack) == self.max_depth:
                return f"{TOO_DEEP[:-1]}: deeper than {self.max_depth} levels."
            self.stack.append(_Container(symbol == "{"))
        elif symbol in "}]":
            self.stack.pop()
        else:
            self.stack[-1].expects_name = symbol == ","
            self.stack[-1].number += symbol == ","
        return ""

    def scalar(self, symbol: str) -> str:
        top = self.stack[-1] if self.stack else None
        if symbol[0] != '"':
            is_number = symbol not in ("true", "false", "null")
            return BAD_NUMBER if is_number and not number_is_right(symbol) else ""
        content: str = json.loads(symbol) if "\\" in symbol else symbol[1:-1]
        if "\0" in content:
            return NUL
        if top is not None and top.is_object and top.expects_name:
            top.name = content
            if content in top.names:
                return TWICE
            top.names.add(content)
        elif len(self.stack) == 1 and top is not None and top.name == "resourceType" and content in RESOURCE_TYPES:
            self.root = content
        return ""

    def place(self) -> str:
        """Spell the path; a name that is no FHIR name may hold anything, so it is not repeated."""
        parts = [self.root]
        for container in self.stack:
            if container.is_object:
                parts.append("." + (container.name if _NAME.fullmatch(container.name) else "?"))
            else:
                parts.append(f"[{container.number}]")
        return "".join(parts)
