"""Renal dosing: an ordered medicine against the kidney function that its label asks for.

For every order of a medicine that has a row there is a finding or a measured value outside of all ranges of the label:
where the measure is missing, or would mean nothing, the finding says so and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhirtwin.rules.findings import Act, Finding, Remedy, Severity
from fhirtwin.rules.kidney_measure import Estimate, Gap, measure
from fhirtwin.rules.renal_row import Band, Metric, RenalRow
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
    """Find orders that the kidney function of the patient speaks against, and those that it could not be told for."""
    for order in situation.orders:
        for row in rows_for(order):
            yield from _judge(row, order, situation)


def rows_for(order: Order) -> Iterator[RenalRow]:
    """Give the rows whose medicine an order is for; none when it is given by a route that stays local."""
    if order.route not in LOCAL_ROUTES:
        yield from (row for row in ROWS if row.ingredients <= set(order.medicine.ingredients))


def _judge(row: RenalRow, order: Order, situation: Situation) -> Iterator[Finding]:
    found = measure(situation.state, row.metric, situation.day)
    if isinstance(found, Gap):
        yield not_judged(row.name, order, found, row.metric.value, row)
        return
    for band in row.bands:
        if found.value in band.range:
            yield _in_band(row, band, order, found)


def _in_band(row: RenalRow, band: Band, order: Order, found: Estimate) -> Finding:
    value = f"{row.metric.value} {found.value} {row.metric.shown_unit}"
    removal = Remedy(f"Remove {row.name}", Act.REMOVE, order=order.reference, recommended=True)
    return Finding(
        rule=f"renal.{row.name}.{band.key}",
        severity=band.action.severity,
        orders=(order.reference,),
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
        remedies=(removal,) if band.action.removes else (),
        topic=TOPIC,
    )


def not_judged(name: str, order: Order, gap: Gap, wanted: str, row: RenalRow) -> Finding:
    """Say that an order was not judged, why, and what to do about it.

    Args:
        name: generic name of the medicine.
        order: the order.
        gap: why there is no measure.
        wanted: what the label asks for, in words.
        row: whose label it is.
    """
    asks = f"The label of {name} makes its dose depend on {wanted}."
    then = {
        "unsteady": "No estimate of kidney function holds now, so no dose is advised. Ask nephrology or pharmacy.",
        "child": "No dose is advised. Ask paediatric pharmacy.",
        "missing": "Without it the dose is not judged.",
    }[gap.key]
    short = {
        "unsteady": "kidney function is not steady, ask before dosing",
        "child": "renal dose not judged in a child",
    }
    summary = short.get(gap.key) or f"renal dose not judged: {gap.reasons[0]}"
    return Finding(
        rule=f"renal.{name}.{gap.key}",
        severity=Severity.WARNING if gap.key == "unsteady" else Severity.INFO,
        orders=(order.reference,),
        summary=f"{name.capitalize()}: {summary}",
        detail=(asks, f"{_sentence(gap.reasons)} {then}"),
        facts=gap.facts,
        sources=(row.label.citation,),
        remedies=gap.remedies,
        topic=TOPIC,
    )


def made_from(facts: tuple[Fact, ...]) -> str:
    """Say in a sentence which values an estimate was made from, with unit and date."""
    parts = [_part(f) for f in facts]
    return f"Made from {', '.join(parts)}."


def _part(fact: Fact) -> str:
    if fact.name == "sex":
        return f"sex {fact.value}"
    if fact.name == "age":
        return f"age {fact.value} years"
    unit = _SHOWN.get(fact.unit, "mL/min/1.73 m²")
    return f"{_WORDS.get(fact.name, fact.name)} {fact.value} {unit} of {fact.time[:10]}"


def _sentence(reasons: tuple[str, ...]) -> str:
    text = "; ".join(reasons)
    return f"{text[0].upper()}{text[1:]}."


RULES: Final[tuple[Rule, ...]] = (renal,)
