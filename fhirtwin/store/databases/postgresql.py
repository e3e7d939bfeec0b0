"""PostgreSQL as the store uses it: what it promises is what SQLite promises, with other means.

* Durable: a connection on which a commit may be lost is not used.
* Readers are `REPEATABLE READ READ ONLY`: all answers of a transaction are of one moment.
* Writers take turns, by an advisory lock that is the first thing a transaction asks for. Each statement after it must
  see what was committed before the turn came, so the isolation is `READ COMMITTED`: a snapshot for the whole
  transaction would be of the moment at which the waiting began.
* Notes take no turn and do not wait for the disk: what they write is in tables of their own, row by row.
* Texts compare by code point (collation `C`), whatever the database's own language is.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final

import psycopg
from psycopg import IsolationLevel
from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from fhirtwin.errors import Busy, FhirtwinError, Incorrect, InsufficientStorage, TooCostly, Unavailable
from fhirtwin.store.databases import limits
from fhirtwin.store.databases.limits import Use

_TURN: Final = 0x6668_6972_7477_696E
"""The advisory lock that writers hold, one a database: `fhirtwin` in ASCII."""

_IDLE_SECONDS: Final = 60
"""How long a gateway that has stopped answering may hold a transaction, and with it the turn to write."""

_CONNECTING: Final = {"connect_timeout": 5, "tcp_user_timeout": 20_000, "keepalives_idle": 30}
"""For libpq, where the URL says nothing else: how long a server that has vanished is waited for."""

_NEVER_LOST: Final = ("synchronous_commit", "fsync", "full_page_writes")
"""Settings of the server; while one is off, a power cut takes acknowledged commits along, or the whole database."""

_ERRORS: Final[dict[str, tuple[type[FhirtwinError], str]]] = {
    "57014": (TooCostly, limits.TOO_LONG),
    "55P03": (Busy, limits.TOO_MANY_WRITERS),
    "40P01": (Busy, limits.TOO_MANY_WRITERS),
    "53300": (Busy, limits.TOO_MANY_WRITERS),
    "53100": (InsufficientStorage, limits.NO_ROOM),
}
"""By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html."""


def engine(url: URL, use: Use) -> Engine:
    """Connections to a server.

    Raises:
        Incorrect: the URL names another driver, or a server on a network without saying how it is protected there.
    """
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise Incorrect("FHIRTWIN_DATABASE_URL must name the driver psycopg: postgresql+psycopg://USER@HOST/DATABASE.")
    _require_protection(url)
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={name: value for name, value in _CONNECTING.items() if name not in url.query},
        pool_size=use.connections,
        max_overflow=0,
        pool_timeout=use.patience,
        pool_pre_ping=True,  # a server that was restarted is noticed before a caller's work is lost
        use_native_hstore=False,
    )

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:
        _prepare(connection, use)

    if use.writes and use.turns:

        @event.listens_for(made, "begin")
        def take_turn(connection: Connection) -> None:
            _take_turn(connection, use)

    return made


def error_of(error: Exception) -> FhirtwinError | None:
    """What the project says of an error of the driver; None when that is nothing in particular."""
    state = getattr(error, "sqlstate", None) or ""
    if state in _ERRORS:
        kind, text = _ERRORS[state]
        return kind(text)
    if isinstance(error, psycopg.DataError):
        return Incorrect(limits.NOT_COMPARABLE)
    return None


def compare_by_code_point(connection: Connection) -> None:
    """Let every text column of this schema sort and compare as SQLite does, whatever the database's own collation."""
    found = connection.execute(
        text("""
        SELECT format('ALTER TABLE %I ALTER COLUMN %I TYPE %s COLLATE "C"',
                      c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r' AND a.attnum > 0
          AND a.attcollation NOT IN (0, CAST('"C"' AS regcollation))
        """)
    ).scalars()
    for statement in found.all():
        connection.exec_driver_sql(statement)


def take_stock(connection: Connection) -> None:
    """Let searches be planned by what is there now; by itself, the server looks again after a minute."""
    connection.exec_driver_sql("ANALYZE")


def _require_protection(url: URL) -> None:
    """Refuse to send patients over a network on which libpq would silently do without TLS."""
    host = url.host or str(url.query.get("host", ""))
    if "sslmode" in url.query or not host or host.startswith("/") or host == "localhost":
        return
    try:
        if ip_address(host).is_loopback:
            return
    except ValueError:
        pass  # a name
    raise Incorrect(
        "FHIRTWIN_DATABASE_URL names a server on a network: say how the way there is protected, "
        "?sslmode=verify-full with sslrootcert, or another sslmode where nobody else is on that network."
    )


def _prepare(connection: psycopg.Connection[Any], use: Use) -> None:
    connection.isolation_level = IsolationLevel.READ_COMMITTED if use.writes else IsolationLevel.REPEATABLE_READ
    connection.read_only = not use.writes
    settings = {
        "statement_timeout": f"{use.seconds * 1000:.0f}",
        "lock_timeout": f"{use.patience * 1000:.0f}",
        "idle_in_transaction_session_timeout": str(_IDLE_SECONDS * 1000 if use.seconds else 0),
        # A patient has few resources and a code has many: what searches best depends on the values.
        "plan_cache_mode": "auto" if use.writes else "force_custom_plan",
    }
    if use.notes:
        settings["synchronous_commit"] = "off"
    asked = [*(f"set_config('{name}', '{value}', false)" for name, value in settings.items())]
    asked += [f"current_setting('{name}')" for name in _NEVER_LOST]
    connection.autocommit = True
    answered = connection.execute(f"SELECT {', '.join(asked)}").fetchone() or ()
    connection.autocommit = False
    for name, value in zip(_NEVER_LOST, answered[len(settings) :], strict=True):
        if value == "off" and name not in settings:
            connection.close()
            raise Unavailable(f"PostgreSQL may lose what it acknowledged: its setting {name} is off; set it to on.")


def _take_turn(connection: Connection, use: Use) -> None:
    """Wait until no other transaction writes. Waiting has an end of its own, which is not that of a statement."""
    connection.exec_driver_sql(
        f"SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({_TURN}); "
        f"SET LOCAL statement_timeout = {use.seconds * 1000:.0f}"
    )
