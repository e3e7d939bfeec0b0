"""Every version ever stored, newest first: what a history asks becomes SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Select, and_, func, select, tuple_

from fhirtwin.store.schema import resource_version
from fhirtwin.twin.state import StoredVersion


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a version among all others; no two have the same."""

    last_updated: str
    type: str
    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Past:
    """Which versions are asked for.

    Attributes:
        type: of this resource type; empty for all.
        id: of this resource; empty for all of the type.
        since: a FHIR instant in the form that is stored: these and later ones; empty for all.
        after: those that come after it, so older ones; None for all.
    """

    type: str = ""
    id: str = ""
    since: str = ""
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A version, and whether it created the resource: as the first one, or after a deletion."""

    stored: StoredVersion
    created: bool


_VERSION: Final = resource_version.c
_BEFORE: Final = resource_version.alias("before")


def page(asked: Past, count: int) -> Select[*tuple[Any, ...]]:
    """Select the newest `count` versions, each with `before`: whether the one before it is a deletion, if there is one.

    Sorting takes the keys alone; data are fetched for what is shown.
    """
    keys = (
        select(_VERSION.last_updated, _VERSION.type, _VERSION.id, _VERSION.version)
        .where(*_asked(asked))
        .order_by(*(column.desc() for column in _order(asked)))
        .limit(count)
        .subquery()
    )
    same = and_(
        _VERSION.type == keys.c.type,
        _VERSION.id == keys.c.id,
        _VERSION.version == keys.c.version,
    )
    preceding = and_(
        _BEFORE.c.type == keys.c.type,
        _BEFORE.c.id == keys.c.id,
        _BEFORE.c.version == keys.c.version - 1,
    )
    return (
        select(resource_version, _BEFORE.c.deleted.label("before"))
        .select_from(keys.join(resource_version, same).outerjoin(_BEFORE, preceding))
        .order_by(*(keys.c[column.name].desc() for column in _order(asked)))
    )


def total(asked: Past) -> Select[int]:
    """Count the versions."""
    return select(func.count()).select_from(resource_version).where(*_asked(asked))


def _order(asked: Past) -> tuple[Column[Any], ...]:
    """What versions are sorted by: those of one resource by number, which no clock that was set back disturbs."""
    if asked.id:
        return (_VERSION.version,)
    return (_VERSION.last_updated, _VERSION.type, _VERSION.id, _VERSION.version)


def _asked(asked: Past) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if asked.type:
        clauses.append(_VERSION.type == asked.type)
    if asked.id:
        clauses.append(_VERSION.id == asked.id)
    if asked.since:
        clauses.append(_VERSION.last_updated >= asked.since)
    if asked.after:
        order = _order(asked)
        clauses.append(tuple_(*order) < tuple_(*(getattr(asked.after, column.name) for column in order)))
    return clauses
