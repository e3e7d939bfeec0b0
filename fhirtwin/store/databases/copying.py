"""Everything of one database into another, empty one: how a record moves from SQLite to PostgreSQL, or back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, delete, func, insert, select, text

from fhirtwin.errors import Fault, Incorrect, NotFound
from fhirtwin.settings import Settings
from fhirtwin.store.advice_tables import cds_call_count, cds_card
from fhirtwin.store.databases import engines, postgresql, revisions
from fhirtwin.store.databases.limits import Use
from fhirtwin.store.schema import REVISION, metadata, resource_version, twin

ROWS: Final = 200
"""Rows that are under way at a time; one may be as large as a body."""

Told = Callable[[int, int], object]
"""Is told how many rows are copied, and of how many."""


def copy(source: Settings, target: Settings, told: Told) -> dict[str, int]:
    """Copy every version, index row and twin, in one transaction of the target: all of it arrives, or nothing.

    Args:
        source: names the database to read; it is read as it was at one moment.
        target: names the database to fill; an empty one gets the schema.
        told: is told about the progress.

    Returns:
        How many rows each table has, in both.

    Raises:
        NotFound: there is no source.
        Incorrect: the target has something in it, or one of them has another schema version.
        Fault: the target has not what the source has; nothing was kept.
    """
    with _reading(source) as reads, engines.upkeep(target) as writes:
        _require_empty(writes)
        tables = metadata.sorted_tables  # those that others point at come first
        counts = {table.name: _count(reads, table) for table in tables}
        done, total = 0, sum(counts.values())
        for table in reversed(tables):
            writes.execute(delete(table))  # what the migrations put in themselves
        for table in tables:
            for number in _copied(reads, writes, table):
                done += number
                told(done, total)
            _number_on(writes, table)
        if writes.dialect.name == "postgresql":
            postgresql.take_stock(writes)
        if counts != {table.name: _count(writes, table) for table in tables}:
            raise Fault("The copy differs from its source in the number of rows; nothing was kept.")
    return counts


@contextmanager
def _reading(settings: Settings) -> Iterator[Connection]:
    url = engines.url_of(settings)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise NotFound(f"{url.database} is not there; name the data folder of a gateway.")
    engine = engines.make(settings, Use(writes=False, connections=1, seconds=0))
    try:
        with engines.told(), engine.begin() as connection:
            _require_revision(connection, "source")
            yield connection
    finally:
        engine.dispose()


def _require_empty(connection: Connection) -> None:
    if revisions.is_new(connection):
        revisions.migrate(connection)
        return
    _require_revision(connection, "target")
    if any(_count(connection, table) for table in (resource_version, twin, cds_card, cds_call_count)):
        raise Incorrect("The target has something in it already; name an empty database.")


def _require_revision(connection: Connection, which: str) -> None:
    found = revisions.revision(connection)
    if found != REVISION:
        raise Incorrect(
            f"The {which} has schema {found or 'unknown'}, this version of fhirtwin uses {REVISION}; "
            "run `fhirtwin db upgrade` on it."
        )


def _copied(reads: Connection, writes: Connection, table: Table) -> Iterator[int]:
    found = reads.execute(select(table), execution_options={"yield_per": ROWS})
    for rows in found.mappings().partitions():
        writes.execute(insert(table), [dict(row) for row in rows])
        yield len(rows)


def _number_on(connection: Connection, table: Table) -> None:
    """Let new rows be numbered behind those that were copied. SQLite does so by itself."""
    numbered = table.autoincrement_column
    if numbered is None or connection.dialect.name != "postgresql":
        return
    newest = connection.execute(select(func.coalesce(func.max(numbered), 0))).scalar_one()
    if newest:
        sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :newest)")
        connection.execute(sequence, {"table": table.name, "column": numbered.name, "newest": newest})


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
