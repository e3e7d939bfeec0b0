"""What is done to a database as a whole, from the command line: back up, restore, bring to a newer schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from fhirtwin.errors import Incorrect, NotFound
from fhirtwin.settings import Settings
from fhirtwin.store import reindexing
from fhirtwin.store.databases import engines, revisions, sqlite
from fhirtwin.store.reindexing import Told
from fhirtwin.store.schema import REVISION


def upgrade(settings: Settings, told: Told | None = None) -> str:
    """Bring the database to this version's schema and search index, all steps in one transaction.

    Args:
        settings: `base_url` must be the one it is served at: absolute references below it are its own.
        told: is told about the progress of a new search index.

    Returns:
        A sentence that says what was done.

    Raises:
        Incorrect: it was written by a newer version, or cannot be opened.
    """
    with engines.upkeep(settings) as connection:
        before = revisions.revision(connection)
        if before is None and not revisions.is_new(connection):
            raise Incorrect("FHIRTWIN_DATABASE_URL names a database of another program; name another one.")
        if before != REVISION:
            revisions.migrate(connection)
        elif reindexing.is_current(connection):
            return f"The database has schema {REVISION} already."
        indexed = reindexing.rebuild(connection, settings.base_url.rstrip("/"), *([told] if told else []))
    if before == REVISION:
        return f"{indexed} resources were indexed anew."
    did = f"The database went from schema {before or 'none'} to {REVISION}."
    return f"{did} {indexed} resources were indexed anew." if indexed else did


def backup(settings: Settings, path: Path) -> None:
    """Copy the whole database to `path` while others go on reading and writing, then check the copy.

    Raises:
        NotFound: there is no database.
        Incorrect: it is not SQLite, or of another schema version, or `path` exists.
    """
    file = sqlite_file(settings, "pg_dump --format=custom --file=FILE DATABASE")
    if path.exists():
        raise Incorrect(f"{path} exists already; name another file.")
    if not file.exists():
        raise NotFound(f"{file} is not there; name the data folder of a gateway.")
    sqlite.copy(file, path)
    try:
        check_backup(path)
    except Incorrect:
        path.unlink()
        raise


def restore(backup: Path, settings: Settings) -> None:
    """Put a backup where the settings expect the database, after checking it.

    Raises:
        Incorrect: there is a database already, or the backup is damaged or of another schema version; or the settings
            name a database that is not SQLite.
    """
    target = sqlite_file(settings, "pg_restore --exit-on-error --single-transaction --dbname=DATABASE FILE")
    # A write-ahead log that was left behind would be played into the restored database.
    for there in (target, *(target.with_name(target.name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
        if there.exists():
            raise Incorrect(f"{there} exists already: restore into an empty folder, or move that file away.")
    check_backup(backup)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sqlite.copy(backup, target)


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


def sqlite_file(settings: Settings, instead: str) -> Path:
    """The file that holds the database.

    Raises:
        Incorrect: the database is not SQLite; the text names what does it `instead`.
    """
    url = engines.url_of(settings)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise Incorrect(f"This command is for SQLite; of PostgreSQL, its own tool does it: `{instead}`.")
    return Path(url.database)
