"""What is known of a patient on a day, turned into what one predictor needs, or into every reason why it cannot be.

Nothing is assumed: a value that is missing, too old or out of its published range refuses what needs it, by name. Only
for problem and medication lists that were really obtained does no record count as no, and the result says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from fhirtwin.predictors.model import (
    FeatureVector,
    Input,
    Output,
    Predictor,
    Refusal,
    Rule,
    UsedInput,
)
from fhirtwin.settings import Settings
from fhirtwin.terms.facts import CODES, FLAGS, UNITS
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin import derived
from fhirtwin.twin.mappers.patient import OTHER_GENDER
from fhirtwin.twin.medicines import UNKNOWN_MEDICINE
from fhirtwin.twin.state import Fact, TwinState
from fhirtwin.twin.times import first_day

NONE_RECORDED = "none recorded"

_MADE_OF = {
    "egfr": ("creatinine",),
    "bmi": ("body-weight", "body-height"),
    "current-smoker": ("smoking-status",),
}
"""Facts that a derived one is made from."""

_WHO = ("age", "sex")
"""Facts that tell whether an equation is for this person at all; while one is missing, nothing else is asked for."""

_LISTS = {
    "Condition": "problem list",
    "Procedure": "list of procedures",
    "MedicationRequest": "medication list",
    "MedicationStatement": "medication list",
    "Patient": "patient record",
}


def build(state: TwinState, predictor: Predictor, as_of: date, settings: Settings) -> FeatureVector | Refusal:
    """Choose the inputs known on a day and prepare the features of one predictor.

    Args:
        state: the twin, as it is now; later facts are left out and derived ones are added here.
        predictor: says which facts it needs, within which ranges, and which ones rule it out.
        as_of: the day the risk is stated for. Ages, of the patient and of results, are those of this day.
        settings: how old a value may be (`max_age_*_days`, a policy of the project and not of a guideline).

    Returns:
        A vector with the outputs that can be calculated and refusals of the others; or one refusal of all, with every
        reason there is, not only the first.
    """
    return assemble(derived.as_of(state, as_of), predictor, as_of, settings)


def assemble(state: TwinState, predictor: Predictor, as_of: date, settings: Settings) -> FeatureVector | Refusal:
    """Do what `build` does, for a state that holds exactly the facts of the day, derived ones included."""
    found = _look(state, predictor, as_of, settings)
    if found.ruled_out:
        return Refusal(predictor, (*found.ruled_out, *found.missing.values()))
    refusals = tuple(r for o in predictor.outputs if (r := _refuse(predictor, o, found)))
    refused = {r.output.id for r in refusals if r.output}
    outputs = tuple(o for o in predictor.outputs if o.id not in refused)
    age = found.age_years
    if age is None or not outputs:
        # A horizon that this age rules out anyway would only add its age to the reasons of the others.
        of_this_age = [r for r in refusals if r.output and (age is None or r.output.applies_at(age))]
        told = of_this_age or refusals
        reasons = _once(reason for r in told for reason in r.reasons)
        return Refusal(predictor, reasons, missing=_once(fact for r in told for fact in r.missing))
    values = {used.fact: used.value for used in found.inputs}
    return FeatureVector(
        predictor=predictor,
        as_of=as_of,
        age_years=age,
        values=values,
        inputs=tuple(found.inputs),
        features=predictor.prepare(values),
        outputs=outputs,
        refusals=refusals,
        checks=tuple(found.checks),
    )


@dataclass
class _Found:
    """What looking through a state brings to light.

    Attributes:
        ruled_out: reasons that refuse the whole predictor.
        missing: fact to reason, for inputs that refuse only the outputs that weigh them.
        wanted: those of them that a new entry of the record would bring: there is none, or it is too old.
    """

    age_years: int | None = None
    inputs: list[UsedInput] = field(default_factory=list)
    checks: list[UsedInput] = field(default_factory=list)
    ruled_out: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    wanted: list[str] = field(default_factory=list)


def _look(state: TwinState, predictor: Predictor, as_of: date, settings: Settings) -> _Found:
    found = _Found()
    age = derived.newest(state, "age")
    if age is not None and isinstance(age.value, Decimal):
        found.age_years = int(age.value.to_integral_value(ROUND_FLOOR))
    for rule in predictor.rules:
        _apply(rule, state, found)
    for needed in predictor.inputs:
        if FLAGS.get(needed.fact):
            _read_flag(needed, state, found)
        else:
            _read_value(needed, state, as_of, settings, found)
    return found


def _refuse(predictor: Predictor, output: Output, found: _Found) -> Refusal | None:
    reasons = [reason for fact, reason in found.missing.items() if output.needs(fact)]
    age = found.age_years
    if age is None:
        if "age" not in found.missing:
            reasons.append("age is missing")
    elif not output.applies_at(age):
        reasons.append(
            f"age is outside {output.low_age_years} to {output.high_age_years} years, "
            f"the published range of the {output.horizon_years}-year estimate"
        )
    return Refusal(predictor, tuple(reasons), output, _wanted(output, found)) if reasons else None


def _wanted(output: Output, found: _Found) -> tuple[str, ...]:
    """Give the facts that an output waits for; none when it is not published for this age."""
    if found.age_years is None or not found.missing.keys().isdisjoint(_WHO):
        return tuple(fact for fact in found.wanted if fact in _WHO)
    applies = output.applies_at(found.age_years)
    return tuple(fact for fact in found.wanted if applies and output.needs(fact))


def _apply(rule: Rule, state: TwinState, found: _Found) -> None:
    """Hold one rule against the state: broken, not to be told, or kept (then it is noted among the checks)."""
    fact = derived.newest(state, rule.fact)
    label = rule.label or rule.reason
    if fact is not None:
        if bool(fact.value) is not rule.must_be:
            found.ruled_out.append(rule.reason)
        else:
            found.checks.append(_used(fact, label))
        return
    groups = FLAGS[rule.fact]
    if not groups:  # derived: without it the rule cannot be told, and what cannot be told is not kept
        found.ruled_out.append(rule.reason if rule.must_be else f"{rule.reason} cannot be ruled out from the results")
    elif lists := _not_obtained(groups, state):
        found.ruled_out.append(f"{rule.reason} cannot be ruled out: {lists} not obtained")
    elif rule.must_be:
        found.ruled_out.append(rule.reason)
    else:
        found.checks.append(UsedInput(rule.fact, label, False, "", note=NONE_RECORDED))


def _read_flag(needed: Input, state: TwinState, found: _Found) -> None:
    """Read a fact that is on a list or not."""
    fact = derived.newest(state, needed.fact)
    if fact is not None:
        found.inputs.append(_used(fact, needed.label))
    elif lists := _not_obtained(FLAGS[needed.fact], state):
        found.missing[needed.fact] = f"{needed.label} is not known: {lists} not obtained"
    elif _may_be_unread(needed, state):
        found.missing[needed.fact] = f"{needed.label} is not known: one medicine cannot be read: {UNKNOWN_MEDICINE}"
    elif needed.none_recorded_is_no:
        found.inputs.append(UsedInput(needed.fact, needed.label, False, "", note=NONE_RECORDED))
    else:
        found.missing[needed.fact] = f"{needed.label} is not recorded"


def _may_be_unread(needed: Input, state: TwinState) -> bool:
    """Whether a medicine is taken of which it cannot be told what it is, so that any class of them may be present."""
    of_medicines = any("MedicationRequest" in group for group in FLAGS[needed.fact])
    return of_medicines and any(unused.reason == UNKNOWN_MEDICINE for unused in state.unused)


def _read_value(needed: Input, state: TwinState, as_of: date, settings: Settings, found: _Found) -> None:
    """Read a quantity, a word or a derived flag: the newest of the day, if it is of use."""
    fact = derived.newest(state, needed.fact)
    if derived.ambiguous(state, needed.fact):
        found.missing[needed.fact] = f"{needed.label} has different values for its newest time{_to_order(needed)}"
        return
    if fact is None or not _of_its_kind(fact):
        _note_missing(needed, state, found)
        return
    if reason := _too_old(needed, fact, as_of, settings):
        found.missing[needed.fact] = reason
        if fact.time:
            found.wanted.append(needed.fact)
        return
    used = _used(fact, needed.label)
    if needed.fact == "age" and found.age_years is not None:
        # Completed years, as the published calculators take it; so a score changes on birthdays, not every day.
        used = UsedInput("age", needed.label, Decimal(found.age_years), needed.unit, sources=used.sources)
    if isinstance(used.value, Decimal) and not needed.holds(used.value):
        found.ruled_out.append(f"{needed.label} is outside the published range {_range(needed)}")
        return
    found.inputs.append(used)


def _note_missing(needed: Input, state: TwinState, found: _Found) -> None:
    """Say what is missing: not a test to be ordered where the test is there and what it is read with is not."""
    if needed.fact == "egfr" and state.named("creatinine"):
        found.missing[needed.fact] = (
            f"{needed.label} cannot be calculated from the creatinine without sex and an age of 18 or more at the draw"
        )
        return
    seen = _seen(needed, state)
    found.missing[needed.fact] = f"{needed.label} is missing{_to_order(needed)}{seen}"
    if not seen and not (needed.fact == "sex" and any(u.reason == OTHER_GENDER for u in state.unused)):
        found.wanted.append(needed.fact)


def _seen(needed: Input, state: TwinState) -> str:
    """Name the results that are there and were not used, so that nobody orders what only wants mending."""
    prefixes = tuple(f"{fact}: " for fact in (needed.fact, *_MADE_OF.get(needed.fact, ())))
    seen = Counter(u.reason.partition(": ")[2] for u in state.unused if u.reason.startswith(prefixes))
    told = "; ".join(f"{number} result{'s' * (number > 1)} not used: {why}" for why, number in sorted(seen.items()))
    return f", though recorded ({told})" if told else ""


def _of_its_kind(fact: Fact) -> bool:
    """Guard the last step before arithmetic: a quantity is a finite number in its unit, a word one of its words."""
    if fact.name in UNITS:
        return isinstance(fact.value, Decimal) and fact.value.is_finite() and fact.unit == UNITS[fact.name]
    if fact.name in CODES:
        return fact.value in CODES[fact.name]
    return isinstance(fact.value, bool)


def _too_old(needed: Input, fact: Fact, as_of: date, settings: Settings) -> str | None:
    if not needed.keep:
        return None
    days = int(getattr(settings, f"max_age_{needed.keep}_days"))
    first = first_day(fact.time)  # a year alone may be its 1 January
    if first is None:
        return f"{needed.label} has no date, so its age cannot be told{_to_order(needed)}"
    if (as_of - first).days > days:
        return f"{needed.label} is from {fact.time[:10]}, older than {days} days (project policy){_to_order(needed)}"
    return None


def _to_order(needed: Input) -> str:
    if needed.code is None:
        return ""
    name = "LOINC" if needed.code.system == LOINC else needed.code.system
    return f" ({name} {needed.code.code})"


def _range(needed: Input) -> str:
    below = "below " if needed.high_excluded else ""
    if needed.low is None:
        return f"up to {below}{needed.high} {needed.unit}"
    if needed.high is None:
        return f"from {needed.low} {needed.unit}"
    return f"{needed.low} to {below}{needed.high} {needed.unit}"


def _not_obtained(groups: tuple[tuple[str, ...], ...], state: TwinState) -> str:
    """Name the lists that "no record" would have to be read from and that were not obtained; empty when all were."""
    absent = [group for group in groups if not any(_obtained(kind, state) for kind in group)]
    names = _once(_LISTS.get(kind, kind) for group in absent for kind in group)
    return f"{' and '.join(names)} {'was' if len(names) == 1 else 'were'}" if names else ""


def _obtained(kind: str, state: TwinState) -> bool:
    # The patient record is no list: it was obtained when anything known comes from it.
    return kind in state.lists or (
        kind == "Patient" and any(source.type == "Patient" for fact in state.facts for source in fact.sources)
    )


def _used(fact: Fact, label: str) -> UsedInput:
    return UsedInput(
        fact=fact.name,
        label=label,
        value=fact.value,
        unit=fact.unit,
        time=fact.time,
        sources=tuple(source.reference for source in fact.sources),
        note=fact.note,
    )


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
