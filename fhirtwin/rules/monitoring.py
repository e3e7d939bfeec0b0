"""Missing monitoring: results that a medicine needs and that are not there, or are older than its source lets pass.

A result counts when the twin uses it. One that was seen and not used (a bound such as `>90`, a unit that cannot be
converted) does not count, and the finding says that only usable results do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.monitoring_row import Due, MonitoringRow
from fhirtwin.rules.monitoring_table import ROWS
from fhirtwin.rules.saying import capital
from fhirtwin.rules.situation import Situation
from fhirtwin.terms import drugs
from fhirtwin.terms.concepts.observations import SETS
from fhirtwin.twin import gaps
from fhirtwin.twin.state import Fact, TwinState
from fhirtwin.twin.times import begins, last_day

TOPIC: Final = "monitoring"
_LIMITS: Final = (
    "Only results that the twin can use count.",
    "The values themselves are not judged here: only whether they are there and how old they are.",
)
UNREAD_LISTED: Final = 20
"""How many medicines that could not be read are named."""

_R4: Final = Citation(
    "FHIR R4, the medicine of a request is told by its codes",
    "http://hl7.org/fhir/R4/medicationrequest-definitions.html#MedicationRequest.medication_x_",
)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A check that is due.

    Attributes:
        due: what, and how often.
        last: the newest result; None when none is known.
    """

    due: Due
    last: Fact | None


def monitoring(situation: Situation, ordered: Collection[str] = ()) -> Iterator[Finding]:
    """Find what is due under the medicines that are ordered, and that nobody has ordered.

    Args:
        situation: orders and patient.
        ordered: LOINC codes of what is ordered already.
    """
    for row in ROWS:
        asked = [o for o in situation.orders if row.ingredients & set(o.medicine.ingredients)]
        if asked:
            named = {code for o in asked for code in o.medicine.ingredients if code in row.ingredients}
            orders = tuple(o.reference for o in asked)
            yield from _finding(row, named, orders, _wanted(row, situation.state, situation.day, ordered))


def monitoring_of_taken(state: TwinState, day: date, ordered: Collection[str] = ()) -> Iterator[Finding]:
    """Find what is due under the medicines that are taken on a day, and that nobody has ordered.

    Args:
        state: the twin as of the day; its `medicine` facts are those taken on it.
        day: the day.
        ordered: LOINC codes of what is ordered already.
    """
    taken = {f.value for f in state.named("medicine")}
    for row in ROWS:
        if row.ingredients & taken:
            named = {code for code in row.ingredients if code in taken}
            yield from _finding(row, named, (), _wanted(row, state, day, ordered))


def unread_medicines(state: TwinState) -> Iterator[Finding]:
    """Say how many medicines that are taken could not be read, so that nobody takes their monitoring for looked at."""
    left = {one.source for one in gaps.unread_medicines(state)}
    if left:
        many = len(left) > 1
        yield Finding(
            rule="monitoring.unread",
            severity=Severity.INFO,
            orders=(),
            summary=f"{len(left)} medicine{'s' if many else ''} of the record could not be read",
            detail=(
                f"What {'they need' if many else 'it needs'} to be monitored was not looked at.",
                *sorted(f"{s.type} {s.id}" for s in left)[:UNREAD_LISTED],
            ),
            facts=(),
            sources=(_R4,),
            topic=TOPIC,
        )


def overdue(row: MonitoringRow, state: TwinState, day: date) -> list[Overdue]:
    """Give the checks of a row that are due on a day, in the order of the row."""
    found = []
    for due in row.dues:
        last = newest_of(state, due.check.facts)
        measured = last_day(last.time) if last else None
        if measured is None or day - measured > due.every:
            found.append(Overdue(due, last))
    return found


def _wanted(row: MonitoringRow, state: TwinState, day: date, ordered: Collection[str]) -> list[Overdue]:
    return [o for o in overdue(row, state, day) if codes_of(o.due).isdisjoint(ordered)]


def codes_of(due: Due) -> frozenset[str]:
    """Give the LOINC codes by which a result that answers a check may be ordered."""
    return frozenset({due.check.order.code, *(c for s in SETS if s.fact in due.check.facts for c in s.rows)})


def newest_of(state: TwinState, names: tuple[str, ...]) -> Fact | None:
    """Give the newest dated fact of these names; when two are of the same time it does not matter which."""
    dated = (f for f in state.named(*names) if f.time)
    return max(dated, key=lambda f: (begins(f.time), f.name), default=None)


def _finding(
    row: MonitoringRow, named: Collection[str], orders: tuple[str, ...], due: list[Overdue]
) -> Iterator[Finding]:
    if not due:
        return
    titles = ", ".join(o.due.check.title for o in due)
    yield Finding(
        rule=f"monitoring.{_slug(row.name)}.{'+'.join(o.due.check.key for o in due)}",
        severity=Severity.WARNING,
        orders=orders,
        summary=f"{capital(', '.join(sorted(map(drugs.name_of, named))))}: monitoring is due ({titles})",
        detail=(f"The source speaks of: {row.name}.", *(_line(o) for o in due), *_LIMITS),
        facts=tuple(o.last for o in due if o.last),
        sources=(row.source,),
        remedies=tuple(_remedy(o) for o in due),
        topic=TOPIC,
    )


def _line(overdue_: Overdue) -> str:
    last, due = overdue_.last, overdue_.due
    title = capital(due.check.title)
    when = f"last of {last.time[:10]}" if last else "no result is known"
    return f"{title}: {when}; {due.words}."


def _remedy(overdue_: Overdue) -> Remedy:
    check = overdue_.due.check
    verb = "Measure" if check.key in ("weight", "blood-pressure") else "Order"
    return Remedy(f"{verb} {check.title}", Act.REQUEST, code=check.order, recommended=True)


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
