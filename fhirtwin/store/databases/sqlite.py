"""SQLite as the store uses it: durable, writers in turns, no statement without an end.

WAL mode with `synchronous=FULL`: a commit that was acknowledged survives a power cut. With `NORMAL`, which is for
notes, the newest ones may not; the database is whole all the same. Readers see the moment they began at and never wait.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from fhirtwin.errors import Busy, FhirtwinError, Incorrect, InsufficientStorage, TooCostly, Unavailable
from fhirtwin.store.databases import limits
from fhirtwin.store.databases.limits import Use

_LOOK_AGAIN_SECONDS: Final = 0.001
"""How often a writer looks whether another process has ended its transaction; threads of one wait in a row."""

_STEPS: Final = 50_000
"""Instructions of SQLite's machine, about a millisecond of them, between two looks at the clock."""


def engine(url: URL, use: Use) -> Engine:
    """Connections to a file.

    Raises:
        Incorrect: the URL names no file.
    """
    if url.database in (None, "", ":memory:"):
        raise Incorrect("FHIRTWIN_DATABASE_URL must name a SQLite file: sqlite:///PATH.")
    made = create_engine(url, poolclass=QueuePool, pool_size=use.connections, max_overflow=0, pool_timeout=use.patience)
    _make_private(Path(url.database))
    event.listen(made, "connect", lambda connection, _record: _prepare(connection, use))
    event.listen(made, "begin", _begin_writing(use.patience) if use.writes else _begin_reading)
    event.listen(made, "before_cursor_execute", _refuse_nul)
    if use.seconds:
        _end_statements(made, use.seconds)
    return made


def error_of(error: Exception) -> FhirtwinError | None:
    """What the project says of an error of the driver; None when that is nothing in particular."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the rest of the number tells of details
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy(limits.TOO_MANY_WRITERS)
        case sqlite3.SQLITE_FULL:
            return InsufficientStorage(limits.NO_ROOM)
        case sqlite3.SQLITE_INTERRUPT:
            return TooCostly(limits.TOO_LONG)
    return None


def copy(source: Path, target: Path) -> None:
    """Copy with SQLite's backup interface, which waits for writers and takes what lies in the write-ahead log along.

    Raises:
        Unavailable: it cannot be copied; what was begun is removed.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reads,
            closing(sqlite3.connect(partial)) as writes,
        ):
            partial.chmod(0o600)
            reads.backup(writes)
        partial.rename(target)
    except (sqlite3.Error, OSError):
        partial.unlink(missing_ok=True)
        raise Unavailable(f"{source} cannot be copied to {target}: is there room, and may it be written?") from None


def _make_private(path: Path) -> None:
    """Let the database file begin with mode 0600, which SQLite gives to the files beside it too."""
    if path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)


def _prepare(connection: Any, use: Use) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: the "begin" event does
    connection.execute(f"PRAGMA busy_timeout={use.patience * 1000:.0f}")
    # The change of a new database to WAL does not wait by itself when two openers would wait for each other.
    _insist(connection, "PRAGMA journal_mode=WAL", use.patience)
    connection.execute(f"PRAGMA synchronous={'NORMAL' if use.notes else 'FULL'}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA case_sensitive_like=ON")  # as PostgreSQL's LIKE
    if use.writes:  # `_begin_writing` waits by itself
        connection.execute("PRAGMA busy_timeout=0")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(patience: float) -> Callable[[Connection], None]:
    """Begin as the only writer, after waiting at most so many seconds for those of other processes.

    SQLite's own waiting sleeps longer each time, up to a tenth of a second, and whoever asks meanwhile passes: between
    two busy processes some wait for most of a second, and the threads behind them too.
    """

    def begin(connection: Connection) -> None:
        driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        try:
            _insist(driver, "BEGIN IMMEDIATE", patience)
        except sqlite3.OperationalError:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # so that what is wrong is told as everything is

    return begin


def _insist(connection: sqlite3.Connection, statement: str, seconds: float) -> None:
    """Execute a statement again and again while others are in its way, for at most so many seconds."""
    until = time.monotonic() + seconds
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        time.sleep(_LOOK_AGAIN_SECONDS)


def _refuse_nul(
    _connection: object, _cursor: object, _statement: str, values: Any, _context: object, many: bool
) -> None:
    """Refuse to look for U+0000, as PostgreSQL does. What is stored comes through decoders that let none pass."""
    if not many and any(type(value) is str and "\0" in value for value in values):
        raise Incorrect(limits.NOT_COMPARABLE)


def _end_statements(engine_: Engine, seconds: float) -> None:
    """Interrupt a statement that has gone on for `seconds`; SQLite has no clock of its own."""

    @event.listens_for(engine_, "connect")
    def watch(connection: sqlite3.Connection, record: Any) -> None:
        info = record.info
        info["ends"] = float("inf")
        connection.set_progress_handler(lambda: time.monotonic() > info["ends"], _STEPS)

    @event.listens_for(engine_, "before_cursor_execute")
    def begin(connection: Connection, *_: object) -> None:
        connection.info["ends"] = time.monotonic() + seconds
