"""One value of a search against one row of the index: for each kind of value the table, the columns and the test.

*Source*: http://hl7.org/fhir/R4/search.html#prefix and the section of each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, inf
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, false, not_, or_, true

from fhirtwin.fhir.search.folding import fold
from fhirtwin.fhir.search.parameters import SearchParameter
from fhirtwin.fhir.search.values import (
    CodesValue,
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    TypedValue,
    UriValue,
    Value,
)
from fhirtwin.store.index import kept, token_code
from fhirtwin.store.search.clauses import Binds
from fhirtwin.store.search_tables import (
    MAX_TEXT,
    search_date,
    search_number,
    search_quantity,
    search_reference,
    search_string,
    search_token,
    search_uri,
)
from fhirtwin.terms import ucum

Columns = Callable[[str], ColumnElement[Any]]
"""The columns of an index row by name; where a row is checked and not found, in a form that no index is made for."""

_LAST_CHARACTER: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test of one index row.

    Attributes:
        table: where the row is.
        key: tells what SQL this becomes, the values aside.
        bound: the values, in the order in which `build` takes placeholders.
        build: makes the SQL.
        second: whether rows of the second reading are asked (`-parameter`) instead of those of the first; None: both.
    """

    table: Table
    key: Hashable
    bound: tuple[Any, ...]
    build: Callable[[Columns, Binds], ColumnElement[bool]]
    second: bool | None = False


def compare(parameter: SearchParameter, modifier: str, value: Value) -> Comparison:
    """How a value is compared with the rows of a parameter."""
    match value:
        case TokenValue():
            return _token(parameter, value)
        case TypedValue():
            return _typed(parameter, value)
        case CodesValue():
            return _codes(parameter, value)
        case StringValue():
            return _string(value.text, modifier)
        case DateValue():
            return _date(value)
        case NumberValue():
            return _number(value)
        case QuantityValue():
            return _quantity(value)
        case ReferenceValue():
            return _reference(parameter, value)
        case UriValue():
            return _uri(value, modifier)
    raise AssertionError(f"a {type(value).__name__} is not compared with one row")


def _equal(table: Table, bound: dict[str, Any], second: bool | None = False) -> Comparison:
    """All these columns have these values."""
    names = tuple(bound)
    return Comparison(
        table,
        ("equal", names),
        tuple(bound.values()),
        lambda columns, binds: and_(*(columns(name) == binds.one() for name in names)),
        second,
    )


def _token(parameter: SearchParameter, value: TokenValue) -> Comparison:
    bound = {}
    if value.code is not None:
        bound["code"] = token_code(value.code, parameter)
    # The row of a `code` element has the system that its binding implies; `|code` asks for it as well.
    if value.system is not None and not (value.system == "" and parameter.implied_system):
        bound["system"] = kept(value.system)
    return _equal(search_token, bound)


def _typed(parameter: SearchParameter, value: TypedValue) -> Comparison:
    bound = {"code": token_code(value.value, parameter), "system": kept(f"{value.system}|{value.code}")}
    return _equal(search_token, bound, second=True)


def _codes(parameter: SearchParameter, value: CodesValue) -> Comparison:
    codes = sorted({token_code(code, parameter) for code in value.codes})
    return Comparison(
        search_token,
        "codes",
        (kept(value.system), codes),
        lambda columns, binds: and_(columns("system") == binds.one(), columns("code").in_(binds.many())),
    )


def _string(text: str, modifier: str) -> Comparison:
    folded = fold(text)[:MAX_TEXT]
    if modifier == "exact":
        # The folded form is what the index is sorted by.
        return _equal(search_string, {"folded": folded, "exact": kept(text)})
    if modifier == "contains":
        escaped = folded.replace("/", "//").replace("%", "/%").replace("_", "/_")
        return Comparison(
            search_string,
            "contains",
            (f"%{escaped}%",),
            lambda columns, binds: columns("folded").like(binds.one(), escape="/"),
            second=None,
        )
    return _begins(search_string, "folded", folded)


