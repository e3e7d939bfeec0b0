"""Which schema a database has, and how it gets this version's."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from sqlalchemy import Connection, inspect

from fhirtwin.errors import Incorrect
from fhirtwin.store.databases import postgresql
from fhirtwin.store.schema import REVISION


def require(connection: Connection) -> bool:
    """Return when the database has this version's schema; an empty one gets it.

    Returns:
        Whether it was empty.

    Raises:
        Incorrect: it has another one; the text says what to do.
    """
    found = revision(connection)
    if is_new(connection):
        migrate(connection)
        return True
    if found != REVISION:
        raise Incorrect(
            f"The database has schema {found or 'unknown'}, this version of fhirtwin uses {REVISION}: "
            "back it up with the version that wrote it, then run `fhirtwin db upgrade`."
        )
    return False


def revision(connection: Connection) -> str | None:
    """The newest migration that the database had; None when it is not a database of this program."""
    return MigrationContext.configure(connection).get_current_revision()


def is_new(connection: Connection) -> bool:
    """Whether there is no table at all."""
    return not inspect(connection).get_table_names()


def migrate(connection: Connection) -> None:
    """Bring the schema to this version's, all steps in the open transaction.

    Raises:
        Incorrect: a newer version of the program wrote it.
    """
    config = Config()
    config.set_main_option("script_location", "fhirtwin.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, REVISION)
    except CommandError:
        raise Incorrect("A newer version of fhirtwin wrote this database; run that version.") from None
    if connection.dialect.name == "postgresql":
        postgresql.compare_by_code_point(connection)
