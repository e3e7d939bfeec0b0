"""Finds stored definitions by their canonical URL.

*Source*: http://hl7.org/fhir/R4/references.html#canonical.
"""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.store.index_values import kept
from fhirtwin.store.schema import resource, resource_version
from fhirtwin.store.search_tables import search_uri

_CURRENT: Final = (
    select(resource.c.id, resource.c.version, resource_version.c.last_updated)
    .join(
        resource_version,
        (resource.c.type == resource_version.c.type)
        & (resource.c.id == resource_version.c.id)
        & (resource.c.version == resource_version.c.version),
    )
    .join(search_uri, search_uri.c.resource == resource.c.number)
    .where(
        resource.c.deleted.is_(False),
        search_uri.c.parameter == bindparam("wanted_parameter"),
        search_uri.c.uri == bindparam("wanted_url"),
    )
)
_DATA: Final = select(resource_version.c.data).where(
    resource_version.c.type == bindparam("wanted_type"),
    resource_version.c.id == bindparam("wanted_id"),
    resource_version.c.version == bindparam("wanted_version"),
)


class _Named(msgspec.Struct):
    url: str = ""
    version: str = ""


def find(connection: Connection, type_: str, canonical: str) -> str | None:
    """Give the id of the current resource that a canonical names; of several the one that was written last.

    Args:
        connection: of the open transaction.
        type_: resource type.
        canonical: a URL, with or without `|version`.
    """
    url, _, version = canonical.partition("|")
    found: list[tuple[str, str]] = []
    wanted = {"wanted_parameter": PARAMETERS[type_]["url"].number, "wanted_url": kept(url)}
    for row in connection.execute(_CURRENT, wanted).all():
        named = _named(connection, (type_, row.id, row.version, row.last_updated))
        if named.url == url and version in ("", named.version):
            found.append((row.last_updated, row.id))
    return max(found)[1] if found else None


def _named(connection: Connection, key: tuple[str, str, int, str]) -> _Named:
    there = (str(connection.engine.url), *key)
    if there not in _names:
        if len(_names) >= _MOST_NAMES:
            _names.clear()
        type_, id_, version, _ = key
        wanted = {"wanted_type": type_, "wanted_id": id_, "wanted_version": version}
        _names[there] = msgspec.json.decode(connection.execute(_DATA, wanted).scalar_one(), type=_Named)
    return _names[there]


_names: dict[tuple[str, str, str, int, str], _Named] = {}
"""What versions are called: they never change, and to read them again for each question takes long."""
_MOST_NAMES: Final = 10_000
