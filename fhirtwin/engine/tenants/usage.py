"""What each tenant had, counted for all worker processes of one engine and after restarts: a small SQLite file.

Two transactions a call, measured at 70 µs together (`benchmarks/tenants.py`). Nothing here tells of a patient:
names of tenants, digests of models, and numbers.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fhirtwin.engine.tenants.tenant import Tenant
from fhirtwin.errors import QuotaUsedUp
from fhirtwin.small_database import SmallDatabase

_MINUTE, _DAY = 60, 86_400
_BYTES, _MICROSECONDS, _ANSWERS = "bytes", "microseconds", "answers "

_SCRIPT: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS used (
    tenant TEXT NOT NULL,
    what TEXT NOT NULL,
    period INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    ever INTEGER NOT NULL,
    PRIMARY KEY (tenant, what)
) WITHOUT ROWID;
"""
_FAULT: Final = "The engine cannot count what its tenants use; see to its file usage.sqlite."
_ADD: Final = """
INSERT INTO used VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (tenant, what) DO UPDATE SET
    amount = CASE WHEN period < ?3 THEN ?4 ELSE amount + ?4 END, period = max(period, ?3), ever = ever + ?4
"""


@dataclass(frozen=True, slots=True)
class Used:
    """What a tenant had of one thing.

    Attributes:
        what: `bytes`, `microseconds`, or `answers ` and the digest of a model.
        amount: in the period that runs, or in the last one.
        ever: since the file was made.
    """

    tenant: str
    what: str
    amount: int
    ever: int


class Usage:
    """Counts and refuses. Threads and processes may share it.

    Args:
        path: of the file; made when it is not there.
        clock: gives seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._file = SmallDatabase(path, _SCRIPT, wait_seconds=1.0, fault=_FAULT)

    def take(self, tenant: Tenant, model: str, size: int, answers: int = 1) -> None:
        """Count a call before it is evaluated.

        Args:
            tenant: who calls.
            model: digest of what is asked for.
            size: of the message, in bytes.
            answers: how many vectors it asks answers for.

        Raises:
            QuotaUsedUp: it would be more than the tenant may have; then nothing is counted.
        """
        limits, now = tenant.limits, int(self._clock())
        asked = [
            (_BYTES, _MINUTE, size, limits.bytes_per_minute, "bytes a minute"),
            (_MICROSECONDS, _MINUTE, 1, _micro(limits.seconds_per_minute), "seconds of evaluation a minute"),
            (_ANSWERS + model, _DAY, answers, limits.answers_per_day, "answers of one model a day"),
        ]
        with self._file.writing() as db:
            for what, seconds, amount, most, told in asked:
                if most is not None and self._running(db, tenant.name, what, now // seconds) + amount > most:
                    raise QuotaUsedUp(f"The quota of {told} is used up.", retry_after=seconds - now % seconds)
            for what, seconds, amount, _, _ in asked:
                if what != _MICROSECONDS:
                    db.execute(_ADD, (tenant.name, what, now // seconds, amount))

    def settle(self, tenant: Tenant, seconds: float) -> None:
        """Count what an evaluation took."""
        with self._file.writing() as db:
            period = int(self._clock()) // _MINUTE
            db.execute(_ADD, (tenant.name, _MICROSECONDS, period, max(1, _micro(seconds) or 0)))

    def all(self) -> list[Used]:
        """Everything that was counted, by tenant."""
        with self._file.using() as db:
            rows = db.execute("SELECT tenant, what, amount, ever FROM used ORDER BY tenant, what").fetchall()
        return [Used(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @staticmethod
    def _running(db: sqlite3.Connection, tenant: str, what: str, period: int) -> int:
        """What was used in this period; a clock that was set back does not begin another one."""
        found = db.execute(
            "SELECT amount FROM used WHERE tenant = ? AND what = ? AND period >= ?", (tenant, what, period)
        ).fetchone()
        return int(found[0]) if found else 0


def _micro(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e6)