def _begins(table: Table, name: str, text: str) -> Comparison:
    return Comparison(
        table,
        ("begins", name),
        (text, text + _LAST_CHARACTER),
        lambda columns, binds: columns(name).between(binds.one(), binds.one()),
    )


def _date(value: DateValue) -> Comparison:
    return Comparison(
        search_date,
        ("date", value.prefix),
        interval_bounds(value),
        lambda columns, binds: interval_test(value.prefix, columns, binds),
    )


def interval_bounds(value: DateValue) -> tuple[int, ...]:
    """What the whole microseconds of an interval are compared with, in the order of `interval_test`.

    A stored fraction finer than a microsecond is cut off; so where equality is asked for, what is asked is widened to
    whole microseconds. All other tests are exact.
    """
    starts, ends = value.starts, value.ends
    match value.prefix:
        case "eq" | "ne":
            return floor(starts), ceil(ends)
        case "gt":
            return (floor(ends),)
        case "lt":
            return (ceil(starts),)
        case "ge":
            return floor(ends), ceil(starts), floor(ends)
        case "le":
            return ceil(starts), ceil(starts), floor(ends)
        case "sa":
            return (ceil(ends),)
        case "eb":
            return (floor(starts),)
        case _:
            return ceil(ends), floor(starts)


def interval_test(prefix: str, columns: Columns, binds: Binds) -> ColumnElement[bool]:
    """Compare the interval [starts, ends) of a row as the prefix says.

    `eq`: the range of the search value holds the whole range of the target; `gt`, `lt`: the range above, below the
    search value meets the target; `sa`, `eb`: the target lies wholly above, below; `ap`: the ranges overlap, the search
    value's having been widened.
    """
    return _DATES[prefix](columns, binds)


def _within(columns: Columns, binds: Binds) -> ColumnElement[bool]:
    return and_(columns("starts") >= binds.one(), columns("ends") <= binds.one())


_DATES: Final[dict[str, Callable[[Columns, Binds], ColumnElement[bool]]]] = {
    "eq": _within,
    "ne": lambda columns, binds: not_(_within(columns, binds)),
    "gt": lambda columns, binds: columns("ends") > binds.one(),
    "lt": lambda columns, binds: columns("starts") < binds.one(),
    "ge": lambda columns, binds: or_(columns("ends") > binds.one(), _within(columns, binds)),
    "le": lambda columns, binds: or_(columns("starts") < binds.one(), _within(columns, binds)),
    "sa": lambda columns, binds: columns("starts") >= binds.one(),
    "eb": lambda columns, binds: columns("ends") <= binds.one(),
    "ap": lambda columns, binds: and_(columns("starts") < binds.one(), columns("ends") > binds.one()),
}


def _number(value: NumberValue) -> Comparison:
    return Comparison(
        search_number,
        ("number", value.prefix),
        _edges(value, Fraction),
        lambda columns, binds: _NUMBERS[value.prefix](columns("low"), columns("high"), binds),
    )


def _edges(value: NumberValue, into_base: Callable[[Decimal], Fraction]) -> tuple[float, ...]:
    """What low and high are compared with; equality takes the precision of the number as written into account."""
    if value.prefix in ("eq", "ne", "ap"):
        return tuple(_double(into_base(edge)) for edge in (value.number - value.half, value.number + value.half))
    return (_double(into_base(value.number)),)


