"""Interactions: ordered medicines against those taken now and against one another, by what labels say.

Rows are in `tables`. What a row says of one ordered medicine is one finding, with all that it meets; medicines that all
prolong the QT interval, and that no row speaks of, are one finding more, however many pairs they make.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Final

from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.kidney_measure import OLDEST
from fhirtwin.rules.orderable import QTC, TITLES
from fhirtwin.rules.pairs import Pair, pairs, removals
from fhirtwin.rules.saying import capital, how_read
from fhirtwin.rules.situation import Rule, Situation
from fhirtwin.rules.tables import bleeding, circulation, heart_rhythm, kidney, metabolism, serotonin
from fhirtwin.rules.tables.model import Interaction
from fhirtwin.terms import drugs
from fhirtwin.twin.derived import newest
from fhirtwin.twin.state import Fact
from fhirtwin.twin.times import last_day

TOPIC: Final = "interaction"
ROWS: Final = (*metabolism.ROWS, *serotonin.ROWS, *kidney.ROWS, *heart_rhythm.ROWS, *circulation.ROWS, *bleeding.ROWS)
_BY_INGREDIENT: Final = {
    code: tuple(row for row in ROWS if code in row.left or code in row.right)
    for code in frozenset().union(*(row.left | row.right for row in ROWS))
}
"""Ingredient to the rows that name it: a call asks for every pair that it makes, which are many."""


def interactions(situation: Situation) -> Iterator[Finding]:
    """Find every pair that a row of the tables speaks of; those of one row and one order together."""
    groups: dict[tuple[str, str], tuple[Interaction, list[Pair]]] = {}
    for pair in pairs(situation):
        for row in _rows(pair):
            groups.setdefault((row.id, pair.order.reference), (row, []))[1].append(pair)
    yield from (_finding(row, group, situation) for row, group in groups.values())


def prolong_qt_together(situation: Situation) -> Iterator[Finding]:
    """Find the medicines that all prolong the QT interval, where no row of the tables says so already."""
    group = [pair for pair in pairs(situation) if _both_prolong(pair)]
    if group:
        yield _finding(_qt_row(_met(group)), group, situation)


def _both_prolong(pair: Pair) -> bool:
    together = (pair.ingredient, pair.other)
    if pair.ingredient == pair.other or not all(code in heart_rhythm.PROLONGS for code in together):
        return False
    return not any("QT" in row.effect for row in _rows(pair))


def _rows(pair: Pair) -> Iterator[Interaction]:
    """The rows of the tables in which the two ingredients meet, in their order."""
    one, other = pair.ingredient, pair.other
    for row in _BY_INGREDIENT.get(one, ()) if one != other else ():
        if (one in row.left and other in row.right) or (other in row.left and one in row.right):
            yield row


def _met(group: Sequence[Pair]) -> tuple[str, ...]:
    """Ingredients of pairs, each once: those ordered first."""
    return tuple(dict.fromkeys(chain((p.ingredient for p in group), (p.other for p in group))))


def _qt_row(together: Sequence[str]) -> Interaction:
    """What the labels of medicines say that prolong the interval each for itself."""
    advice = [heart_rhythm.ADVICE[code] for code in together if code in heart_rhythm.ADVICE]
    sources = tuple(dict.fromkeys(heart_rhythm.PROLONGS[code] for code in together))
    said = "FDA labels say of each that it prolongs the QT interval, or name it among those that do."
    return Interaction(
        "qt-two",
        frozenset(together[:1]),
        frozenset(together[1:]),
        Severity.WARNING,
        f"{'both' if len(together) == 2 else 'all'} prolong the QT interval",
        " ".join([said, *advice]),
        sources,
        QTC,
        "qtc-interval",
    )


def _finding(row: Interaction, group: Sequence[Pair], situation: Situation) -> Finding:
    ordered = tuple(dict.fromkeys(pair.ingredient for pair in group))
    others = tuple(code for code in _met(group) if code not in ordered)
    measured = newest(situation.state, row.known_by) if row.known_by else None
    held = measured is not None and not _is_old(measured, situation.day)
    facts = dict.fromkeys(chain(*(pair.facts for pair in group), [measured] if measured else []))
    return Finding(
        rule=f"interaction.{row.id}",
        severity=row.severity,
        orders=tuple(dict.fromkeys(chain(*(pair.orders for pair in group)))),
        summary=f"{capital(_named(ordered))} with {_named(others)}: {row.effect}",
        detail=tuple(_detail(row, group, situation, measured)),
        facts=tuple(facts),
        sources=row.sources,
        remedies=tuple(_remedies(row, group, wanted=situation.has_results and not held)),
        topic=TOPIC,
    )


def _is_old(measured: Fact, day: date) -> bool:
    taken = last_day(measured.time)
    return taken is None or day - taken > OLDEST


def _named(codes: Iterable[str]) -> str:
    return ", ".join(map(drugs.name_of, codes))


def _detail(row: Interaction, group: Sequence[Pair], situation: Situation, measured: Fact | None) -> Iterator[str]:
    taken = tuple(dict.fromkeys(pair.other for pair in group if not pair.other_order))
    ordered = tuple(code for code in _met(group) if code not in taken)
    beside = f"; taken now, as the record says: {_named(taken)}" if taken else ""
    yield f"Ordered: {_named(ordered)}{beside}."
    yield row.advice
    if row.request:
        yield from _of_result(TITLES[row.request.code], measured, situation)
    yield from how_read(chain(*(pair.notes for pair in group)))


def _of_result(title: str, measured: Fact | None, situation: Situation) -> Iterator[str]:
    """What is to be said of the test that the source asks for."""
    if measured is None and situation.has_results:
        yield f"No result of {title} that could be used is recorded."
    elif measured is None:
        yield f"Whether a result of {title} is recorded is not known: results were not obtained."
    elif _is_old(measured, situation.day):
        newest_of = "The newest" if situation.has_results else "Newer results were not obtained; the newest known"
        yield f"{newest_of} {title} is of {measured.time[:10]}, more than a year old."


def _remedies(row: Interaction, group: Sequence[Pair], *, wanted: bool) -> Iterator[Remedy]:
    """Take an order away; order the test the source asks for. What forbids the medicines recommends the first.

    Where two drafts exclude one another, either may go: the source does not say which, so none is recommended.
    """
    forbidden = row.severity is Severity.CRITICAL
    yield from removals(group, recommended=forbidden and not any(pair.other_order for pair in group))
    if row.request:
        title = TITLES[row.request.code]
        yield Remedy(f"Order {title}", Act.REQUEST, code=row.request, recommended=wanted and not forbidden)


def sources() -> tuple[Citation, ...]:
    """Give every text that a row rests on, each once, for documentation and tests."""
    rows = chain((s for row in ROWS for s in row.sources), heart_rhythm.PROLONGS.values())
    return tuple(sorted(set(rows), key=lambda c: (c.label, c.url)))


RULES: Final[tuple[Rule, ...]] = (interactions, prolong_qt_together)
