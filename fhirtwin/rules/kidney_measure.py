"""The measure of kidney function that a label asks for, on the day of the order, or why there is none to judge by.

What is not judged, and said instead:

* a child: the labels' ranges are for adults, and so is the equation of Cockcroft and Gault;
* dialysis, acute kidney injury, creatinine that is not steady (`kidney-function-unstable`): neither estimate means the
  kidney function of today (KDIGO 2012, section 2.1; the label of Neurontin, section 2.3: "patients with stable renal
  function");
* a value that is missing, ambiguous, or older than a year. A year is our own limit: labels ask for kidney function
  "periodically", and FDA (2016, metformin) for eGFR at least annually.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from fhirtwin.rules.findings import Act, Remedy
from fhirtwin.rules.orderable import CREATININE, WEIGHT
from fhirtwin.rules.renal_row import Metric
from fhirtwin.rules.situation import Situation
from fhirtwin.twin import kidney
from fhirtwin.twin.derived import ambiguous, newest
from fhirtwin.twin.state import Fact, TwinState
from fhirtwin.twin.times import last_day

OLDEST: Final = timedelta(days=365)
"""How old a weight, a creatinine or an eGFR may be."""

MEASURE: Final = {
    "body-weight": Remedy("Measure body weight", Act.REQUEST, code=WEIGHT, recommended=True),
    "creatinine": Remedy(
        "Order serum creatinine",
        Act.REQUEST,
        code=CREATININE,
        recommended=True,
    ),
}
"""What brings a missing value. eGFR is brought by creatinine."""

_OF_PERSON: Final = ("age", "sex")
"""What is told by the Patient, and not by results."""

_UNSTEADY: Final = {
    "dialysis": "dialysis or end-stage renal disease is recorded",
    "acute-kidney-injury": "acute kidney injury is recorded",
    "kidney-function-unstable": "creatinine has changed as in acute kidney injury",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure of kidney function with what it was made from."""

    value: Decimal
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Why there is no measure.

    Attributes:
        key: stable name: `unsteady`, `child`, `missing`.
        reasons: each for people, lower case: `no body weight is known`.
        facts: what says so.
        remedies: what would bring the missing values.
    """

    key: str
    reasons: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    remedies: tuple[Remedy, ...] = ()


def measure(situation: Situation, metric: Metric) -> Estimate | Gap:
    """Give the measure, or why there is none; what makes it meaningless is looked at before what is missing."""
    return unfit(situation.state) or _measured(situation, metric)


def unfit(state: TwinState) -> Gap | None:
    """Say why no estimate would mean anything for this patient today; None when nothing recorded says so."""
    unsteady = [f for name in _UNSTEADY for f in state.named(name) if f.value is True]
    if unsteady:
        return Gap("unsteady", tuple(_UNSTEADY[f.name] for f in unsteady), tuple(unsteady))
    age = newest(state, "age")
    if age and isinstance(age.value, Decimal) and age.value < kidney.ADULT_YEARS:
        return Gap("child", ("the label's ranges are for adults",), (age,))
    return None


def value_of(situation: Situation, name: str) -> Fact | str:
    """Give the newest value of a fact, or in words why it is not used: missing, not obtained, ambiguous, too old."""
    state, day = situation.state, situation.day
    shown = {"body-weight": "body weight", "egfr": "eGFR by CKD-EPI 2021"}.get(name, name)
    fact = newest(state, name)
    if fact is None:
        if ambiguous(state, name):
            return f"{shown} has different values for the same time"
        obtained = situation.has_results or name in _OF_PERSON
        return f"no {shown} is known" if obtained else f"{shown} was not obtained"
    measured = last_day(fact.time)
    if name in _OF_PERSON:
        return fact
    if measured is None:
        return f"{shown} has no date"
    if day - measured > OLDEST:
        return f"the newest {shown} is of {fact.time[:10]}, more than a year old"
    return fact


def _measured(situation: Situation, metric: Metric) -> Estimate | Gap:
    names = ("egfr",) if metric is Metric.EGFR else ("creatinine", "body-weight", "age", "sex")
    found = {name: value_of(situation, name) for name in names}
    missing = {name: reason for name, reason in found.items() if isinstance(reason, str)}
    facts = tuple(f for f in found.values() if isinstance(f, Fact))
    if missing:
        return Gap("missing", tuple(missing.values()), facts, remedies(missing, situation))
    return Estimate(_value(facts), (*facts, *_told_from(situation.state, facts)))


def _told_from(state: TwinState, facts: tuple[Fact, ...]) -> Iterator[Fact]:
    """The creatinine that an eGFR was calculated from, so that a reader can check it."""
    for fact in facts:
        if fact.name == "egfr" and fact.note:
            yield from (c for c in state.named("creatinine") if c.sources == fact.sources and c.time == fact.time)


def remedies(missing: Iterable[str], situation: Situation) -> tuple[Remedy, ...]:
    """Give what brings missing values; it is not recommended where results were not obtained: they may be there."""
    wanted = ("creatinine" if name == "egfr" else name for name in missing)
    return tuple(replace(MEASURE[name], recommended=situation.has_results) for name in wanted if name in MEASURE)


def _value(facts: tuple[Fact, ...]) -> Decimal:
    numbers = {f.name: f.value for f in facts if isinstance(f.value, Decimal)}
    if "egfr" in numbers:
        return numbers["egfr"]
    sex = next(str(f.value) for f in facts if f.name == "sex")
    return kidney.cockcroft_gault(numbers["creatinine"], int(numbers["age"]), numbers["body-weight"], sex)