def _double(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return inf if exact > 0 else -inf


_Numbers = Callable[[ColumnElement[Any], ColumnElement[Any], Binds], ColumnElement[bool]]

_NUMBERS: Final[dict[str, _Numbers]] = {
    "eq": lambda low, high, binds: and_(low >= binds.one(), high < binds.one()),
    "ne": lambda low, high, binds: not_(and_(low >= binds.one(), high < binds.one())),
    "gt": lambda _low, high, binds: high > binds.one(),
    "lt": lambda low, _high, binds: low < binds.one(),
    "ge": lambda _low, high, binds: high >= binds.one(),
    "le": lambda low, _high, binds: low <= binds.one(),
    "sa": lambda low, _high, binds: low > binds.one(),
    "eb": lambda _low, high, binds: high < binds.one(),
    "ap": lambda low, high, binds: and_(high >= binds.one(), low <= binds.one()),
}


def _quantity(value: QuantityValue) -> Comparison:
    """Compare quantities: in base units where the unit is one of UCUM, else by system and code, or by code or unit."""
    prefix = value.number.prefix
    unit = ucum.canonical(value.code) if value.code and value.system == ucum.SYSTEM else None
    edges = _edges(value.number, unit.into_base if unit else Fraction)
    bounds = ("canonical_low", "canonical_high") if unit else ("low", "high")
    of_unit: tuple[str, ...] = ()
    if unit:
        of_unit = (unit.base,)
    elif value.code:
        of_unit = (kept(value.system), kept(value.code)) if value.system else (kept(value.code),) * 2
    unit_test = _UNITS["canonical" if unit else "code" if value.system else "unit" if value.code else "any"]
    return Comparison(
        search_quantity,
        ("quantity", prefix, bounds, unit_test.__name__),
        (*edges, *of_unit),
        lambda columns, binds: and_(
            _NUMBERS[prefix](columns(bounds[0]), columns(bounds[1]), binds), unit_test(columns, binds)
        ),
    )


def _any_unit(_columns: Columns, _binds: Binds) -> ColumnElement[bool]:
    return true()


def _same_unit(columns: Columns, binds: Binds) -> ColumnElement[bool]:
    return or_(columns("code") == binds.one(), columns("unit") == binds.one())


def _same_code(columns: Columns, binds: Binds) -> ColumnElement[bool]:
    return and_(columns("system") == binds.one(), columns("code") == binds.one())


def _same_base(columns: Columns, binds: Binds) -> ColumnElement[bool]:
    return columns("canonical") == binds.one()


_UNITS: Final = {"any": _any_unit, "unit": _same_unit, "code": _same_code, "canonical": _same_base}


def _reference(parameter: SearchParameter, value: ReferenceValue) -> Comparison:
    bound = {"target_id": value.id, "target_base": kept(value.base)}
    # Where a parameter has one type of target, an id alone says it all, and the index is met in one place.
    type_ = value.type or (next(iter(parameter.targets)) if len(parameter.targets) == 1 else "")
    if type_:
        bound["target_type"] = type_
    return _equal(search_reference, bound)


def _uri(value: UriValue, modifier: str) -> Comparison:
    """Compare URIs; `:above` and `:below` are for URLs, which have a hierarchy, and not for URNs, which have none."""
    if modifier == "below":
        return _begins(search_uri, "uri", value.uri[:MAX_TEXT]) if _is_url(value.uri) else _NOTHING
    if modifier == "above":
        return _among(search_uri, "uri", [kept(uri) for uri in _and_above(value.uri)])
    bound = {"uri": kept(value.uri)}
    if value.version:
        bound["version"] = kept(value.version)
    return _equal(search_uri, bound)


def _is_url(text: str) -> bool:
    return not text.lower().startswith("urn")


def _and_above(url: str) -> list[str]:
    """A URL and all that it lies below: `http://a/b/c`, `http://a/b`, `http://a`, with and without a slash behind."""
    scheme, found, rest = url.partition("://")
    if not found or not _is_url(scheme):
        return []
    parts = rest.rstrip("/").split("/")[:_MAX_LEVELS]
    above = [f"{scheme}://{'/'.join(parts[:length])}" for length in range(1, len(parts) + 1)]
    return sorted({url, *above, *(f"{one}/" for one in above)})


def _among(table: Table, name: str, values: list[str]) -> Comparison:
    return Comparison(table, ("among", name), (values,), lambda columns, binds: columns(name).in_(binds.many()))


_MAX_LEVELS: Final = 50
_NOTHING: Final = Comparison(search_uri, "nothing", (), lambda _columns, _binds: false())
