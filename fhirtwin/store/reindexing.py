"""The search index is made anew where the rules it was made by have changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec, dates
from fhirtwin.fhir.search.folding import microseconds
from fhirtwin.store import index
from fhirtwin.store.indexing import Indexing
from fhirtwin.store.schema import resource, resource_version
from fhirtwin.store.search_tables import INDEXES, search_index

_RULES: Final = "1"
"""Raised by who changes what `fhirtwin.store.index` makes of a value, so that every index is made anew."""
_BATCH: Final = 200
_ANY_DEPTH: Final = 1000  # what is read again was within the limit when it came

Told = Callable[[int, int], None]
"""Is told how many resources are done, and of how many."""

_STORED: Final = (
    select(resource.c.number, resource_version.c.last_updated, resource_version.c.deleted, resource_version.c.data)
    .join(
        resource_version,
        and_(
            resource_version.c.type == resource.c.type,
            resource_version.c.id == resource.c.id,
            resource_version.c.version == resource.c.version,
        ),
    )
    .where(resource.c.number > bindparam("after"))
    .order_by(resource.c.number)
    .limit(_BATCH)
)
_DATE: Final = (
    update(resource).where(resource.c.number == bindparam("wanted")).values(last_updated=bindparam("new_last_updated"))
)


@cache
def form() -> str:
    """A digest of all that decides what the index looks like."""
    digest = sha256(_RULES.encode())
    for package, name in (("fhirtwin.fhir.search", "parameters.json"), ("fhirtwin.terms", "ucum.json")):
        digest.update(resources.files(package).joinpath(name).read_bytes())
    return digest.hexdigest()


def require(connection: Connection) -> None:
    """Return when the index was made by the rules of this version of the program.

    Raises:
        Incorrect: it was not; the text says what to do.
    """
    if not is_current(connection):
        raise Incorrect(
            "The database was indexed by the search parameters of another version of fhirtwin: "
            "run `fhirtwin db upgrade`."
        )


def is_current(connection: Connection) -> bool:
    """Whether the index was made by the rules of this version of the program."""
    return connection.execute(select(search_index.c.form)).scalars().all() == [form()]


def _unheard(_done: int, _total: int) -> None:
    """Nobody wants to know how far the index is."""


def rebuild(connection: Connection, base_url: str, told: Told = _unheard) -> int:
    """Make the whole index anew, within the transaction of the connection.

    Args:
        connection: of a transaction that writes.
        base_url: this server's base; absolute references below it are its own.
        told: is told about the progress now and then.

    Returns:
        How many resources were read.
    """
    for table in INDEXES:
        connection.execute(delete(table))
    total = connection.execute(select(func.count()).select_from(resource)).scalar_one()
    indexing = Indexing(connection)
    done, after = 0, 0
    while batch := connection.execute(_STORED, {"after": after}).all():
        for row in batch:
            updated = microseconds(dates.parse(row.last_updated).start)
            connection.execute(_DATE, {"wanted": row.number, "new_last_updated": updated})
            if not row.deleted:
                read = codec.decode(row.data, max_depth=_ANY_DEPTH)
                indexing.add(row.number, index.rows(read, base_url, most=None))
        done, after = done + len(batch), batch[-1].number
        told(done, total)
    indexing.flush()
    connection.execute(delete(search_index))
    connection.execute(insert(search_index), {"form": form()})
    return done
