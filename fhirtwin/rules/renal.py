"""Renal dosing: an ordered medicine against the kidney function that its label asks for.

For every order of a medicine that has a row there is a finding or a measured value outside of all ranges of the label:
where the measure is missing, or would mean nothing, the finding says so and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from fhirtwin.rules.findings import Act, Finding, Remedy, Severity
from fhirtwin.rules.kidney_measure import Estimate, Gap, measure
from fhirtwin.rules.renal_row import Action, Band, Metric, RenalRow
from fhirtwin.rules.renal_table import ROWS
from fhirtwin.rules.situation import Order, Rule, Situation
from fhirtwin.twin.state import Fact

TOPIC: Final = "renal-dosing"

LOCAL_ROUTES: Final = frozenset(
    {
        "54485002",  # Ophthalmic route
        "10547007",  # Otic route
        "6064005",  # Topical route
        "46713006",  # Nasal route
    }
)
"""SNOMED CT codes of routes by which little reaches the kidneys; a label for tablets says nothing of them."""

_SHOWN: Final = {"kg": "kg", "mg/dL": "mg/dL", "a": "years"}
_WORDS: Final = {"body-weight": "body weight", "egfr": "eGFR"}


def renal(situation: Situation) -> Iterator[Finding]:
    """Find orders that the kidney function of the patient speaks against, and those that it could not be told for.

    What is missing for several medicines is said once.
    """
    bands: dict[tuple[str, str], tuple[RenalRow, Band, Estimate, list[Order]]] = {}
    gaps: dict[str, tuple[list[Gap], list[tuple[RenalRow, Order]]]] = {}
    for order in situation.orders:
        for row in rows_for(order):
            found = measure(situation, row.metric)
            if isinstance(found, Gap):
                of_key = gaps.setdefault(found.key, ([], []))
                of_key[0].append(found)
                of_key[1].append((row, order))
                continue
            for band in (b for b in row.bands if found.value in b.range):
                bands.setdefault((row.name, band.key), (row, band, found, []))[3].append(order)
    yield from (_in_band(*told) for told in bands.values())
    for key, (found_gaps, asked) in gaps.items():
        wanted = " or ".join(dict.fromkeys(row.metric.value for row, _ in asked))
        yield not_judged(asked, _together(key, found_gaps), wanted)


def _together(key: str, gaps: Sequence[Gap]) -> Gap:
    """Put what several medicines lack into one, each thing once."""
    return Gap(
        key,
        tuple(dict.fromkeys(reason for gap in gaps for reason in gap.reasons)),
        tuple(dict.fromkeys(fact for gap in gaps for fact in gap.facts)),
        tuple(dict.fromkeys(remedy for gap in gaps for remedy in gap.remedies)),
    )


def rows_for(order: Order) -> Iterator[RenalRow]:
    """Give the rows whose medicine an order is for; none when it is given by a route that stays local."""
    if order.route not in LOCAL_ROUTES:
        yield from (row for row in ROWS if row.ingredients <= set(order.medicine.ingredients))


def _in_band(row: RenalRow, band: Band, found: Estimate, orders: Sequence[Order]) -> Finding:
    value = f"{row.metric.value} {found.value} {row.metric.shown_unit}"
    return Finding(
        rule=f"renal.{row.name}.{band.key}",
        severity=band.action.severity,
        orders=tuple(order.reference for order in orders),
        summary=f"{row.name.capitalize()}: {band.action.value} at {value}",
        detail=tuple(
            filter(
                None,
                (
                    band.advice,
                    f"The label's range is {band.range} {row.metric.shown_unit}. {made_from(found.facts)}",
                    row.weight if row.metric is Metric.CLEARANCE else "",
                    row.note,
                ),
            )
        ),
        facts=found.facts,
        sources=(row.label.citation,),
        remedies=tuple(_removals(row, band, orders)),
        topic=TOPIC,
    )


def _removals(row: RenalRow, band: Band, orders: Sequence[Order]) -> Iterator[Remedy]:
    """Take each draft away. It is recommended where the label forbids the medicine, whatever it is given for.

    Where the label asks for another dose, the prescriber writes it: no dose is put into a draft here.
    """
    forbidden = band.action is Action.CONTRAINDICATED and len(orders) == 1
    label = f"Remove {row.name}" if band.action.removes else f"Remove this order of {row.name}, to write another"
    for order in orders:
        yield Remedy(label, Act.REMOVE, order=order.reference, recommended=forbidden)


def not_judged(asked: Sequence[tuple[RenalRow, Order]], gap: Gap, wanted: str) -> Finding:
    """Say that orders were not judged, why, and what to do about it.

    Args:
        asked: the medicines, and the orders of them.
        gap: why there is no measure.
        wanted: what the labels ask for, in words.
    """
    rows = tuple(dict.fromkeys(row for row, _ in asked))
    names = ", ".join(row.name for row in rows)
    label, makes = ("label", "makes its") if len(rows) == 1 else ("labels", "make their")
    then = {
        "unsteady": "No estimate of kidney function holds now, so no dose is advised. Ask nephrology or pharmacy.",
        "child": "No dose is advised. Ask paediatric pharmacy.",
        "missing": "Without it the dose is not judged.",
    }[gap.key]
    whom = {"unsteady": "nephrology or pharmacy", "child": "paediatric pharmacy"}.get(gap.key)
    questions = [Remedy(f"Task: ask {whom} for the dose of {row.name}", Act.ASK) for row in rows] if whom else []
    short = {"unsteady": f"{gap.reasons[0]}, ask before dosing", "child": "renal dose not judged in a child"}
    forbidden = _forbidden(rows) if gap.key == "unsteady" else ()
    return Finding(
        rule=f"renal.{'+'.join(row.name for row in rows)}.{gap.key}",
        severity=Severity.WARNING if gap.key == "unsteady" else Severity.INFO,
        orders=tuple(dict.fromkeys(order.reference for _, order in asked)),
        summary=f"{names.capitalize()}: {short.get(gap.key) or f'renal dose not judged: {gap.reasons[0]}'}",
        detail=(
            f"The {label} of {names} {makes} dose depend on {wanted}.",
            f"{_sentence(gap.reasons)} {then}",
            *forbidden,
        ),
        facts=gap.facts,
        sources=tuple(dict.fromkeys(row.label.citation for row in rows)),
        remedies=(*questions, *gap.remedies),
        topic=TOPIC,
    )


def _forbidden(rows: Sequence[RenalRow]) -> Iterator[str]:
    """In which ranges labels contraindicate a medicine: who asks before dosing needs to know it."""
    for row in rows:
        for band in (b for b in row.bands if b.action is Action.CONTRAINDICATED):
            yield (f"The label contraindicates {row.name} at {row.metric.value} {band.range} {row.metric.shown_unit}.")


def made_from(facts: tuple[Fact, ...]) -> str:
    """Say in a sentence which values an estimate was made from, with unit and date."""
    parts = [_part(f) for f in facts]
    return f"Made from {', '.join(parts)}, as recorded: whether these are plausible for the patient is not checked."


def _part(fact: Fact) -> str:
    if fact.name == "sex":
        return f"sex {fact.value}"
    if fact.name == "age":
        return f"age {fact.value} years"
    unit = _SHOWN.get(fact.unit, "mL/min/1.73 m²")
    # A weight converted from pounds has fifteen digits.
    value = round(fact.value, 2) if isinstance(fact.value, Decimal) and fact.note else fact.value
    return f"{_WORDS.get(fact.name, fact.name)} {value} {unit} of {fact.time[:10]}"


def _sentence(reasons: tuple[str, ...]) -> str:
    text = "; ".join(reasons)
    return f"{text[0].upper()}{text[1:]}."


RULES: Final[tuple[Rule, ...]] = (renal,)
