"""What a database may be asked to do for one caller, and what is said beyond it; the same for every database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BUSY_SECONDS: Final = 10
"""How long a writer waits for its turn, or anybody for a connection, before the caller is told to come back."""

NOTE_SECONDS: Final = 0.5
"""How long a note waits likewise: nobody's answer is to be late for it."""

TOO_MANY_WRITERS: Final = "Too many callers at once; try again."
NO_ROOM: Final = "The database has no room left, so nothing was stored. Reading goes on; make room, then repeat."
TOO_LONG: Final = (
    "This took the database longer than a statement may (FHIRTWIN_STATEMENT_TIMEOUT_SECONDS); ask for less."
)

NOT_COMPARABLE: Final = (
    "A value of this request can be neither kept nor compared: mind the character U+0000 and numbers beyond 64 bits."
)


@dataclass(frozen=True, slots=True)
class Use:
    """What connections are for.

    Attributes:
        writes: whether transactions write.
        connections: most that are open at once in this process.
        seconds: longest that one statement may take; 0 for no end.
        turns: whether each transaction that writes waits until it is the only one; on SQLite it always does.
        notes: whether what is written are notes: they are not waited for until the disk has them, so a power cut may
            take the newest along, and they never make anybody wait long.
    """

    writes: bool
    connections: int
    seconds: float
    turns: bool = True
    notes: bool = False

    @property
    def patience(self) -> float:
        """Seconds to wait for a turn, or for a connection."""
        return NOTE_SECONDS if self.notes else BUSY_SECONDS


UPKEEP: Final = Use(writes=True, connections=1, seconds=0)
"""For what runs once and takes as long as it takes."""
