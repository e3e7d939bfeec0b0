"""One parameter of a search, against the index rows of a resource.

A condition either *finds* resources by value, or *checks* resources that something else found. A resource has few rows,
a value may have very many, and no database knows which: a patient has few resources and a code has many, so the search
decides, and checks are written so that they can only go by the resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, Table, or_, select

from fhirtwin.fhir.search.parameters import Kind, SearchParameter
from fhirtwin.fhir.search.query import Chain, Condition, Criterion
from fhirtwin.fhir.search.values import CompositeValue, DateValue, PresenceValue, TokenValue, Value
from fhirtwin.store.schema import resource
from fhirtwin.store.search.clauses import Binds, Clause, every, opposite, some
from fhirtwin.store.search.comparing import Columns, Comparison, compare, interval_bounds, interval_test
from fhirtwin.store.search_tables import (
    search_date,
    search_number,
    search_quantity,
    search_reference,
    search_string,
    search_token,
    search_uri,
)

TABLES: Final[dict[Kind, Table]] = {
    Kind.NUMBER: search_number,
    Kind.DATE: search_date,
    Kind.STRING: search_string,
    Kind.TOKEN: search_token,
    Kind.REFERENCE: search_reference,
    Kind.QUANTITY: search_quantity,
    Kind.URI: search_uri,
}

_NEGATED: Final = {"not": "", "not-in": "in"}
_LAST_TO_FIND: Final = 99
_CHECKS_ONLY: Final = 100
_RANKS: Final = {
    Kind.REFERENCE: 1,
    Kind.URI: 3,
    Kind.COMPOSITE: 4,
    Kind.TOKEN: 5,
    Kind.STRING: 6,
    Kind.QUANTITY: 7,
    Kind.NUMBER: 8,
    Kind.DATE: 9,
}
_MILLISECOND: Final = 1000


def finding(criterion: Criterion) -> int:
    """How well a criterion narrows a search: the least of several is the one to find by."""
    if not isinstance(criterion, Condition):
        return 2 if isinstance(criterion, Chain) else 3
    parameter = criterion.parameter
    if criterion.modifier in _NEGATED or criterion.modifier == "missing":
        return _CHECKS_ONLY
    if parameter.name == "_id":
        return 0
    if parameter.name == "identifier":
        return 2
    return _LAST_TO_FIND if parameter.name == "_lastUpdated" else _RANKS[parameter.kind]


def can_find(criterion: Criterion) -> bool:
    """Whether resources can be found by a criterion at all."""
    return finding(criterion) < _CHECKS_ONLY


def condition(asked: Condition, *, finds: bool) -> Clause:
    """One parameter as a clause."""
    if asked.modifier in _NEGATED:
        meant = Condition(asked.parameter, _NEGATED[asked.modifier], asked.values)
        return opposite(condition(meant, finds=False))
    if asked.parameter.name == "_id":
        return _ids(asked.parameter, asked.values, finds=finds)
    if asked.parameter.name == "_lastUpdated":
        dates = (value for value in asked.values if isinstance(value, DateValue))
        return some(_last_updated(asked.parameter, date, finds=finds) for date in dates)
    if asked.modifier == "missing":
        return some(_presence(asked.parameter, value) for value in asked.values if isinstance(value, PresenceValue))
    if asked.parameter.kind is Kind.COMPOSITE:
        return some(
            _composite(asked.parameter, value, finds=finds)
            for value in asked.values
            if isinstance(value, CompositeValue)
        )
    comparisons = [compare(asked.parameter, asked.modifier, value) for value in asked.values]
    # Rows of one table are looked for together: `code=a,b` is one look, whatever the number of values.
    together = sorted(comparisons, key=lambda one: (one.table.name, str(one.second)))
    groups = groupby(together, key=lambda one: (one.table, one.second))
    return some(_rows(asked.parameter, table, second, tuple(ones), finds=finds) for (table, second), ones in groups)


def _ids(parameter: SearchParameter, values: Iterable[Value], *, finds: bool) -> Clause:
    ids = [value.code for value in values if isinstance(value, TokenValue) and not value.system and value.code]
    return _on_resource(parameter, "ids", (ids,), lambda row, binds: row.c.id.in_(binds.many()), finds=finds)


def _last_updated(parameter: SearchParameter, value: DateValue, *, finds: bool) -> Clause:
    """Compare with the moment of the last change, which lasts a millisecond, as it is written."""

    def test(row: FromClause, binds: Binds) -> ColumnElement[bool]:
        last: Any = row.c.last_updated
        return interval_test(value.prefix, lambda name: last if name == "starts" else last + _MILLISECOND, binds)

    key = f"last updated {value.prefix}"
    return _on_resource(parameter, key, interval_bounds(value), test, finds=finds)


def _on_resource(
    parameter: SearchParameter,
    key: str,
    bound: tuple[Any, ...],
    test: Callable[[FromClause, Binds], ColumnElement[bool]],
    *,
    finds: bool,
) -> Clause:
    """A test of columns of `resource`.

    What finds gives numbers: a page is in their order, and a database that is left to choose goes through all resources
    in that order rather than to the few that have the value.
    """

    def build(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
        if not finds:
            return test(owner, binds)
        row = resource.alias()
        numbers = select(row.c.number).where(row.c.type == parameter.type, test(row, binds))
        return taken(numbers, row, owner, finds=True)

    return Clause((key, parameter.type, finds), bound, build)


def _presence(parameter: SearchParameter, value: PresenceValue) -> Clause:
    """Whether any row is there: an element without anything to compare has one too."""
    parameters = [c.parameter for c in parameter.components] or [parameter]
    there = every(_has_rows(one) for one in parameters)
    return opposite(there) if value.missing else there


def _has_rows(parameter: SearchParameter) -> Clause:
    tables = [TABLES[parameter.kind], *([search_uri] if parameter.kind is Kind.REFERENCE else ())]
    return some(_rows(parameter, table, False, (), finds=False) for table in tables)


def _rows(
    parameter: SearchParameter, table: Table, second: bool | None, comparisons: tuple[Comparison, ...], *, finds: bool
) -> Clause:
    """A row of the table passes one of the comparisons; without any, there is a row."""

    def build(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
        row = table.alias()
        fits = [one.build(columns(row, opaque=not finds), binds) for one in comparisons]
        rows = select(row.c.resource).where(_marked(row, parameter, second))
        if fits:
            rows = rows.where(or_(*fits))
        return taken(rows, row, owner, finds=finds)

    return Clause(
        ("rows", parameter.number, table.name, second, finds, *(one.key for one in comparisons)),
        tuple(value for one in comparisons for value in one.bound),
        build,
    )


def _composite(parameter: SearchParameter, value: CompositeValue, *, finds: bool) -> Clause:
    """Rows of all components in one item of one resource; the first finds, the others are checked."""
    comparisons = [
        compare(component.parameter, "", part)
        for component, part in zip(parameter.components, value.parts, strict=True)
    ]

    def build(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
        aliases = [one.table.alias() for one in comparisons]
        first = aliases[0]
        rows = select(first.c.resource)
        for number, (component, one, row) in enumerate(zip(parameter.components, comparisons, aliases, strict=True)):
            opaque = bool(number) or not finds
            rows = rows.where(_marked(row, component.parameter, False), one.build(columns(row, opaque=opaque), binds))
            if number:
                rows = rows.where(row.c.resource == first.c.resource)
            if number and not component.apart:
                rows = rows.where(row.c.item == first.c.item, row.c.item >= 0)
        return taken(rows, first, owner, finds=finds)

    return Clause(
        ("composite", parameter.number, finds, *(one.key for one in comparisons)),
        tuple(value for one in comparisons for value in one.bound),
        build,
    )


def taken(rows: Select[Any], row: FromClause, owner: FromClause, *, finds: bool) -> ColumnElement[bool]:
    """Resources that rows belong to: found among all, or the one resource looked at."""
    if finds:
        return owner.c.number.in_(rows)
    return rows.where(row.c.resource == owner.c.number).correlate(owner).exists()


def _marked(row: FromClause, parameter: SearchParameter, second: bool | None) -> ColumnElement[bool]:
    if second is None:
        return row.c.parameter.in_((parameter.number, -parameter.number))
    return row.c.parameter == (-parameter.number if second else parameter.number)


def columns(row: FromClause, *, opaque: bool) -> Columns:
    """The columns of a row; opaque ones compare alike, and no index is made for them."""
    if not opaque:
        return lambda name: row.c[name]

    def hidden(name: str) -> ColumnElement[Any]:
        column = row.c[name]
        return column.concat("") if column.type.python_type is str else column + 0

    return hidden
