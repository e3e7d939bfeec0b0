"""Which database the settings name, and what its errors mean. What differs between databases ends here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy import exc as sql

from fhirtwin.errors import Busy, FhirtwinError, Incorrect, Unavailable
from fhirtwin.settings import Settings
from fhirtwin.store.databases import limits, postgresql, sqlite
from fhirtwin.store.databases.limits import UPKEEP, Use

_ENGINES: Final[dict[str, Callable[[URL, Use], Engine]]] = {"sqlite": sqlite.engine, "postgresql": postgresql.engine}

_log = logging.getLogger("fhirtwin.store")


def url_of(settings: Settings) -> URL:
    """The database's URL.

    Raises:
        Incorrect: it is none, or of a database that is not supported. The text does not repeat it: it may hold a
            password.
    """
    try:
        url = make_url(settings.database)
        if url.get_backend_name() in _ENGINES:
            return url
    except sql.ArgumentError:
        pass
    raise Incorrect(
        "FHIRTWIN_DATABASE_URL is not a database URL that is supported: "
        "use sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE."
    )


def make(settings: Settings, use: Use) -> Engine:
    """Connections to the database of the settings; none is opened yet.

    Raises:
        Incorrect: the settings name none that can be used.
    """
    url = url_of(settings)
    try:
        return _ENGINES[url.get_backend_name()](url, use)
    except (sql.ArgumentError, sql.NoSuchModuleError, ModuleNotFoundError):
        raise Incorrect("FHIRTWIN_DATABASE_URL names a driver that is not supported.") from None


def has_one_writer(engine: Engine) -> bool:
    """Whether nobody can write beside a writer, notes included."""
    return engine.dialect.name == "sqlite"


@contextmanager
def upkeep(settings: Settings) -> Iterator[Connection]:
    """One transaction that nobody else writes beside, and no statement of which has an end.

    Raises:
        Busy, Unavailable, InsufficientStorage: as the database has it.
        Incorrect: the settings name no database that can be used.
    """
    engine = make(settings, UPKEEP)
    try:
        with told(_place(engine.url)), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def told(place: str = "") -> Iterator[None]:
    """Turn what a driver raises into errors of the project; their texts may hold data, so they go nowhere.

    Args:
        place: where the database is, for whoever runs the server; empty when a caller is to be told.
    """
    try:
        yield
    except sql.DBAPIError as error:
        raise _error_of(error, place) from None
    except sql.TimeoutError:  # no connection became free
        raise Busy(limits.TOO_MANY_WRITERS) from None
    except sql.SQLAlchemyError as error:
        _log.error("the database could not be used: %s", type(error).__name__)
        raise Unavailable("The database cannot be used now; nothing was stored.") from None


def _place(url: URL) -> str:
    """Where the database is; neither the password nor a parameter, which may be one too."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.host or 'this machine'}, database {url.database}, user {url.username}"


def _error_of(error: sql.DBAPIError, place: str) -> FhirtwinError:
    cause = error.orig
    if isinstance(cause, Exception):
        known = sqlite.error_of(cause) or postgresql.error_of(cause)
        if known:
            return known
    number = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    _log.error("the database refused a statement: %s, %s", type(error).__name__, number or "no answer")
    if place and error.statement is None:
        return Unavailable(f"The database cannot be opened ({place}): is it there, and may it be used?")
    return Unavailable("The database cannot be used now; nothing was stored.")
