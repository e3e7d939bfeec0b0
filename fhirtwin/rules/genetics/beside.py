"""Medicines beside the one that is looked at: taken, ordered, or stopped a while ago."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fhirtwin.pgx.phenoconversion import Taken
from fhirtwin.rules.genetics import naming
from fhirtwin.rules.pairs import DROPS
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.twin.state import Fact
from fhirtwin.twin.times import last_day

STOPPED_LATELY: Final = timedelta(days=90)
"""How long ago an inhibitor may have been stopped to be named. A limit of ours: no source tells when it wears off."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A medicine beside the one that is looked at.

    Attributes:
        taken: as the rules on inhibitors want it.
        order: the draft, where it is ordered.
        fact: what shows that it is taken, or was, where it is in the record.
    """

    taken: Taken
    order: Order | None = None
    fact: Fact | None = None


def beside(situation: Situation, but: Order | None = None) -> tuple[Beside, ...]:
    """Give all that is taken, was stopped lately, or is ordered, but for one order and what the record says of it."""
    return (*_recorded(situation, but), *_ordered(situation, but), *_stopped(situation))


def _recorded(situation: Situation, but: Order | None) -> Iterator[Beside]:
    for fact in situation.state.named("medicine"):
        if but is None or any(f"{source.type}/{source.id}" != but.reference for source in fact.sources):
            yield Beside(Taken(naming.name_of(str(fact.value))), fact=fact)


def _ordered(situation: Situation, but: Order | None) -> Iterator[Beside]:
    for order in situation.orders:
        if order.route not in DROPS and (but is None or order.reference != but.reference):
            for code in order.medicine.ingredients:
                yield Beside(Taken(naming.name_of(code), "draft"), order=order)


def _stopped(situation: Situation) -> Iterator[Beside]:
    now = {str(fact.value) for fact in situation.state.named("medicine")}
    for fact, taken in stopped(situation.ended, now, situation.day):
        yield Beside(taken, fact=fact)


def takings(others: Iterable[Beside]) -> tuple[Taken, ...]:
    """Give what acts on enzymes, without where it is from."""
    return tuple(one.taken for one in others)


def at_work(others: Iterable[Beside], acting: Collection[Taken]) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """Name the drafts, and give the facts, of the medicines that change what genes mean.

    Args:
        others: what is beside the one that is looked at.
        acting: those that change it.
    """
    found = [one for one in others if one.taken in acting]
    drafts = dict.fromkeys(one.order.reference for one in found if one.order)
    return tuple(drafts), tuple(dict.fromkeys(one.fact for one in found if one.fact))


def stopped(ended: Iterable[Fact], now: Collection[str], day: date) -> Iterator[tuple[Fact, Taken]]:
    """Name each medicine that was stopped lately, once, with its last day.

    Args:
        ended: medicines that are over (`fhirtwin.twin.derived.ended`).
        now: RxNorm ingredients that are taken on the day.
        day: to count from.
    """
    last: dict[str, tuple[date, Fact]] = {}
    for fact in ended:
        code, end = str(fact.value), last_day(fact.end)
        if end and day - end <= STOPPED_LATELY and code not in now and (code not in last or last[code][0] < end):
            last[code] = end, fact
    for code, (end, fact) in last.items():
        yield fact, Taken(naming.name_of(code), "stopped", end)
