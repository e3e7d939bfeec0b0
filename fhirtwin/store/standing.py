"""How the engine stands: asked and written within one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, text, update

from fhirtwin.store.advice_tables import cds_card, cds_feedback
from fhirtwin.store.schema import resource
from fhirtwin.store.standing_tables import engine_standing

_ENGINE: Final = "engine"
_OF_NAME: Final = engine_standing.c.engine == bindparam("wanted", _ENGINE)
_READ: Final = select(engine_standing).where(_OF_NAME)
_BEGIN: Final = text(
    "INSERT INTO engine_standing (engine, last_right, answered_right, answered_wrong, withdrawn) "
    "VALUES (:wanted, :moment, 0, 0, true) ON CONFLICT (engine) DO NOTHING"
)
_NEW: Final = {"wanted": _ENGINE, "moment": None}
_CHANGE: Final = update(engine_standing).where(_OF_NAME)
_RIGHT: Final = _CHANGE.values(
    last_right=bindparam("moment"), answered_right=engine_standing.c.answered_right + bindparam("number")
)
_WRONG: Final = _CHANGE.values(answered_wrong=engine_standing.c.answered_wrong + bindparam("number"))
_STORED_FROM: Final = (
    select(resource.c.id, resource.c.patient_origin, resource.c.patient_id)
    .where(
        resource.c.type == bindparam("wanted_type"),
        resource.c.deleted.is_(False),
        resource.c.last_updated >= bindparam("wanted_from"),
    )
    .order_by(resource.c.patient_origin, resource.c.patient_id, resource.c.number)
)
_DOUBTED_CARDS: Final = select(cds_feedback.c.card).where(cds_feedback.c.received >= bindparam("wanted_from"))
_FORGET_OVERRIDES: Final = (
    update(cds_card)
    .where(cds_card.c.overridden.is_not(None), cds_card.c.card.in_(_DOUBTED_CARDS))
    .values(overridden=None)
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the engine stands. Times are microseconds since 1970, UTC.

    Attributes:
        last_right: when an answer was noted as right last; None when none ever was.
        right, wrong: how many answers were noted as right and as wrong.
        quarantined: since when it is not asked; None while it is.
        doubted_from: reports stored from then on are doubted; None means all. Of use in quarantine only.
        withdrawn: whether those are withdrawn.
    """

    last_right: int | None = None
    right: int = 0
    wrong: int = 0
    quarantined: int | None = None
    doubted_from: int | None = None
    withdrawn: bool = True


class Standings:
    """Asks and writes within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> Standing:
        """How it stands now."""
        row = self._connection.execute(_READ).first()
        if row is None:
            return Standing()
        return Standing(
            row.last_right,
            row.answered_right,
            row.answered_wrong,
            row.quarantined,
            row.doubted_from,
            bool(row.withdrawn),
        )

    def watch(self, what: str, moment: int) -> None:
        """Begin to count right answers to golden cases of a model; until there is one, it counts from a moment on."""
        self._connection.execute(_BEGIN, {"wanted": _name(what), "moment": moment})

    def count_golden(self, what: str, *, right: int, moment: int) -> None:
        """Count right answers to golden cases of a model that is watched; they were right until a moment."""
        self._connection.execute(_RIGHT, {"wanted": _name(what), "moment": moment, "number": right})

    def last_golden(self, what: str) -> int | None:
        """When a golden case of a model was last answered rightly, or the watch began; None: it is not watched."""
        row = self._connection.execute(_READ, {"wanted": _name(what)}).first()
        return None if row is None else row.last_right

    def count(self, *, right: int, wrong: int, moment: int) -> None:
        """Count answers; right ones were right until a moment."""
        self._connection.execute(_BEGIN, _NEW)
        if right:
            self._connection.execute(_RIGHT, {"moment": moment, "number": right})
        if wrong:
            self._connection.execute(_WRONG, {"number": wrong})

    def quarantine(self, moment: int, doubted_from: int | None) -> Standing:
        """Let nobody ask the engine, and doubt reports stored from a moment on, or from an earlier one that stands.

        Args:
            moment: now; a quarantine that is in force began when it began.
            doubted_from: None for all reports.
        """
        self._connection.execute(_BEGIN, _NEW)
        found = self.read()
        if found.quarantined is not None:
            earliest = min(found.doubted_from or 0, doubted_from or 0)  # None is the beginning of time
            doubted_from = earliest or None
        same = found.quarantined is not None and found.doubted_from == doubted_from
        self._set(
            quarantined=moment if found.quarantined is None else found.quarantined,
            doubted_from=doubted_from,
            withdrawn=found.withdrawn and same,
        )
        return self.read()

    def settle(self, doubted_from: int | None) -> None:
        """Say that the reports that are doubted are withdrawn, unless more are doubted by now."""
        found = self.read()
        if found.quarantined is not None and found.doubted_from == doubted_from:
            self._set(withdrawn=True)

    def lift(self, moment: int) -> int:
        """Let the engine be asked again; what it says counts as right from now on.

        Overrides that came since reports are doubted hold nothing back any more: the same card may say what is right
        now. That is done here and not when reports are withdrawn, for users answer late.

        Returns:
            How many cards had such an override.
        """
        self._connection.execute(_BEGIN, _NEW)
        found = self.read()
        shown_again = 0
        if found.quarantined is not None:
            since = {"wanted_from": found.doubted_from or 0}
            shown_again = self._connection.execute(_FORGET_OVERRIDES, since).rowcount
        self._connection.execute(update(engine_standing).values(last_right=moment))
        self._set(quarantined=None, doubted_from=None, withdrawn=True)
        return shown_again

    def stored_from(self, type_: str, moment: int | None) -> list[tuple[tuple[str, str], str]]:
        """Resources of a type whose current version was stored at a moment or later: patient and id, by patient.

        Args:
            type_: of the resources.
            moment: microseconds since 1970, UTC; None for all.
        """
        wanted = {"wanted_type": type_, "wanted_from": moment or 0}
        found = self._connection.execute(_STORED_FROM, wanted)
        return [((row.patient_origin or "", row.patient_id or ""), row.id) for row in found]

    def _set(self, **values: Any) -> None:
        self._connection.execute(_CHANGE.values(**values))


def _name(what: str) -> str:
    """The row of a model: as much of its hash as the column has room for."""
    return f"g{what[:15]}"
