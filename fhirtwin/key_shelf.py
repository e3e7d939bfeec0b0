"""Where keys of circuits that last lie between starts, sealed: a small SQLite file. Nothing here can open them.

What a key is, and what seals it, is the vault's affair. A row says which circuit it is for, since when, how often it
may have opened something, and whether it is used; its secret is erased when it is used no more.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fhirtwin.errors import Incorrect
from fhirtwin.small_database import SmallDatabase

NAME: Final = "circuit-keys.sqlite"
IN_USE, RETIRED, REVOKED = "in use", "retired", "revoked"

_SCRIPT: Final = """
PRAGMA journal_mode = DELETE;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS key (
    id TEXT PRIMARY KEY, circuit TEXT NOT NULL, made INTEGER NOT NULL, openings INTEGER NOT NULL,
    state TEXT NOT NULL, sealed BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS salt (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), salt BLOB NOT NULL);
"""
_FAULT: Final = f"The file of keys of circuits, {NAME}, cannot be used."


@dataclass(frozen=True, slots=True)
class ShelvedKey:
    """One key.

    Attributes:
        id: random; says nothing of the key.
        circuit: profile and digest of what it is for.
        made: seconds since 1970.
        openings: how many answers it was let open, at most.
        state: `in use`, `retired` or `revoked`.
        sealed: the key; nothing when it is not in use.
    """

    id: str
    circuit: str
    made: int
    openings: int
    state: str
    sealed: bytes = b""


class KeyShelf:
    """Keeps sealed keys. Threads and processes may share it.

    Args:
        path: of the file; made, mode 0600, when it is not there.
        clock: gives seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._file = SmallDatabase(path, _SCRIPT, wait_seconds=5.0, fault=_FAULT)
        with self._file.using() as db:
            db.execute("INSERT OR IGNORE INTO salt VALUES (1, ?)", (secrets.token_bytes(16),))

    @property
    def salt(self) -> bytes:
        """Random bytes that go with this shelf."""
        with self._file.using() as db:
            return bytes(db.execute("SELECT salt FROM salt").fetchone()[0])

    def add(self, key_id: str, circuit: str, sealed: bytes) -> None:
        """Put a new key in the place of those of its circuit."""
        with self._file.writing() as db:
            self._retire(db, "circuit = ?", circuit)
            db.execute(
                "INSERT INTO key VALUES (?, ?, ?, 0, ?, ?)", (key_id, circuit, int(self._clock()), IN_USE, sealed)
            )

    def in_use(self, circuit: str) -> ShelvedKey | None:
        """The key of a circuit, if there is one."""
        with self._file.using() as db:
            row = db.execute("SELECT * FROM key WHERE circuit = ? AND state = ?", (circuit, IN_USE)).fetchone()
        return ShelvedKey(*row) if row else None

    def grant(self, key_id: str, openings: int, most: int, longest: float) -> bool:
        """Let a key open so many answers more.

        Args:
            key_id: names it.
            openings: how many.
            most: that one key may open.
            longest: seconds that one key is used for.

        Returns:
            Whether it may; a key that is not in use, too old, or used too often may not.
        """
        with self._file.writing() as db:
            done = db.execute(
                "UPDATE key SET openings = openings + ?1"
                " WHERE id = ?2 AND state = ?3 AND openings + ?1 <= ?4 AND made > ?5",
                (openings, key_id, IN_USE, most, self._clock() - longest),
            )
            return done.rowcount == 1

    def is_in_use(self, key_id: str) -> bool:
        """Whether a key was neither replaced nor revoked."""
        with self._file.using() as db:
            return db.execute("SELECT 1 FROM key WHERE id = ? AND state = ?", (key_id, IN_USE)).fetchone() is not None

    def all(self) -> list[ShelvedKey]:
        """Every key that there was, the newest last, without their secrets."""
        with self._file.using() as db:
            rows = db.execute("SELECT id, circuit, made, openings, state FROM key ORDER BY made, id").fetchall()
        return [ShelvedKey(*row) for row in rows]

    def retire(self, key_id: str) -> None:
        """Use a key no more; it is replaced when one is needed."""
        with self._file.writing() as db:
            self._retire(db, "id = ?", key_id)

    def retire_all(self) -> int:
        """Use no key of now any more; returns how many there were."""
        with self._file.writing() as db:
            return self._retire(db, "TRUE")

    def revoke(self, key_id: str) -> None:
        """Use a key no more, for it may be known to others.

        Raises:
            Incorrect: there is no such key.
        """
        with self._file.writing() as db:
            done = db.execute("UPDATE key SET state = ?, sealed = NULL WHERE id = ?", (REVOKED, key_id))
            if not done.rowcount:
                raise Incorrect(f"There is no key {key_id}; `fhirtwin keys circuits list` shows those there are.")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @staticmethod
    def _retire(db: sqlite3.Connection, where: str, *which: str) -> int:
        """Retire those keys that are in use; returns how many there were."""
        statement = f"UPDATE key SET state = ?, sealed = NULL WHERE state = ? AND {where}"  # noqa: S608
        return db.execute(statement, (RETIRED, IN_USE, *which)).rowcount
