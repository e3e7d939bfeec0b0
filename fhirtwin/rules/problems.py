"""A problem that is put on the list, and what the record says for or against it by published criteria.

Diabetes, chronic kidney disease and acute kidney injury can be held against results; a problem that none of these codes
stands for is not judged. Nothing here makes a diagnosis: the findings show values with their dates, say which criterion
they meet, and give no verdict where results alone cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any, Final

from fhirtwin.rules.findings import Act, Citation, Finding, Remedy, Severity
from fhirtwin.rules.orderable import CREATININE
from fhirtwin.terms import concepts
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.systems import ICD10CM, LOINC, SNOMED
from fhirtwin.twin import kidney
from fhirtwin.twin.reading import codings, forbidden, text
from fhirtwin.twin.state import Fact, TwinState
from fhirtwin.twin.times import begins, last_day

TOPIC: Final = "problem-evidence"
SHOWN: Final = 6
"""How many values of a kind a finding shows, the newest."""

HBA1C: Final = Decimal("6.5")
GLUCOSE_FASTING: Final = Decimal(126)
GLUCOSE_RANDOM: Final = Decimal(200)
UACR: Final = Decimal(30)

_ADA: Final = Citation(
    "Criteria of the American Diabetes Association, as StatPearls gives them (Type 2 Diabetes); read on 2026-11-21",
    "https://www.ncbi.nlm.nih.gov/books/NBK513253/",
)
_KDIGO_CKD: Final = Citation(
    "KDIGO 2024 clinical practice guideline on chronic kidney disease, section 1.1, criteria; read on 2026-11-21",
    "https://kdigo.org/guidelines/",
)
_KDIGO_AKI: Final = Citation(
    "KDIGO 2012 clinical practice guideline on acute kidney injury, section 2.1",
    "https://kdigo.org/guidelines/",
)

_HBA1C: Final = Coding(LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")
_UACR: Final = Coding(LOINC, "9318-7", "Albumin/Creatinine [Mass Ratio] in Urine")
_CKD: Final[Mapping[str, str]] = {SNOMED: "709044004", ICD10CM: "N18"}
"""Chronic kidney disease (disorder); and the whole category of ICD-10-CM."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A condition that is being put on the list.

    Attributes:
        reference: `Condition/id` of the draft.
        codes: its codings.
    """

    reference: str
    codes: tuple[concepts.Code, ...]


def problem_of(condition: Mapping[str, Any]) -> Problem:
    """Read a Condition that is being put on the list; nothing of it is read when it must not be processed."""
    reference = f"Condition/{text(condition, 'id')}" if text(condition, "id") else "Condition"
    return Problem(reference, () if forbidden(dict(condition)) else tuple(codings(condition.get("code"))))


def evidence(problems: Iterable[Problem], state: TwinState) -> Iterator[Finding]:
    """Say what the twin as of a day holds for and against each problem that there are criteria for."""
    for problem in problems:
        for kind in kinds(problem):
            yield _JUDGES[kind](problem, state)


def kinds(problem: Problem) -> tuple[str, ...]:
    """Give the kinds of problem with criteria that a problem's codes stand for."""
    meant = {m.fact for code in problem.codes for m in concepts.condition(code)}
    if any(_is_ckd(code) for code in problem.codes):
        meant.add("chronic-kidney-disease")
    return tuple(kind for kind in _JUDGES if kind in meant)


def _is_ckd(code: concepts.Code) -> bool:
    root = _CKD.get(code.system)
    return code.code == root or (code.system == ICD10CM and root is not None and code.code.startswith(root))


def _diabetes(problem: Problem, state: TwinState) -> Finding:
    hba1c, glucose = _newest(state, "hba1c"), _newest(state, "glucose")
    high = [f for f in hba1c if _number(f) >= HBA1C]
    words = [
        "Criteria: HbA1c 6.5 % or more, fasting plasma glucose 126 mg/dL or more, 200 mg/dL or more two hours after a "
        "load, or at random with classic symptoms. Without symptoms a second result has to confirm."
    ]
    if any(_number(f) >= GLUCOSE_FASTING for f in glucose):
        words.append("The record does not tell whether glucose was fasting, nor symptoms, so glucose alone meets none.")
    if len({f.time for f in high}) > 1:
        verdict, says = "supported", f"{len(high)} results of HbA1c are 6.5 % or more"
    elif high:
        verdict, says = "to-confirm", "one HbA1c is 6.5 % or more; a second result has to confirm it"
    elif hba1c or glucose:
        verdict, says = "not-shown", "no HbA1c of 6.5 % or more is known"
    else:
        verdict, says = "unknown", "no HbA1c and no glucose is known"
    remedies = () if verdict == "supported" else (_order("Order HbA1c", _HBA1C),)
    return _finding(problem, ("diabetes", "Diabetes"), (verdict, says), words, (*hba1c, *glucose), _ADA, remedies)


