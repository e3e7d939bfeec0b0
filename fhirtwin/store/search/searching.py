"""A `Query` becomes SQL. Values are bound, never written into the statement; what a caller may not see never counts."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, CursorResult, Select, and_, bindparam, func, select

from fhirtwin.access.visibility import View
from fhirtwin.fhir.search.query import Position, Query
from fhirtwin.store.schema import resource, resource_version
from fhirtwin.store.search import sorting
from fhirtwin.store.search.clauses import Binds, Clause, Remembered, named, some
from fhirtwin.store.search.links import wanted

_statements: Final[Remembered[Select[Any]]] = Remembered()
_MAX_REMEMBERED: Final = 100
"""Most values of a statement that is worth its room; what has more comes but once."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and the values of its placeholders."""

    sql: Select[Any]
    values: dict[str, Any]

    def run(self, connection: Connection) -> CursorResult[Any]:
        """Ask the database; what comes but once is not kept compiled either."""
        once = {"compiled_cache": None} if len(self.values) > _MAX_REMEMBERED else {}
        return connection.execute(self.sql, self.values, execution_options=once)


def page(query: Query, view: View) -> Statement:
    """Select the resources of one page with their data, and one more, which tells that another page follows.

    The columns are those of `resource_version`, `number`, and `key0`, `key1`, ... of the sort keys.
    """
    matches = _matching(query, view)
    place = query.position
    beyond = (place.number, *place.keys) if place else ()
    key = ("page", matches.key, _order_key(query), place is None)
    sql = _made(key, matches, lambda: _page(query, matches, place is not None))
    return Statement(sql, {**named((*matches.bound, *beyond)), "most": query.count + 1})


def total(query: Query, view: View) -> Statement:
    """Count all resources of a search."""
    matches = _matching(query, view)

    def make() -> Select[Any]:
        return select(func.count()).select_from(resource).where(matches.build(resource, Binds()))

    return Statement(_made(("total", matches.key), matches, make), named(matches.bound))


def ids(query: Query, view: View, most: int) -> Statement:
    """Select the ids of the first `most` resources of a search."""
    matches = _matching(query, view)

    def make() -> Select[Any]:
        chosen = select(resource.c.id).where(matches.build(resource, Binds()))
        return chosen.order_by(resource.c.number).limit(bindparam("most"))

    return Statement(_made(("ids", matches.key), matches, make), {**named(matches.bound), "most": most})


NEWEST: Final = select(func.coalesce(func.max(resource.c.number), 0))
"""The number of the newest resource of any type; a search's later pages look no further."""

_VERSION: Final = and_(
    resource_version.c.type == resource.c.type,
    resource_version.c.id == resource.c.id,
    resource_version.c.version == resource.c.version,
)

VERSIONS: Final = (
    select(resource_version)
    .join(resource, _VERSION)
    .where(resource.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(resource.c.number)
)
"""The current versions of resources by number."""


def position(query: Query, ceiling: int, total_: int | None, last: Any) -> Position:
    """Where the page after the one that ends with the row `last` begins."""
    keys = tuple(getattr(last, f"key{number}") for number in range(len(query.sort)))
    return Position(ceiling, total_, last.number, keys)


def _matching(query: Query, view: View) -> Clause:
    """The conditions that a row of `resource` must meet."""
    first, *others = (wanted(one, view) for one in query.wanted)
    matches = some((first, *others)) if others else first
    if query.position is None:
        return matches
    ceiling = query.position.ceiling
    return Clause(
        ("up to", matches.key),
        (*matches.bound, ceiling),
        lambda owner, binds: and_(matches.build(owner, binds), owner.c.number <= binds.one()),
    )


def _made(key: Hashable, matches: Clause, make: Callable[[], Select[Any]]) -> Select[Any]:
    if len(matches.bound) > _MAX_REMEMBERED:
        return make()
    return _statements.get(key, make)


def _order_key(query: Query) -> Hashable:
    return tuple((tuple(p.number for p in key.parameters), key.descending) for key in query.sort)


def _page(query: Query, matches: Clause, goes_on: bool) -> Select[Any]:
    """Choose and sort by numbers and sort keys alone; data are fetched for what is shown."""
    binds = Binds()
    chosen: Select[Any] = select(
        resource.c.number,
        *(sorting.expression(key, resource).label(f"key{number}") for number, key in enumerate(query.sort)),
    ).where(matches.build(resource, binds))
    place: Any = resource.c
    if query.sort:
        keyed = chosen.subquery("keyed")
        chosen, place = select(keyed), keyed.c
    if goes_on:
        chosen = chosen.where(sorting.after(_keys(query, place), place.number, binds))
    in_order = chosen.order_by(*sorting.order(_keys(query, place), place.number))
    shown = in_order.limit(bindparam("most")).subquery("shown")
    return (
        select(shown, resource_version)
        .select_from(shown.join(resource, resource.c.number == shown.c.number).join(resource_version, _VERSION))
        .order_by(*sorting.order(_keys(query, shown.c), shown.c.number))
    )


def _keys(query: Query, columns: Any) -> list[tuple[ColumnElement[Any], bool]]:
    return [(columns[f"key{number}"], key.descending) for number, key in enumerate(query.sort)]
