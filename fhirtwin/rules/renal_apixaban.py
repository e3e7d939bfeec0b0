"""Apixaban: the lower dose in atrial fibrillation goes by two of three features, not by a measure of kidney function.

Label of Eliquis, section 2.1: 2.5 mg twice daily with at least two of age 80 or more, body weight 60 kg or less, serum
creatinine 1.5 mg/dL or more. What is not known is neither yes nor no: with two features known to be there the dose is
told, with too few left to reach two it is not, and in between the finding names what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from fhirtwin.rules.findings import Finding
from fhirtwin.rules.kidney_measure import Gap, remedies, unfit, value_of
from fhirtwin.rules.renal import TOPIC, made_from, not_judged
from fhirtwin.rules.renal_row import Action, Label, Metric, RenalRow
from fhirtwin.rules.situation import Order, Rule, Situation
from fhirtwin.twin.state import Fact

NEEDED: Final = 2
FEATURES: Final[Mapping[str, tuple[str, Callable[[Decimal], bool]]]] = {
    "age": ("age 80 years or more", lambda years: years >= 80),
    "body-weight": ("body weight 60 kg or less", lambda kg: kg <= 60),
    "creatinine": ("creatinine 1.5 mg/dL or more", lambda mg_dl: mg_dl >= Decimal("1.5")),
}
"""Fact to the feature in words, and the test of its value."""

ROW: Final = RenalRow(
    name="apixaban",
    ingredients=frozenset({"1364430"}),
    metric=Metric.CLEARANCE,
    bands=(),
    label=Label(
        "Eliquis (apixaban) tablets, US label",
        "section 2.1",
        "",
        "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid=e9481622-7cc6-418a-acb6-c5450daae9b0",
        copy="https://themeditary.com/dosage-information/eliquis-dosage-343.html",
    ),
    note="For nonvalvular atrial fibrillation. For venous thromboembolism the label changes no dose by these features.",
)


def apixaban(situation: Situation) -> Iterator[Finding]:
    """Find orders of apixaban to which the label's lower dose applies, or for which that cannot be told."""
    for order in situation.orders:
        if ROW.ingredients <= set(order.medicine.ingredients):
            yield from _judge(order, situation)


def _judge(order: Order, situation: Situation) -> Iterator[Finding]:
    wanted = "age, body weight and creatinine"
    gap = unfit(situation.state)
    if gap:
        yield not_judged(((ROW, order),), gap, wanted)
        return
    found = {name: value_of(situation, name) for name in FEATURES}
    there = tuple(f for f in found.values() if isinstance(f, Fact) and _has(f))
    missing = {name: reason for name, reason in found.items() if isinstance(reason, str)}
    if len(there) >= NEEDED:
        yield _lower(order, there)
    elif len(there) + len(missing) >= NEEDED:
        known = tuple(f for f in found.values() if isinstance(f, Fact))
        bring = remedies(missing, situation)
        yield not_judged(((ROW, order),), Gap("missing", tuple(missing.values()), known, bring), wanted)


def _has(fact: Fact) -> bool:
    return isinstance(fact.value, Decimal) and FEATURES[fact.name][1](fact.value)


def _lower(order: Order, there: tuple[Fact, ...]) -> Finding:
    features = ", ".join(FEATURES[f.name][0] for f in there)
    return Finding(
        rule="renal.apixaban.two-of-three",
        severity=Action.REDUCE.severity,
        orders=(order.reference,),
        summary=f"Apixaban: {Action.REDUCE.value} in atrial fibrillation ({features})",
        detail=(
            "In nonvalvular atrial fibrillation 2.5 mg twice daily instead of 5 mg, because at least two of the "
            "label's three features are there.",
            f"There: {features}. {made_from(there)}",
            ROW.note,
        ),
        facts=there,
        sources=(ROW.label.citation,),
        topic=TOPIC,
    )


RULES: Final[tuple[Rule, ...]] = (apixaban,)
