"""UCUM units become multiples of base units, so that quantities in different units can be compared: 1 g is 1000 mg.

Exact: factors are fractions. What is no multiple of base units (pH, bel, ...) or no UCUM at all is not known here, and
is compared by its code alone. Degrees of temperature are known where they stand alone.

*Source*: https://ucum.org/ucum, sections 2 (grammar) and 4 (tables); the units are those of `ucum.json`, made by
`fhirtwin.terms.compile_ucum`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

SYSTEM: Final = "http://unitsofmeasure.org"

MAX_LENGTH: Final = 80
"""Longest unit that is read, in characters; the longest of the published examples has about 30."""
_MAX_EXPONENT: Final = 30


@dataclass(frozen=True, slots=True)
class Unit:
    """How a unit relates to base units: in base units, a value is value × times + plus.

    Attributes:
        base: the product of powers of base units (`g.m-3`), the same text for all units that can be compared; `1` for
            a number alone.
    """

    base: str
    times: Fraction
    plus: Fraction = Fraction(0)

    def into_base(self, value: Decimal | Fraction) -> Fraction:
        """Give a value of this unit in base units."""
        return Fraction(value) * self.times + self.plus


def canonical(code: str) -> Unit | None:
    """Read a unit, case counting (`mg/dL`, `10*9/L`, `mm[Hg]`, `{beats}/min`).

    Returns:
        The unit; None for what is not UCUM, or is no multiple of base units.
    """
    return _canonical(code) if 0 < len(code) <= MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _canonical(code: str) -> Unit | None:
    if code in _TEMPERATURES:
        return _TEMPERATURES[code]
    try:
        times, powers = _Reader(code).whole()
    except (_Unknown, ZeroDivisionError):
        return None
    return Unit(
        ".".join(f"{symbol}{'' if power == 1 else power}" for symbol, power in sorted(powers.items())) or "1", times
    )


class _Unknown(Exception):
    """The text is no unit that can be expressed in base units."""


class _Table(msgspec.Struct, frozen=True):
    prefixes: dict[str, str]
    units: dict[str, str]


_Powers = Mapping[str, int]
_Product = tuple[Fraction, _Powers]

_ONE: Final[_Product] = (Fraction(1), MappingProxyType({}))
_ANNOTATION: Final = re.compile(r"\{[!-z|~]*\}")
_NUMBER: Final = re.compile(r"[0-9]+")
_TEN: Final = re.compile(r"10[*^](?P<power>[+-]?[0-9]+)?")
_SIMPLE: Final = re.compile(r"(?P<symbol>(?:\[[^\[\]{}]*\]|[^\[\]{}()./0-9+\-\s])+)(?P<power>[+-]?[0-9]+)?")
_TEMPERATURES: Final = {
    "Cel": Unit("K", Fraction(1), Fraction("273.15")),
    "[degF]": Unit("K", Fraction(5, 9), Fraction("459.67") * 5 / 9),
    "[degRe]": Unit("K", Fraction(5, 4), Fraction("273.15")),
}
"""Scales with a zero of their own (https://ucum.org/ucum#para-special-units)."""


class _Reader:
    """Reads one unit from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def whole(self) -> _Product:
        product = self._term()
        if self._place != len(self._text):
            raise _Unknown
        return product

    def _term(self) -> _Product:
        """Read a product of components; a slash divides by the one component after it."""
        product = _ONE if self._next() == "/" else self._component()
        while self._next() in (".", "/"):
            sign = 1 if self._text[self._place] == "." else -1
            self._place += 1
            product = _multiplied(product, self._component(), sign)
        return product

    def _component(self) -> _Product:
        if self._next() == "(":
            self._place += 1
            product = self._term()
            if self._next() != ")":
                raise _Unknown
            self._place += 1
        elif self._taken(_ANNOTATION):
            return _ONE
        else:
            product = self._unit()
        self._taken(_ANNOTATION)
        return product

    def _unit(self) -> _Product:
        ten = self._taken(_TEN)
        if ten:
            return Fraction(10) ** _power(ten["power"]), {}
        number = self._taken(_NUMBER)
        if number:
            return Fraction(int(number[0])), {}
        simple = self._taken(_SIMPLE)
        if not simple:
            raise _Unknown
        times, powers = _symbol(simple["symbol"])
        power = _power(simple["power"])
        return times**power, {symbol: count * power for symbol, count in powers.items() if power}

    def _next(self) -> str:
        return self._text[self._place : self._place + 1]

    def _taken(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._place)
        if found:
            self._place = found.end()
        return found


def _power(text: str | None) -> int:
    power = int(text) if text and len(text) <= 3 else 1 if not text else _MAX_EXPONENT + 1
    if abs(power) > _MAX_EXPONENT:
        raise _Unknown
    return power


def _multiplied(one: _Product, other: _Product, sign: int) -> _Product:
    powers = dict(one[1])
    for symbol, count in other[1].items():
        powers[symbol] = powers.get(symbol, 0) + sign * count
        if not powers[symbol]:
            del powers[symbol]
    return one[0] * other[0] ** sign, powers


@cache
def _table() -> _Table:
    return msgspec.json.decode(Path(__file__).with_name("ucum.json").read_bytes(), type=_Table)


@lru_cache(maxsize=4096)
def _symbol(symbol: str) -> _Product:
    """Express a unit in base units, or a metric unit with a prefix."""
    table = _table()
    if symbol in table.units:
        return _defined(symbol, table.units[symbol].removeprefix("metric "))
    for length in (1, 2):
        prefix, rest = symbol[:length], symbol[length:]
        row = table.units.get(rest, "")
        if prefix in table.prefixes and row.startswith("metric "):
            times, powers = _defined(rest, row.removeprefix("metric "))
            return times * Fraction(table.prefixes[prefix]), powers
    raise _Unknown


def _defined(symbol: str, row: str) -> _Product:
    if row in ("base", "arbitrary"):
        return Fraction(1), {symbol: 1}
    if row == "special":
        raise _Unknown
    value, _, unit = row.partition(" ")
    times, powers = _Reader(unit).whole()
    return Fraction(value) * times, powers
