"""Resources that come along with the matches of a page: `_include`, `_revinclude`, `:iterate`.

*Source*: http://hl7.org/fhir/R4/search.html#revinclude.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, false, select

from fhirtwin.access.visibility import EVERYTHING, View
from fhirtwin.errors import TooLarge
from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.fhir.search.query import Include, Query
from fhirtwin.store.schema import resource
from fhirtwin.store.search.clauses import Binds, named
from fhirtwin.store.search.links import seen
from fhirtwin.store.search_tables import search_reference, search_uri

MAX_ROUNDS: Final = 30
"""Most steps that `:iterate` goes: a list that is chained one by one is read by a search, not by an include."""

Found = tuple[int, str, str]
"""Number, type and id of a resource."""

_CHUNK: Final = 500
"""Values of one IN: databases bound how many placeholders a statement has."""


def included(connection: Connection, query: Query, view: View, matches: Iterable[Found]) -> list[int]:
    """Numbers of the resources that come along with these matches, in ascending order.

    Raises:
        TooLarge: more than `Query.max_includes`, or more rounds than `MAX_ROUNDS`.
    """
    frontier = set(matches)
    known = {number for number, _, _ in frontier}
    along: set[int] = set()
    asked = query.includes
    for _ in range(MAX_ROUNDS):
        most = query.max_includes - len(along)
        reached = {one for include in asked for one in _reached(connection, include, frontier, most)}
        frontier = only_seen(connection, view, {one for one in reached if one[0] not in known})
        along |= {number for number, _, _ in frontier}
        known |= along
        if len(along) > query.max_includes:
            raise TooLarge(
                f"More than {query.max_includes} resources would come along (FHIRTWIN_MAX_INCLUDES): "
                "lower `_count`, or name fewer includes."
            )
        asked = tuple(include for include in query.includes if include.iterate)
        if not frontier or not asked:
            return sorted(along)
    raise TooLarge(f"`:iterate` goes at most {MAX_ROUNDS} steps; search for what lies further.")


def _reached(connection: Connection, include: Include, frontier: set[Found], most: int) -> Iterator[Found]:
    """Resources that one include leads to, deleted ones aside; at most one more than `most` of each statement."""
    for statement, values in _statements(include, frontier):
        for chunk in _chunks(values):
            for row in connection.execute(statement, {"values": chunk, "most": most + 1 + len(frontier)}):
                yield row.number, row.type, row.id


def _statements(include: Include, frontier: set[Found]) -> Iterator[tuple[Select[Any], list[Any]]]:
    if include.reverse:
        for type_, found in groupby(sorted(frontier, key=lambda one: one[1]), key=lambda one: one[1]):
            to_type = tuple(p.number for p in include.parameters if not p.targets or type_ in p.targets)
            if to_type and include.target in ("", type_):
                yield _referring(to_type, type_), sorted(id_ for _, _, id_ in found)
        return
    numbers = sorted(number for number, type_, _ in frontier if include.type in ("", type_))
    if not numbers:
        return
    yield _referred(tuple(p.number for p in include.parameters), include.target), numbers
    canonical = [p for p in include.parameters if p.canonical]
    if canonical:
        targets = {include.target} if include.target else {t for p in canonical for t in p.targets} or set(PARAMETERS)
        urls = sorted(PARAMETERS[target]["url"].number for target in targets if "url" in PARAMETERS[target])
        yield _named(tuple(p.number for p in canonical), tuple(urls)), numbers


def _referred(parameters: tuple[int, ...], target: str) -> Select[Any]:
    """What resources by number refer to."""
    row = search_reference
    chosen = (
        select(resource.c.number, resource.c.type, resource.c.id)
        .join_from(
            row,
            resource,
            and_(resource.c.type == row.c.target_type, resource.c.id == row.c.target_id, row.c.target_base == ""),
        )
        .where(row.c.resource.in_(_values()), row.c.parameter.in_(parameters), resource.c.deleted == false())
    )
    if target:
        chosen = chosen.where(resource.c.type == target)
    return _bounded(chosen)


def _named(parameters: tuple[int, ...], urls: tuple[int, ...]) -> Select[Any]:
    """What resources by number name by canonical URL."""
    row, url = search_uri, search_uri.alias()
    return _bounded(
        select(resource.c.number, resource.c.type, resource.c.id)
        .join_from(row, url, and_(url.c.uri == row.c.uri, url.c.parameter.in_(urls)))
        .join(resource, resource.c.number == url.c.resource)
        .where(row.c.resource.in_(_values()), row.c.parameter.in_(parameters), resource.c.deleted == false())
    )


def _referring(parameters: tuple[int, ...], type_: str) -> Select[Any]:
    """What refers to resources of one type by id."""
    row = search_reference
    return _bounded(
        select(resource.c.number, resource.c.type, resource.c.id)
        .join_from(row, resource, resource.c.number == row.c.resource)
        .where(
            row.c.parameter.in_(parameters),
            row.c.target_id.in_(_values()),
            row.c.target_type == type_,
            row.c.target_base == "",
            resource.c.deleted == false(),
        )
    )


def _bounded(chosen: Select[Any]) -> Select[Any]:
    return chosen.distinct().order_by(resource.c.number).limit(bindparam("most"))


def _values() -> Any:
    return bindparam("values", expanding=True)


def only_seen(connection: Connection, view: View, reached: set[Found]) -> set[Found]:
    """Those of some resources, by number, type and id, that the caller may see."""
    hidden: set[Found] = set()
    for type_, found in groupby(sorted(reached, key=lambda one: one[1]), key=lambda one: one[1]):
        if view(type_) == EVERYTHING:
            continue
        of_type = set(found)
        visible: set[int] = set()
        may = seen(type_, view)
        for chunk in _chunks(sorted(number for number, _, _ in of_type)):
            chosen = select(resource.c.number).where(may.build(resource, Binds()), resource.c.number.in_(_values()))
            visible |= set(connection.execute(chosen, {**named(may.bound), "values": chunk}).scalars())
        hidden |= {one for one in of_type if one[0] not in visible}
    return reached - hidden


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
