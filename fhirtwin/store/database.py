"""The store: one database behind one class, for all threads of a process; several processes may share the database.

Writers take turns, readers see the moment they began at and never wait. What is asked for and what is promised is the
same on SQLite and on PostgreSQL; how each keeps the promise stands in `sqlite` and `postgresql`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from fhirtwin import cutoff, timing
from fhirtwin.access.visibility import View
from fhirtwin.errors import Busy
from fhirtwin.fhir.search.query import Query
from fhirtwin.settings import Settings
from fhirtwin.store import reindexing
from fhirtwin.store.advice import Advice
from fhirtwin.store.databases import engines, limits, revisions
from fhirtwin.store.databases.limits import Use
from fhirtwin.store.reading import Page, Reader
from fhirtwin.store.standing import Standings
from fhirtwin.store.writing import Writer
from fhirtwin.twin.state import PatientKey, StoredVersion, TwinState


class Store:
    """Everything that is kept. Made by `Store.open`; safe to share between threads."""

    def __init__(self, reading: Engine, writing: Engine, noting: Engine) -> None:
        self._reading = reading
        self._writing = writing
        self._noting = noting
        self._turn = threading.Lock()
        """Held while this process writes, so that its threads wait in a row and not for the database."""
        self._turn_to_note = self._turn if engines.has_one_writer(noting) else threading.Lock()

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Open the database that the settings name; an empty one gets the schema.

        Raises:
            Incorrect: the database has another schema version, or cannot be opened; the text says what to do.
            Unavailable: it cannot be reached, or would not keep what it acknowledges.
        """
        with engines.upkeep(settings) as connection:
            if revisions.require(connection):
                reindexing.rebuild(connection, settings.base_url)
            reindexing.require(connection)
        seconds = settings.statement_timeout_seconds
        return cls(
            engines.make(settings, Use(False, settings.database_connections, seconds)),
            engines.make(settings, Use(True, 1, seconds)),
            engines.make(settings, Use(True, 1, seconds, turns=False, notes=True)),
        )

    def close(self) -> None:
        """Give all connections back."""
        self._reading.dispose()
        self._writing.dispose()
        self._noting.dispose()

    def ready(self) -> None:
        """Return when the database answers.

        Raises:
            Unavailable: it does not.
        """
        with engines.told(), self._reading.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        """Read within one transaction: all answers are of the same moment.

        Raises:
            TooCostly: a statement took longer than one may.
            Busy: no connection became free in time.
            Unavailable: the database cannot be read now.
        """
        with engines.told(), self._reading.begin() as connection:
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """One unit of work: committed when the block ends, undone when it raises.

        Raises:
            Busy: other writers took longer than a caller should wait.
            InsufficientStorage: the disk is full.
            TooCostly: a statement took longer than one may.
            Unavailable: the database cannot be written now, or nobody waits for this work any more (`cutoff`).
        """
        cutoff.require_waiting()
        if not self._turn.acquire(timeout=limits.BUSY_SECONDS):
            raise Busy(limits.TOO_MANY_WRITERS)
        try:
            with engines.told(), self._writing.connect() as connection, connection.begin() as unit:
                writer = Writer(connection)
                yield writer
                with timing.stage("store"):  # the disk has it when this returns
                    writer.flush()
                    with cutoff.committing():
                        unit.commit()
        finally:
            self._turn.release()

    @contextmanager
    def note(self) -> Iterator[Advice]:
        """Note what cards are given, beside an answer that must not be late for it; undone when the block raises.

        Unlike `write` it does not wait until the disk has it, and waits half a second for others at most.

        Raises:
            Busy: other writers took longer than that.
            InsufficientStorage, TooCostly, Unavailable: as `write`.
        """
        with self._noted(limits.NOTE_SECONDS) as connection:
            yield Advice(connection)

    @contextmanager
    def note_standing(self) -> Iterator[Standings]:
        """Note how the engine stands, beside an answer that must not be late for it; as `note`, without waiting.

        Raises:
            Busy: somebody else writes.
            InsufficientStorage, TooCostly, Unavailable: as `write`.
        """
        with self._noted(0) as connection:
            yield Standings(connection)

    @contextmanager
    def _noted(self, seconds: float) -> Iterator[Connection]:
        if not self._turn_to_note.acquire(timeout=seconds):
            raise Busy(limits.TOO_MANY_WRITERS)
        try:
            with engines.told(), self._noting.begin() as connection:
                yield connection
        finally:
            self._turn_to_note.release()

    def read(self, type_: str, id_: str) -> StoredVersion | None:
        """As `Reader.read`."""
        with self.snapshot() as reader:
            return reader.read(type_, id_)

    def vread(self, type_: str, id_: str, version: int) -> StoredVersion | None:
        """As `Reader.vread`."""
        with self.snapshot() as reader:
            return reader.vread(type_, id_, version)

    def source(self, stored: StoredVersion) -> bytes:
        """As `Reader.source`."""
        with self.snapshot() as reader:
            return reader.source(stored)

    def search(self, query: Query, view: View) -> Page:
        """As `Reader.search`."""
        with self.snapshot() as reader:
            return reader.search(query, view)

    def twin(self, patient: PatientKey) -> TwinState | None:
        """As `Reader.twin`."""
        with self.snapshot() as reader:
            return reader.twin(patient)
