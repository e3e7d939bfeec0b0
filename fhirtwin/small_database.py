"""A small SQLite file that threads and processes share: made with mode 0600, changed in transactions.

What is in it is the affair of whoever opens it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fhirtwin.errors import Fault


class SmallDatabase:
    """One connection to the file; threads take turns with it.

    Args:
        path: of the file; made, mode 0600, when it is not there.
        script: SQL that is run at each start: pragmas, and tables that are made when they are not there.
        wait_seconds: how long other processes are waited for.
        fault: what is told when the file cannot be used.

    Raises:
        Fault: it cannot.
    """

    def __init__(self, path: Path, script: str, *, wait_seconds: float, fault: str) -> None:
        self._fault = fault
        self._lock = threading.Lock()
        with self._faults():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, timeout=wait_seconds, isolation_level=None, check_same_thread=False)
            self._db.executescript(script)

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """Use the connection in the block, for one statement.

        Raises:
            Fault: the file cannot be used.
        """
        with self._faults(), self._lock:
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change the file in the block: all of it is done, or nothing.

        Raises:
            Fault: the file cannot be used.
        """
        with self.using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise Fault(self._fault) from error