def _ckd(problem: Problem, state: TwinState) -> Finding:
    egfrs, uacrs = state.named("egfr"), state.named("uacr")
    words = [
        "Criteria: eGFR below 60 mL/min/1.73 m², or albumin to creatinine 30 mg/g or more, for three months or longer."
    ]
    if any(f.value is True for f in state.named("kidney-function-unstable")):
        words.append("Kidney function is not steady, or was not between those results: a low eGFR may be the injury's.")
    lasting = kidney.shown_by(egfrs) is not None
    albumin = _lasting(uacrs)
    unsteady = len(words) > 1
    if (lasting and not unsteady) or albumin:
        both = " and ".join(w for w, there in (("eGFR below 60", lasting), ("albuminuria", albumin)) if there)
        verdict, says = "supported", f"{both} for three months or longer"
    elif egfrs or uacrs:
        verdict, says = "not-shown", "no criterion is shown over three months"
    else:
        verdict, says = "unknown", "no eGFR and no albumin to creatinine ratio is known"
    remedies = [] if verdict == "supported" else [_CREATININE]
    if not uacrs:
        remedies.append(_RATIO)
    facts = (*_newest(state, "egfr"), *_newest(state, "uacr"))
    name = ("chronic-kidney-disease", "Chronic kidney disease")
    return _finding(problem, name, (verdict, says), words, facts, _KDIGO_CKD, tuple(remedies))


def _aki(problem: Problem, state: TwinState) -> Finding:
    creatinines = state.named("creatinine")
    changed = kidney.unstable(creatinines)
    words = [
        "Criteria looked at: creatinine up by 0.3 mg/dL within 48 hours, or to 1.5 times within 7 days, in the 90 days "
        "up to the newest value. A fall counts like a rise. Urine volume is not in the twin."
    ]
    if changed:
        verdict, says = "supported", "creatinine changed as in acute kidney injury"
    elif len(creatinines) > 1:
        verdict, says = "not-shown", "no such change of creatinine is known"
    else:
        verdict, says = "unknown", "fewer than two values of creatinine are known"
    remedies = () if changed else (_CREATININE,)
    name = ("acute-kidney-injury", "Acute kidney injury")
    return _finding(problem, name, (verdict, says), words, _newest(state, "creatinine"), _KDIGO_AKI, remedies)


def _finding(
    problem: Problem,
    name: tuple[str, str],
    verdict: tuple[str, str],
    words: list[str],
    facts: tuple[Fact, ...],
    source: Citation,
    remedies: tuple[Remedy, ...],
) -> Finding:
    shown = "; ".join(f"{_SHOWN_AS.get(f.name, f.name)} {f.value} {_unit(f)} of {f.time[:10]}" for f in facts)
    return Finding(
        rule=f"problem.{name[0]}.{verdict[0]}",
        severity=Severity.INFO,
        orders=(problem.reference,),
        summary=f"{name[1]}: {verdict[1]}",
        detail=tuple(filter(None, (*words, f"Results: {shown}." if shown else ""))),
        facts=facts,
        sources=(source,),
        remedies=remedies,
        topic=TOPIC,
    )


_SHOWN_AS: Final = {"hba1c": "HbA1c", "egfr": "eGFR", "uacr": "albumin to creatinine"}


def _unit(fact: Fact) -> str:
    return fact.unit.replace("{1.73_m2}", "1.73 m²")


def _newest(state: TwinState, name: str) -> tuple[Fact, ...]:
    dated = sorted((f for f in state.named(name) if f.time), key=lambda f: begins(f.time), reverse=True)
    return tuple(dated[:SHOWN])


def _lasting(ratios: tuple[Fact, ...]) -> bool:
    """Whether albuminuria, up to the newest ratio and without a lower one between, surely spans ninety days."""
    dated = sorted((f for f in ratios if f.time), key=lambda f: begins(f.time), reverse=True)
    run = list(takewhile(lambda f: _number(f) >= UACR, dated))
    ends = [day for f in run if (day := last_day(f.time))]
    return bool(ends) and begins(run[0].time).date() - min(ends) >= kidney.CHRONIC


def _number(fact: Fact) -> Decimal:
    return fact.value if isinstance(fact.value, Decimal) else Decimal(0)


def _order(label: str, code: Coding) -> Remedy:
    return Remedy(label, Act.REQUEST, code=code, recommended=True)


_RATIO: Final = _order("Order albumin to creatinine ratio", _UACR)
_CREATININE: Final = _order("Order serum creatinine", CREATININE)

_JUDGES: Final[Mapping[str, Callable[[Problem, TwinState], Finding]]] = {
    "diabetes": _diabetes,
    "chronic-kidney-disease": _ckd,
    "acute-kidney-injury": _aki,
}
