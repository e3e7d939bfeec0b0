"""Index rows go into the database: many at a time, since a statement costs more than a row."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete

from fhirtwin.store.index import Rows
from fhirtwin.store.search_tables import INDEXES

_MOST_WAITING: Final = 10_000
"""Rows that wait in memory before they are written, whatever comes."""

_COLUMNS: Final = tuple(tuple(column.name for column in table.columns) for table in INDEXES)
_FORGET: Final = tuple(delete(table).where(table.c.resource == bindparam("wanted_resource")) for table in INDEXES)


class Indexing:
    """The index rows of one transaction. They wait until `flush`; who looks at the index flushes first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: tuple[list[tuple[Any, ...]], ...] = tuple([] for _ in INDEXES)
        self._numbers: set[int] = set()

    def add(self, number: int, rows: Rows) -> None:
        """Add the rows of a resource that has none.

        Args:
            number: of the resource, `resource.number`.
            rows: what `fhirtwin.store.index.rows` made of it.
        """
        for waiting, of_table in zip(self._waiting, rows.by_table(), strict=True):
            waiting += [(number, row[0], place, *row[1:]) for place, row in enumerate(of_table)]
        self._numbers.add(number)
        if sum(map(len, self._waiting)) > _MOST_WAITING:
            self.flush()

    def remove(self, number: int) -> None:
        """Remove all rows of a resource."""
        if number in self._numbers:
            self.flush()
        for forget in _FORGET:
            self._connection.execute(forget, {"wanted_resource": number})

    def flush(self) -> None:
        """Write what waits."""
        if not self._numbers:
            return
        for statement, waiting in zip(_statements(self._connection.dialect.paramstyle), self._waiting, strict=True):
            if waiting:
                self._connection.exec_driver_sql(statement, waiting)
                waiting.clear()
        self._numbers.clear()


@cache
def _statements(paramstyle: str) -> tuple[str, ...]:
    """What the driver is given as it is: the statements that are run for many rows at each write."""
    mark = "?" if paramstyle == "qmark" else "%s"
    return tuple(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(mark for _ in names)})"  # noqa: S608
        for table, names in zip(INDEXES, _COLUMNS, strict=True)
    )
