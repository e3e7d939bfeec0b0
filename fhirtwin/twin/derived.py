"""What is known of a patient as of a day, with what follows from it: age, eGFR, BMI, smoking, and flags.

A fact is known on a day when the first day it may stand for is not after that day. Days are those written in the
record, in its own time zone, or those of UTC where that is earlier. Rules for the flags:

* cardiovascular disease, heart failure, kidney transplant, a disease of the gene POLG, a urea cycle disorder, death:
  once true, always true, even when resolved;
* diabetes, statin, antihypertensive, each medicine, each allergy: while active on the day;
* dialysis: while a condition says so; from the first session on when a procedure does;
* pregnancy: while active, and at most 300 days from its start, because a forgotten end must not exclude for ever
  (post-term is 42 completed weeks, 294 days, or more: WHO, ICD-10 volume 2, definitions; the rest is a margin);
* acute kidney injury: while active, and for 90 days after (KDIGO 2012, section 2.5, acute kidney disease).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Final

from fhirtwin.terms.facts import CODES, FLAGS, GENES, LISTS, UNITS
from fhirtwin.twin import kidney
from fhirtwin.twin.state import Fact, Source, TwinState, Unused
from fhirtwin.twin.times import begins, first_day, last_day, overlap

EVER: Final = frozenset(
    {
        *("cardiovascular-disease", "heart-failure", "kidney-transplant", "deceased"),
        *("polg-disease", "urea-cycle-disorder"),
    }
)
PREGNANCY_DAYS: Final = timedelta(days=300)
AKI_DAYS: Final = timedelta(days=90)
CALCULATED: Final = "calculated"
"""How the note of every fact begins that this module made."""

_DERIVED_FLAGS: Final = tuple(name for name, groups in FLAGS.items() if not groups)
_STORED_FLAGS: Final = tuple(name for name, groups in FLAGS.items() if groups)
_TOLD_FROM: Final = {"current-smoker": ("smoking-status",)}
_HUNDREDTH: Final = Decimal("0.01")
_WIDE: Final = Context(prec=120)
"""Room for the BMI of a weight of 1e30 kg over a height of 1e-30 cm: absurd, and for a predictor to refuse by range."""


def as_of(state: TwinState, day: date) -> TwinState:
    """Give what stood on one day, by all that is known now, with everything derived from it.

    A value that was corrected since counts as corrected: it matters when something was so, not when it was written.

    Args:
        state: a twin with all its facts, as it is stored or as a call is laid over it.
        day: the day to look from; later facts are left out.

    Returns:
        A twin in which quantities, codes and facts about genes keep all their values in the order of time, each stored
        flag is one fact with value True while it holds and absent otherwise, each medicine and allergy that holds is
        one fact, and `age`, `egfr`, `bmi`, `current-smoker`, `ckd-g3-g5-shown` and `kidney-function-unstable` are there
        when they can be told. What is ambiguous is listed in `unused`.
    """
    known = replace(state, facts=tuple(f for f in state.facts if _known(f, day)))
    kept = [f for f in known.facts if f.name in UNITS or f.name in CODES or f.name in GENES]
    flags = [flag for name in _STORED_FLAGS for flag in _flag(known, name, day)]
    held = [fact for name in LISTS for fact in _list(known, name, day)]
    base = _with(state, [*kept, *flags, *held])
    others = [f for f in base.facts if f.name != "egfr"]
    whole = _with(base, [*others, *_age(base, day), *_egfr(base), *_bmi(base), *_smoker(base)])
    whole = _with(whole, [*whole.facts, *_kidney(whole, known)])
    return replace(whole, unused=tuple(dict.fromkeys((*state.unused, *_ambiguities(whole)))))


def newest(state: TwinState, name: str) -> Fact | None:
    """Give the newest value of a fact, or None when there is none or when it cannot be told which value is the newest.

    Equal values of the same time are one, with the sources of all; different ones are ambiguous and none is chosen.
    """
    latest = _latest(state, name)
    if not latest or any(f.value != latest[-1].value for f in latest):
        return None
    last = latest[-1]
    return last if len(latest) == len(last.sources) == 1 else replace(last, sources=_sources(latest))


def ended(state: TwinState, name: str, day: date) -> tuple[Fact, ...]:
    """Give what was so once and is over by a day, with the day it ended; what has no such day is left out.

    Args:
        state: a twin with all its facts, not one as of a day, from which what is over is gone.
        name: of the facts.
        day: the day to look from.
    """
    known = [fact for fact in state.named(name) if _known(fact, day)]
    return tuple(fact for fact in known if (last := last_day(fact.end)) and last < day)


def over_undated(state: TwinState, name: str, day: date) -> tuple[Fact, ...]:
    """Give what was so once and is over or on hold by a day, where the record does not tell since when.

    Args:
        state: a twin with all its facts.
        name: of the facts.
        day: the day to look from.
    """
    return tuple(fact for fact in state.named(name) if _known(fact, day) and not fact.active and not fact.end)


def forgotten_pregnancies(state: TwinState, day: date) -> tuple[Fact, ...]:
    """Give pregnancies that nobody recorded the end of and that do not count, since they began too long ago.

    Args:
        state: a twin with all its facts.
        day: the day to look from.
    """
    found = [f for f in state.named("pregnancy") if f.sources[0].type != "Observation" and f.active and not f.end]
    began = [(f, first_day(f.time)) for f in found]
    return tuple(f for f, start in began if start and day - start > PREGNANCY_DAYS)


def ambiguous(state: TwinState, name: str) -> bool:
    """Tell whether a fact has different values for its newest time, so that `newest` gives none of them.

    A derived fact is absent when what it is told from is ambiguous; then it is ambiguous too.
    """
    return any(len({f.value for f in _latest(state, told)}) > 1 for told in (name, *_TOLD_FROM.get(name, ())))


def age_on(birth: str, day: date) -> int | None:
    """Give completed years of age on a day; None when the birth date is partial and leaves two answers, or is later."""
    first, last = first_day(birth), last_day(birth)
    if first is None or last is None or day < last:
        return None
    youngest, oldest = _years(last, day), _years(first, day)
    return oldest if youngest == oldest else None


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _known(fact: Fact, day: date) -> bool:
    first = first_day(fact.time)
    if fact.note.startswith(CALCULATED) or fact.name in _DERIVED_FLAGS:
        return False
    # East of Greenwich a morning's result is of a day that UTC, by which the day of an assessment goes, has yet to see.
    return first is None or first <= day or begins(fact.time).date() <= day


def _with(state: TwinState, facts: Iterable[Fact]) -> TwinState:
    key = sorted(facts, key=lambda f: (f.name, begins(f.time), f.sources, str(f.value), f.code))
    return replace(state, facts=tuple(key))


def _latest(state: TwinState, name: str) -> Sequence[Fact]:
    """The newest fact and all that may stand for the same time, newest last."""
    facts: Sequence[Fact] = state.named(name)
    if len(facts) < 2:
        return facts
    facts = sorted(facts, key=lambda f: begins(f.time))
    return [f for f in facts if overlap(f.time, facts[-1].time)]


def _sources(facts: Iterable[Fact]) -> tuple[Source, ...]:
    return tuple(sorted({s for f in facts for s in f.sources}))


def _ambiguities(state: TwinState) -> Iterator[Unused]:
    for name in (*UNITS, *CODES):
        if ambiguous(state, name):
            reason = f"{name}: different values for the same time, so it cannot be told which holds"
            yield from (Unused(source, reason) for source in _sources(_latest(state, name)))


def _flag(known: TwinState, name: str, day: date) -> Iterator[Fact]:
    holding = [f for f in known.named(name) if _holds(f, day)]
    if name == "pregnancy":
        holding = _pregnancies(holding)
    if holding:
        last = max(holding, key=lambda f: (begins(f.time), f.sources, f.code))
        yield replace(last, sources=_sources(holding), value=True)


def _list(known: TwinState, name: str, day: date) -> Iterator[Fact]:
    """One fact for each value that holds on the day, with all its sources; the one that began last speaks for them."""
    holding = [f for f in known.named(name) if _holds(f, day)]
    for value in sorted({str(f.value) for f in holding}):
        same = [f for f in holding if f.value == value]
        last = max(same, key=lambda f: (begins(f.time), f.sources, f.code))
        yield replace(last, sources=_sources(same), note="; ".join(sorted({f.note for f in same if f.note})))


def _holds(fact: Fact, day: date) -> bool:
    if fact.name in EVER:
        return True
    start, end = first_day(fact.time), last_day(fact.end)
    current = day <= end if end else fact.active
    if fact.name == "pregnancy":
        return current and (start is None or day - start <= PREGNANCY_DAYS)
    if fact.name == "acute-kidney-injury":
        over = end or start
        return current or (over is not None and day - over <= AKI_DAYS)
    return current


def _pregnancies(holding: Sequence[Fact]) -> list[Fact]:
    """Conditions count; of pregnancy status observations only the newest answer does."""
    conditions = [f for f in holding if f.sources[0].type != "Observation"]
    answers = sorted((f for f in holding if f.sources[0].type == "Observation"), key=lambda f: begins(f.time))
    said = [f for f in answers if overlap(f.time, answers[-1].time) and f.value is True]
    return [*conditions, *said]


def _age(state: TwinState, day: date) -> Iterator[Fact]:
    birth = newest(state, "birth-date")
    years = age_on(str(birth.value), day) if birth else None
    if birth and years is not None:
        note = f"{CALCULATED} from birth date"
        yield Fact("age", Decimal(years), birth.sources, unit=UNITS["age"], time=day.isoformat(), note=note)


def _egfr(state: TwinState) -> tuple[Fact, ...]:
    """Every eGFR: computed where there is a creatinine, reported where there is none of the same time.

    Creatinines that cannot be put in order give eGFRs that cannot either, so an older one is not taken for them.
    """
    computed = tuple(_computed_egfr(state))
    reported = (f for f in state.named("egfr") if not any(overlap(f.time, c.time) for c in computed))
    return (*computed, *reported)


def _computed_egfr(state: TwinState) -> Iterator[Fact]:
    sex, birth = newest(state, "sex"), newest(state, "birth-date")
    if sex is None or birth is None:
        return
    for creatinine in state.named("creatinine"):
        drawn = first_day(creatinine.time)
        age = age_on(str(birth.value), drawn) if drawn else None
        if age is None or age < kidney.ADULT_YEARS or not isinstance(creatinine.value, Decimal):
            continue
        yield Fact(
            "egfr",
            kidney.ckd_epi_2021(creatinine.value, age, str(sex.value)),
            creatinine.sources,
            unit=UNITS["egfr"],
            time=creatinine.time,
            note=f"{CALCULATED} from creatinine (CKD-EPI 2021)",
        )


def _bmi(state: TwinState) -> Iterator[Fact]:
    """BMI from weight and height, when it is newer than every reported one; it is as old as the older of the two."""
    weight, height, birth = newest(state, "body-weight"), newest(state, "body-height"), newest(state, "birth-date")
    if weight is None or height is None or birth is None:
        return
    measured = first_day(height.time)
    age = age_on(str(birth.value), measured) if measured else None
    if (
        age is None
        or age < kidney.ADULT_YEARS
        or not isinstance(weight.value, Decimal)
        or not isinstance(height.value, Decimal)
    ):
        return
    time = min(weight.time, height.time, key=begins)
    if any(begins(f.time) >= begins(time) or overlap(f.time, time) for f in state.named("bmi")):
        return
    metres = height.value / 100
    value = _WIDE.quantize(_WIDE.divide(weight.value, metres * metres), _HUNDREDTH)
    note = f"{CALCULATED} from weight and height"
    yield Fact("bmi", value, _sources((weight, height)), unit=UNITS["bmi"], time=time, note=note)


def _smoker(state: TwinState) -> Iterator[Fact]:
    status = newest(state, "smoking-status")
    if status:
        note = f"{CALCULATED} from smoking status"
        yield replace(status, name="current-smoker", value=status.value == "current", note=note)


def _kidney(state: TwinState, known: TwinState) -> Iterator[Fact]:
    """Whether kidney disease is shown to be chronic, and whether an acute injury puts that, or the newest, in doubt.

    An injury does while it holds, and when it came after the older of the two eGFRs that show the disease.
    """
    egfrs, creatinines = state.named("egfr"), state.named("creatinine")
    older = kidney.shown_by(egfrs)
    since = older.time if older else ""
    injuries = (*state.named("acute-kidney-injury"), *(_injuries_since(since, known) if since else ()))
    unstable = kidney.unstable(creatinines, since)
    if egfrs:
        note = f"{CALCULATED} from eGFR (KDIGO 2024)"
        yield Fact("ckd-g3-g5-shown", older is not None, _sources(egfrs), time=egfrs[-1].time, note=note)
    if unstable is not None or injuries:
        note = f"{CALCULATED} from creatinine and diagnoses (KDIGO 2012)"
        told_by = (*creatinines, *injuries)
        time = max((f.time for f in told_by), key=begins)
        yield Fact("kidney-function-unstable", bool(unstable or injuries), _sources(told_by), time=time, note=note)


def _injuries_since(time: str, known: TwinState) -> Iterator[Fact]:
    since = first_day(time)
    for fact in known.named("acute-kidney-injury"):
        over = last_day(fact.end) or last_day(fact.time)
        if since and over and over >= since:
            yield fact
