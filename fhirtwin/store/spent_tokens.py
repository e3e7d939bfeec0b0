"""Tokens that were used, so that none is used twice, whichever process or machine it is shown to.

On SQLite they have a file of their own: a call with a token must not wait until a long transaction has been stored. On
PostgreSQL they are a table of the same database, which gateways on several machines share, outside the turns of
writers. It is made when it is missing and holds nothing worth copying: a row is of use for minutes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sqlalchemy import BigInteger, Column, Engine, LargeBinary, MetaData, Table, delete

from fhirtwin.settings import Settings
from fhirtwin.store.databases import engines
from fhirtwin.store.databases.limits import Use

_SWEEP_SECONDS: Final = 60
_NAME: Final = "spent-tokens.sqlite"

_metadata: Final = MetaData()
_spent: Final = Table(
    "spent_token",
    _metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
)
_SPEND: Final = "INSERT INTO spent_token (digest, until) VALUES ({0}, {0}) ON CONFLICT DO NOTHING"


class SpentTokens:
    """Which tokens were used. Made by `SpentTokens.open`; safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock
        # In the driver's own words: this is done at each call, and SQLAlchemy's cost as much as the database.
        self._statement = _SPEND.format("?" if engine.dialect.paramstyle == "qmark" else "%s")
        self._swept = 0.0

    @classmethod
    def open(cls, settings: Settings, clock: Callable[[], float] = time.time) -> SpentTokens:
        """Open, and make the table when it is not there.

        Raises:
            Incorrect: the settings name no database that can be used.
            Unavailable: it cannot be opened.
        """
        if engines.url_of(settings).get_backend_name() == "sqlite":
            settings = replace(settings, database_url=f"sqlite:///{(settings.data / _NAME).absolute()}")
        with engines.upkeep(settings) as connection:
            _metadata.create_all(connection)
        use = Use(True, 1, settings.statement_timeout_seconds, turns=False)
        return cls(engines.make(settings, use), clock)

    def spend(self, issuer: str, id_: str, until: int) -> bool:
        """Whether a token is used for the first time; from now on it was used.

        Args:
            issuer: who made it.
            id_: what it differs by from others of that issuer.
            until: when it is out of force, in seconds since 1970; it is forgotten some time after.

        Raises:
            Busy, InsufficientStorage, Unavailable: as the database has it; then nothing is known.
        """
        # The length keeps ("a", "b c") from being ("a b", "c").
        digest = hashlib.sha256(f"{len(issuer)} {issuer} {id_}".encode()).digest()
        with engines.told(), self._engine.begin() as connection:
            new = connection.exec_driver_sql(self._statement, (digest, until)).rowcount == 1
            now = self._clock()
            if not 0 <= now - self._swept < _SWEEP_SECONDS:
                connection.execute(delete(_spent).where(_spent.c.until < int(now)))
                self._swept = now
        return new

    def close(self) -> None:
        """Give the connection back."""
        self._engine.dispose()
