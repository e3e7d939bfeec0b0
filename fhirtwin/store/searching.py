"""A `Query` becomes SQL. Values are bound, never written into the statement."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, and_, exists, false, func, not_, or_, select

from fhirtwin.fhir.search_grammar import (
    Condition,
    DateValue,
    Kind,
    Query,
    ReferenceValue,
    StringValue,
    TokenValue,
    Value,
    fold,
)
from fhirtwin.store import index
from fhirtwin.store.schema import (
    resource,
    resource_version,
    search_date,
    search_reference,
    search_string,
    search_token,
)

_TABLES: Final[dict[Kind, Table]] = {
    Kind.TOKEN: search_token,
    Kind.STRING: search_string,
    Kind.DATE: search_date,
    Kind.REFERENCE: search_reference,
}

_MOST_SELECTIVE_FIRST: Final = (Kind.REFERENCE, Kind.TOKEN, Kind.STRING, Kind.DATE)
"""A patient has few resources, a code has many: the first condition finds, the others check what it found."""

_LAST_CHARACTER: Final = "\U0010ffff"


def page(query: Query, ceiling: int) -> Select[*tuple[Any, ...]]:
    """Select the resources of one page with their data, and one more, which tells that another page follows."""
    joined = resource.join(
        resource_version,
        and_(
            resource_version.c.type == resource.c.type,
            resource_version.c.id == resource.c.id,
            resource_version.c.version == resource.c.version,
        ),
    )
    return (
        select(resource.c.number, resource_version)
        .select_from(joined)
        .where(*matching(query, ceiling), resource.c.number > query.after)
        .order_by(resource.c.number)
        .limit(query.count + 1)
    )


def total(query: Query, ceiling: int) -> Select[int]:
    """Count all resources of a search."""
    return select(func.count()).select_from(resource).where(*matching(query, ceiling))


def newest() -> Select[int]:
    """The number of the newest resource of any type; a search's later pages look no further."""
    return select(func.coalesce(func.max(resource.c.number), 0))


def matching(query: Query, ceiling: int) -> list[ColumnElement[bool]]:
    """The conditions that a row of `resource` must meet."""
    clauses: list[ColumnElement[bool]] = [
        resource.c.type == query.type,
        not_(resource.c.deleted),
        resource.c.number <= ceiling,
    ]
    indexed = [condition for condition in query.conditions if condition.name != "_id"]
    clauses += [_ids(condition) for condition in query.conditions if condition.name == "_id"]
    finds = len(indexed) == len(query.conditions)
    for condition in sorted(indexed, key=lambda c: _MOST_SELECTIVE_FIRST.index(c.kind)):
        clauses.append(_found(query.type, condition) if finds else _checked(query.type, condition))
        finds = False
    return clauses


def _ids(condition: Condition) -> ColumnElement[bool]:
    wanted = [value.code for value in condition.values if isinstance(value, TokenValue) and not value.system]
    return resource.c.id.in_([code for code in wanted if code]) if any(wanted) else false()


def _found(type_: str, condition: Condition) -> ColumnElement[bool]:
    """Find resources by value."""
    table = _TABLES[condition.kind]
    rows = select(table.c.resource).where(table.c.parameter == f"{type_}.{condition.name}")
    return resource.c.number.in_(rows.where(_any(type_, condition)))


def _checked(type_: str, condition: Condition) -> ColumnElement[bool]:
    """Look whether a resource that was found has the value."""
    table = _TABLES[condition.kind]
    # A resource has few rows, a value may have very many. The empty text keeps SQLite, which does not know that, from
    # going through all rows of the value, once for each resource.
    name = table.c.parameter.concat("") == f"{type_}.{condition.name}"
    return exists().where(table.c.resource == resource.c.number, name, _any(type_, condition))


def _any(type_: str, condition: Condition) -> ColumnElement[bool]:
    row = index.parameter(type_, condition.name)
    return or_(*(_compared(value, condition.modifier, row) for value in condition.values))


def _compared(value: Value, modifier: str, row: index.Parameter) -> ColumnElement[bool]:
    match value:
        case TokenValue():
            return _token(value, row)
        case StringValue():
            return _string(value, modifier)
        case DateValue():
            return _date(value)
        case ReferenceValue():
            return _reference(value)


def _token(value: TokenValue, row: index.Parameter) -> ColumnElement[bool]:
    clauses = []
    if value.code is not None:
        clauses.append(search_token.c.code == index.token_code(value.code, row))
    if value.system is not None:
        clauses.append(search_token.c.system == value.system)
    return and_(*clauses)


def _string(value: StringValue, modifier: str) -> ColumnElement[bool]:
    folded = fold(value.text)
    match modifier:
        case "exact":
            # The folded form is what the index is sorted by.
            return and_(search_string.c.folded == folded, search_string.c.exact == value.text)
        case "contains":
            return search_string.c.folded.contains(folded, autoescape=True)
        case _:
            return search_string.c.folded.between(folded, folded + _LAST_CHARACTER)


def _date(value: DateValue) -> ColumnElement[bool]:
    """Compare intervals as R4 says: http://hl7.org/fhir/R4/search.html#prefix.

    `eq`: the range of the search value holds the whole range of the target; `gt`, `lt`: the range above, below the
    search value meets the target; `sa`, `eb`: the target lies wholly above, below.
    """
    starts, ends = search_date.c.starts, search_date.c.ends
    equal = and_(starts >= value.starts, ends <= value.ends)
    match value.prefix:
        case "eq":
            return equal
        case "ne":
            return not_(equal)
        case "gt":
            return ends > value.ends
        case "lt":
            return starts < value.starts
        case "ge":
            return or_(ends > value.ends, equal)
        case "le":
            return or_(starts < value.starts, equal)
        case "sa":
            return starts >= value.ends
        case "eb":
            return ends <= value.starts
        case _:  # ap: the ranges, the search value's widened, overlap
            return and_(starts < value.ends, ends > value.starts)


def _reference(value: ReferenceValue) -> ColumnElement[bool]:
    clauses = [search_reference.c.target_id == value.id, search_reference.c.target_base == value.base]
    if value.type:
        clauses.append(search_reference.c.target_type == value.type)
    return and_(*clauses)
