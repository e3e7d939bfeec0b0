"""Which cards were given to whom, what became of them, and how often: asked and written within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, text, update

from fhirtwin.store.advice_tables import cds_call_count, cds_card, cds_feedback, cds_outcome_count
from fhirtwin.twin.state import PatientKey

DAY: Final = 86_400_000_000
"""Microseconds of a day."""


def day_of(moment: int) -> str:
    """The day (UTC) of a moment in microseconds since 1970."""
    return datetime.fromtimestamp(moment / 1e6, UTC).date().isoformat()


@dataclass(frozen=True, slots=True)
class GivenCard:
    """A card as one user got it.

    Attributes:
        card: its uuid, as the client has it.
        finding: the uuid that the service gave it.
        user: `Type/id` of who sat before the screen; empty where the hook tells nobody.
        caller: the client that it was given to.
        suggestions: uuids of what it suggested.
        reasons: system and code of the override reasons that it offered.
        first_given: microseconds since 1970, UTC.
        last_given: likewise; may be a day old.
        overridden: when it was overridden last, likewise; None where it never was, or was accepted since.
    """

    card: str
    service: str
    hook: str
    finding: str
    indicator: str
    patient: PatientKey
    user: str
    caller: str
    suggestions: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    first_given: int
    last_given: int
    overridden: int | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user made of a card.

    Attributes:
        digest: of all that the client said; the same item is kept once.
        outcome: `accepted` or `overridden`.
        suggestions: uuids of those that were accepted.
        reason: system and code of the reason chosen from those offered; empty texts where none was.
        outcome_time: when the user acted, in microseconds since 1970, UTC.
        received: when it came, likewise.
        caller: who sent it.
    """

    digest: str
    card: str
    outcome: str
    suggestions: tuple[str, ...]
    reason: tuple[str, str]
    comment: str
    outcome_time: int
    received: int
    caller: str


