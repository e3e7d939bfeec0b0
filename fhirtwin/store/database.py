"""The store: one database behind one class, for all threads of a process; several processes may share the database.

SQLite runs in WAL mode with `synchronous=FULL`: a commit that was acknowledged survives a power cut. Writers take
turns (`BEGIN IMMEDIATE`), readers see the moment they began at and never wait.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from fhirtwin import timing
from fhirtwin.access.visibility import View
from fhirtwin.errors import Busy, FhirtwinError, Incorrect, NotFound, Unavailable
from fhirtwin.fhir.search_query import Query
from fhirtwin.settings import Settings
from fhirtwin.store import reindexing
from fhirtwin.store.reading import Page, Reader
from fhirtwin.store.reindexing import Told
from fhirtwin.store.schema import REVISION
from fhirtwin.store.writing import Writer
from fhirtwin.twin.state import PatientKey, StoredVersion, TwinState

BUSY_SECONDS: Final = 10
"""How long a writer waits for its turn before the caller is told to come back."""

_log = logging.getLogger("fhirtwin.store")


class Store:
    """Everything that is kept. Made by `Store.open`; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._reading = engine
        self._writing = engine.execution_options(fhirtwin_writes=True)

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Open the database that the settings name; an empty one gets the schema.

        Raises:
            Incorrect: the database has another schema version, or cannot be opened; the text says what to do.
        """
        store = cls(_engine(settings))
        try:
            with store._migrating() as connection:
                found = _revision(connection)
                if _is_new(connection):
                    _migrate(connection)
                    reindexing.rebuild(connection, settings.base_url, _unheard)
                elif found != REVISION or not reindexing.is_current(connection):
                    raise Incorrect(
                        f"The database has schema {found or 'unknown'}, this version of fhirtwin uses {REVISION} with "
                        "the search parameters it knows: back the database up with the version that wrote it, then run "
                        "`fhirtwin db upgrade`."
                    )
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open_existing(cls, settings: Settings) -> Store:
        """As `open`, but a database that is not there is an error and no new one is made.

        Raises:
            NotFound: there is no such file.
            Incorrect: as `open`; or the database is not SQLite.
        """
        file = _sqlite_file(settings)
        if not file.exists():
            raise NotFound(f"{file} is not there; name the data folder of a gateway.")
        return cls.open(settings)

    @classmethod
    def upgrade(cls, settings: Settings, told: Told | None = None) -> str:
        """Bring the database to this version's schema and search index, all in one transaction.

        Args:
            settings: `base_url` must be the one it is served at: absolute references below it are its own.
            told: is told about the progress of a new search index.

        Returns:
            A sentence that says what was done.

        Raises:
            Incorrect: it was written by a newer version, or cannot be opened.
        """
        store = cls(_engine(settings))
        try:
            with store._migrating() as connection:
                before = _revision(connection)
                if before is None and not _is_new(connection):
                    raise Incorrect("FHIRTWIN_DATABASE_URL names a database of another program; name another file.")
                if before != REVISION:
                    _migrate(connection)
                elif reindexing.is_current(connection):
                    return f"The database has schema {REVISION} already."
                indexed = reindexing.rebuild(connection, settings.base_url.rstrip("/"), told or _unheard)
        finally:
            store.close()
        if before == REVISION:
            return f"{indexed} resources were indexed anew."
        did = f"The database went from schema {before or 'none'} to {REVISION}."
        return f"{did} {indexed} resources were indexed anew." if indexed else did

    @classmethod
    def restore(cls, backup: Path, settings: Settings) -> None:
        """Put a backup where the settings expect the database, after checking it.

        Raises:
            Incorrect: there is a database already, or the backup is damaged or of another schema version.
        """
        target = _sqlite_file(settings)
        # A write-ahead log that was left behind would be played into the restored database.
        for there in (target, *(target.with_name(target.name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
            if there.exists():
                raise Incorrect(f"{there} exists already: restore into an empty folder, or move that file away.")
        check_backup(backup)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(backup, target)

    def close(self) -> None:
        """Give all connections back."""
        self._reading.dispose()

    def ready(self) -> None:
        """Return when the database answers.

        Raises:
            Unavailable: it does not.
        """
        with self.snapshot():
            pass

    def backup(self, path: Path) -> None:
        """Copy the whole database to `path` while others go on reading and writing, then check the copy.

        Raises:
            Incorrect: the database is not SQLite, or `path` exists.
        """
        if self._reading.dialect.name != "sqlite":
            raise Incorrect("This database is not SQLite: back it up with the database's own tools.")
        if path.exists():
            raise Incorrect(f"{path} exists already; name another file.")
        _copy(Path(str(self._reading.url.database)), path)
        check_backup(path)

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        """Read within one transaction: all answers are of the same moment."""
        with _told(), self._reading.begin() as connection:
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """One unit of work: committed when the block ends, undone when it raises.

        Raises:
            Busy: other writers took longer than a caller should wait.
            Unavailable: the database cannot be written now.
        """
        with _told(), self._writing.connect() as connection, connection.begin() as unit:
            writer = Writer(connection)
            yield writer
            with timing.stage("store"):  # the disk has it when this returns
                writer.flush()
                unit.commit()

    def read(self, type_: str, id_: str) -> StoredVersion | None:
        """As `Reader.read`."""
        with self.snapshot() as reader:
            return reader.read(type_, id_)

    def vread(self, type_: str, id_: str, version: int) -> StoredVersion | None:
        """As `Reader.vread`."""
        with self.snapshot() as reader:
            return reader.vread(type_, id_, version)

    def search(self, query: Query, view: View) -> Page:
        """As `Reader.search`."""
        with self.snapshot() as reader:
            return reader.search(query, view)

    def twin(self, patient: PatientKey) -> TwinState | None:
        """As `Reader.twin`."""
        with self.snapshot() as reader:
            return reader.twin(patient)

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        with _told(), self._writing.begin() as connection:
            yield connection


def check_backup(path: Path) -> None:
    """Check that a file is a whole SQLite database of this version's schema.

    Raises:
        NotFound: there is no such file.
        Incorrect: it is damaged, or of another schema version.
    """
    if not path.is_file():
        raise NotFound(f"{path} is not a file.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            whole = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            links = connection.execute("PRAGMA foreign_key_check").fetchall()
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        raise Incorrect(f"{path} is not a database of fhirtwin, or is damaged; use another backup.") from None
    if not whole or links:
        raise Incorrect(f"{path} is damaged; use another backup.")
    if found != (REVISION,):
        raise Incorrect(f"{path} has another schema than this version of fhirtwin ({REVISION}).")


def _engine(settings: Settings) -> Engine:
    try:
        url = make_url(settings.database)
        engine = create_engine(url)
    except (ArgumentError, ModuleNotFoundError):
        raise Incorrect("FHIRTWIN_DATABASE_URL is not a database URL that is supported: use sqlite:///PATH.") from None
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        engine.dispose()
        raise Incorrect("FHIRTWIN_DATABASE_URL must name a SQLite file: sqlite:///PATH.")
    _make_private(Path(url.database))
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _unheard(_done: int, _total: int) -> None:
    """Nobody wants to know how far the index is."""


def _make_private(path: Path) -> None:
    """Let the database file begin with mode 0600, which SQLite gives to the files beside it too."""
    if path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: `_begin_sqlite` does
    # First of all, so that the change to WAL waits too when several processes open a new database at once.
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("fhirtwin_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """Turn what a driver raises into errors of the project; their texts may hold data, so they go nowhere."""
    try:
        yield
    except FhirtwinError:
        raise
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Busy("Too many writers at once; try again.") from None
        _log.error("the database refused a statement: %s, code %d", type(error).__name__, code)
        raise Unavailable("The database cannot be used now; nothing was stored.") from None
    except SQLAlchemyError as error:
        _log.error("the database could not be used: %s", type(error).__name__)
        raise Unavailable("The database cannot be used now; nothing was stored.") from None


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "fhirtwin.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, REVISION)
    except CommandError:
        raise Incorrect("A newer version of fhirtwin wrote this database; run that version.") from None


def _is_new(connection: Connection) -> bool:
    return not inspect(connection).get_table_names()


def _sqlite_file(settings: Settings) -> Path:
    database = make_url(settings.database).database
    if not settings.database.startswith("sqlite") or not database:
        raise Incorrect("This command is for SQLite databases only: use the database's own tools.")
    return Path(database)


def _copy(source: Path, target: Path) -> None:
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
