"""The order of results, and where a page begins in it.

Every order ends with the number of the resource, so no two resources have the same place, and a page begins after a
place that needs no resource to be there any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, or_, select

from fhirtwin.fhir.search.parameters import Kind
from fhirtwin.fhir.search.query import SortKey
from fhirtwin.store.search.clauses import Binds
from fhirtwin.store.search.conditions import TABLES, columns

LENGTH: Final = 100
"""Characters of a text that sort; what differs only behind them is in the order of the numbers."""

_COLUMNS: Final = {
    Kind.STRING: "folded",
    Kind.TOKEN: "code",
    Kind.REFERENCE: "target_id",
    Kind.URI: "uri",
    Kind.DATE: "starts",
    Kind.NUMBER: "low",
    Kind.QUANTITY: "low",
}
_LAST: Final[dict[type, tuple[Any, Any]]] = {
    str: ("\U0010ffff", ""),
    int: (2**63 - 1, -(2**63)),
    float: (1.7976931348623157e308, -1.7976931348623157e308),
}
"""What stands for an absent value, ascending and descending: it comes last."""


def expression(key: SortKey, owner: FromClause) -> ColumnElement[Any]:
    """What resources are compared by: of several values the least, descending the greatest; never null."""
    first = key.parameters[0]
    if first.name == "_id":
        return owner.c.id
    if first.name == "_lastUpdated":
        return owner.c.last_updated
    row = TABLES[first.kind].alias()
    # Of one resource there are few values; an index by value would be gone through for each.
    hidden = columns(row, opaque=True)
    column = hidden(_COLUMNS[first.kind])
    if first.kind is Kind.QUANTITY:
        column = func.coalesce(hidden("canonical_low"), hidden("low"))
    kind = row.c[_COLUMNS[first.kind]].type.python_type
    chosen = func.max(column) if key.descending else func.min(column)
    value = (
        select(chosen)
        .where(
            row.c.resource == owner.c.number,
            row.c.parameter.in_([parameter.number for parameter in key.parameters]),
        )
        .correlate(owner)
        .scalar_subquery()
    )
    last = _LAST[kind][key.descending]
    if kind is str:
        return func.coalesce(func.substr(value, 1, LENGTH), last)
    if kind is float:
        # What is unbounded cannot be written into a link.
        highest, lowest = _LAST[float]
        return func.coalesce(case((value < lowest, lowest), (value > highest, highest), else_=value), last)
    return func.coalesce(value, last)


def order(keys: Sequence[tuple[ColumnElement[Any], bool]], number: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """What to order by: the keys, each with whether it descends, then the number."""
    return [*(key.desc() if descending else key.asc() for key, descending in keys), number.asc()]


def after(
    keys: Sequence[tuple[ColumnElement[Any], bool]], number: ColumnElement[Any], binds: Binds
) -> ColumnElement[bool]:
    """Places behind the one whose keys and number are bound: the number's placeholder first, then those of the keys."""
    behind: ColumnElement[bool] = number > binds.one()
    places = [binds.one() for _ in keys]
    for (key, descending), place in reversed(list(zip(keys, places, strict=True))):
        behind = or_(key < place if descending else key > place, and_(key == place, behind))
    return or_(false(), behind)