@dataclass(frozen=True, slots=True)
class CallCount:
    """What calls of a service came to.

    Attributes:
        answered: calls that were answered.
        silent: of these, those without a card.
        cards: cards shown.
        quietened: cards held back.
        refused: calls that were wrong or lacked data.
        failed: calls that failed here.
    """

    service: str
    day: str
    answered: int = 0
    silent: int = 0
    cards: int = 0
    quietened: int = 0
    refused: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How often cards of a service had an outcome, by the reason that was chosen."""

    service: str
    day: str
    outcome: str
    reason: tuple[str, str]
    number: int


_FIND: Final = select(cds_card).where(cds_card.c.card.in_(bindparam("wanted", expanding=True)))
_GIVE: Final = text(
    f"INSERT INTO cds_card ({', '.join(cds_card.c.keys())}) "  # noqa: S608 - names of our own columns
    f"VALUES ({', '.join(':' + name for name in cds_card.c.keys())}) ON CONFLICT (card) DO NOTHING"  # noqa: SIM118
)
_TOUCH: Final = (
    update(cds_card).where(cds_card.c.card.in_(bindparam("wanted", expanding=True))).values(last_given=bindparam("now"))
)
_MARK: Final = (
    update(cds_card).where(cds_card.c.card == bindparam("wanted")).values(overridden=bindparam("new_overridden"))
)
_OLD: Final = (
    select(cds_card.c.card)
    .where(cds_card.c.last_given < bindparam("before"))
    .order_by(cds_card.c.last_given)
    .limit(bindparam("most"))
)
_FORGET: Final = (
    delete(cds_feedback).where(cds_feedback.c.card.in_(bindparam("wanted", expanding=True))),
    delete(cds_card).where(cds_card.c.card.in_(bindparam("wanted", expanding=True))),
)
_NEWS: Final = select(cds_feedback.c.digest).where(cds_feedback.c.digest.in_(bindparam("wanted", expanding=True)))
_KEEP: Final = insert(cds_feedback)
_NUMBERS: Final = ("answered", "silent", "cards", "quietened", "refused", "failed")
_COUNTED: Final = ("service", "day", *_NUMBERS)
_COUNT_CALL: Final = text(
    f"INSERT INTO cds_call_count (service, day, {', '.join(_NUMBERS)}) "  # noqa: S608
    f"VALUES (:service, :day, {', '.join(':' + name for name in _NUMBERS)}) ON CONFLICT (service, day) DO UPDATE SET "
    + ", ".join(f"{name} = cds_call_count.{name} + excluded.{name}" for name in _NUMBERS)
)
_COUNT_OUTCOME: Final = text(
    "INSERT INTO cds_outcome_count (service, day, outcome, reason_system, reason_code, number) "
    "VALUES (:service, :day, :outcome, :reason_system, :reason_code, :number) "
    "ON CONFLICT (service, day, outcome, reason_system, reason_code) "
    "DO UPDATE SET number = cds_outcome_count.number + excluded.number"
)


class Advice:
    """Asks and writes within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, cards: Collection[str]) -> dict[str, GivenCard]:
        """Those of the cards that were given, by their uuid."""
        if not cards:
            return {}
        found = self._connection.execute(_FIND, {"wanted": sorted(cards)})
        return {row.card: _given(row) for row in found}

    def give(self, cards: Iterable[GivenCard]) -> None:
        """Keep cards that are given for the first time; one that is kept already stays as it is."""
        rows = [_card_row(card) for card in sorted(cards, key=lambda one: one.card)]
        if rows:
            self._connection.execute(_GIVE, rows)

    def give_again(self, cards: Collection[str], now: int) -> None:
        """Let cards be as new as this."""
        if cards:
            self._connection.execute(_TOUCH, {"wanted": sorted(cards), "now": now})

    def forget(self, before: int, most: int) -> None:
        """Remove cards that were last given before a moment, with their feedback; the oldest, and not more than `most`.

        Args:
            before: microseconds since 1970, UTC.
            most: how many.
        """
        old = self._connection.execute(_OLD, {"before": before, "most": most}).scalars().all()
        if old:
            for statement in _FORGET:
                self._connection.execute(statement, {"wanted": sorted(old)})

    def kept(self, digests: Collection[str]) -> set[str]:
        """Those of the digests whose feedback is kept already."""
        return set(self._connection.execute(_NEWS, {"wanted": sorted(digests)}).scalars())

    def keep(self, feedback: Sequence[Feedback]) -> None:
        """Keep feedback that is not kept yet."""
        if feedback:
            self._connection.execute(_KEEP, [_feedback_row(one) for one in feedback])

    def mark(self, card: str, overridden: int | None) -> None:
        """Say when a card was overridden last; None: it was accepted since."""
        self._connection.execute(_MARK, {"wanted": card, "new_overridden": overridden})

    def count_call(self, count: CallCount) -> None:
        """Add to what the calls of a day came to."""
        self._connection.execute(_COUNT_CALL, {name: getattr(count, name) for name in _COUNTED})

    def count_outcomes(self, counts: Iterable[OutcomeCount]) -> None:
        """Add to the outcomes of their days."""
        rows = [
            {
                "service": one.service,
                "day": one.day,
                "outcome": one.outcome,
                "reason_system": one.reason[0],
                "reason_code": one.reason[1],
                "number": one.number,
            }
            for one in counts
        ]
        if rows:
            self._connection.execute(_COUNT_OUTCOME, sorted(rows, key=lambda row: tuple(map(str, row.values()))))

    def calls(self, first_day: str, last_day: str) -> list[CallCount]:
        """What the calls of each service came to, over days that are both counted in; `day` is empty."""
        counted = cds_call_count.c
        sums = [func.sum(counted[name]).label(name) for name in _NUMBERS]
        asked = (
            select(counted.service, *sums)
            .where(counted.day.between(first_day, last_day))
            .group_by(counted.service)
            .order_by(counted.service)
        )
        found = self._connection.execute(asked)
        return [CallCount(row.service, "", *(int(getattr(row, name)) for name in _NUMBERS)) for row in found]

    def outcomes(self, first_day: str, last_day: str) -> list[OutcomeCount]:
        """Outcomes by service and reason, over days that are both counted in; `day` is empty."""
        counted = cds_outcome_count.c
        by = (counted.service, counted.outcome, counted.reason_system, counted.reason_code)
        asked = (
            select(*by, func.sum(counted.number).label("number"))
            .where(counted.day.between(first_day, last_day))
            .group_by(*by)
            .order_by(*by)
        )
        found = self._connection.execute(asked)
        return [
            OutcomeCount(row.service, "", row.outcome, (row.reason_system, row.reason_code), int(row.number))
            for row in found
        ]


def _given(row: Row[Any]) -> GivenCard:
    return GivenCard(
        card=row.card,
        service=row.service,
        hook=row.hook,
        finding=row.finding,
        indicator=row.indicator,
        patient=PatientKey(row.patient_origin, row.patient_id),
        user=row.user_reference,
        caller=row.caller,
        suggestions=msgspec.json.decode(row.suggestions, type=tuple[str, ...]),
        reasons=msgspec.json.decode(row.reasons, type=tuple[tuple[str, str], ...]),
        first_given=row.first_given,
        last_given=row.last_given,
        overridden=row.overridden,
    )


def _card_row(card: GivenCard) -> dict[str, Any]:
    return {
        "card": card.card,
        "service": card.service,
        "hook": card.hook,
        "finding": card.finding,
        "indicator": card.indicator,
        "patient_origin": card.patient.origin,
        "patient_id": card.patient.id,
        "user_reference": card.user,
        "caller": card.caller,
        "suggestions": msgspec.json.encode(card.suggestions),
        "reasons": msgspec.json.encode(card.reasons),
        "first_given": card.first_given,
        "last_given": card.last_given,
        "overridden": card.overridden,
    }


def _feedback_row(one: Feedback) -> dict[str, Any]:
    return {
        "digest": one.digest,
        "card": one.card,
        "outcome": one.outcome,
        "suggestions": msgspec.json.encode(one.suggestions),
        "reason_system": one.reason[0],
        "reason_code": one.reason[1],
        "comment": one.comment,
        "outcome_time": one.outcome_time,
        "received": one.received,
        "caller": one.caller,
    }
