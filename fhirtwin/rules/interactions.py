"""Interactions: ordered medicines against those taken now and against one another, by what labels say.

Rows are in `tables`; two medicines that both prolong the QT interval, and that no row speaks of, are one finding more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.pairs import Pair, pairs
from fhirtwin.rules.situation import Rule, Situation
from fhirtwin.rules.tables import bleeding, heart_rhythm, kidney, metabolism, serotonin
from fhirtwin.rules.tables.model import QTC, Interaction
from fhirtwin.terms import drugs
from fhirtwin.twin.derived import newest
from fhirtwin.twin.state import Fact, TwinState

TOPIC: Final = "interaction"
ROWS: Final = (*metabolism.ROWS, *serotonin.ROWS, *kidney.ROWS, *heart_rhythm.ROWS, *bleeding.ROWS)


def interactions(situation: Situation) -> Iterator[Finding]:
    """Find every pair that a row of the tables speaks of."""
    for pair in pairs(situation):
        for row in ROWS:
            if _meet(row, pair):
                yield _finding(row, pair, situation.state)


def both_prolong_qt(situation: Situation) -> Iterator[Finding]:
    """Find pairs of which both prolong the QT interval, where no row of the tables says so already."""
    for pair in pairs(situation):
        together = (pair.ingredient, pair.other)
        if pair.ingredient == pair.other or not all(code in heart_rhythm.PROLONGS for code in together):
            continue
        if not any(_meet(row, pair) for row in ROWS if "QT" in row.effect):
            yield _finding(_qt_row(*together), pair, situation.state)


def _meet(row: Interaction, pair: Pair) -> bool:
    one, other = pair.ingredient, pair.other
    if one == other:
        return False
    return (one in row.left and other in row.right) or (other in row.left and one in row.right)


def _qt_row(one: str, other: str) -> Interaction:
    """What the labels of two medicines say that prolong the interval each for itself."""
    advice = [heart_rhythm.ADVICE[code] for code in (one, other) if code in heart_rhythm.ADVICE]
    sources = tuple(dict.fromkeys(heart_rhythm.PROLONGS[code] for code in (one, other)))
    said = "FDA labels say of each that it prolongs the QT interval, or name it among those that do."
    return Interaction(
        "qt-two",
        frozenset({one}),
        frozenset({other}),
        Severity.WARNING,
        "both prolong the QT interval",
        " ".join([said, *advice]),
        sources,
        QTC,
        "qtc-interval",
    )


def _finding(row: Interaction, pair: Pair, state: TwinState) -> Finding:
    one, other = drugs.name_of(pair.ingredient), drugs.name_of(pair.other)
    measured = newest(state, row.known_by) if row.known_by else None
    return Finding(
        rule=f"interaction.{row.id}",
        severity=row.severity,
        orders=pair.orders,
        summary=f"{one[:1].upper()}{one[1:]} with {other}: {row.effect}",
        detail=tuple(_detail(row, pair, measured)),
        facts=(*pair.facts, *([measured] if measured else [])),
        sources=row.sources,
        remedies=tuple(_remedies(row, pair, known=measured is not None)),
        topic=TOPIC,
    )


def _detail(row: Interaction, pair: Pair, measured: Fact | None) -> Iterator[str]:
    ordered, other = drugs.name_of(pair.ingredient), drugs.name_of(pair.other)
    beside = "is ordered beside it" if pair.other_order else "is taken now, as the record says"
    yield f"{ordered[:1].upper()}{ordered[1:]} is ordered; {other} {beside}."
    yield row.advice
    if row.request and measured is None:
        yield f"No result of {row.request.display} that could be used is recorded."
    yield from (f"A medicine was {note}." for note in pair.notes)


def _remedies(row: Interaction, pair: Pair, *, known: bool) -> Iterator[Remedy]:
    """Take the order away; order the test the source asks for. What forbids the two recommends the first."""
    forbidden = row.severity is Severity.CRITICAL
    name = drugs.name_of(pair.ingredient)
    yield Remedy(f"Remove the order of {name}", Act.REMOVE, order=pair.order.reference, recommended=forbidden)
    if row.request:
        wanted = not forbidden and not known
        yield Remedy(f"Order {row.request.display}", Act.REQUEST, code=row.request, recommended=wanted)


def sources() -> tuple[Citation, ...]:
    """Give every text that a row rests on, each once, for documentation and tests."""
    rows = chain((s for row in ROWS for s in row.sources), heart_rhythm.PROLONGS.values())
    return tuple(sorted(set(rows), key=lambda c: (c.label, c.url)))


RULES: Final[tuple[Rule, ...]] = (interactions, both_prolong_qt)
