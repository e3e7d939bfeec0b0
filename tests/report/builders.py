"""A patient whose risks can be calculated, in one line, and what the plain arithmetic makes of her."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from fhirtwin.features import vector
from fhirtwin.predictors import registry, score
from fhirtwin.predictors.model import FeatureVector, Predictor, Refusal, Result
from fhirtwin.report.occasion import Occasion
from fhirtwin.settings import Settings
from fhirtwin.terms.facts import UNITS
from fhirtwin.twin.state import LOCAL, Fact, PatientKey, Source, TwinState, in_order

DAY = date(2026, 6, 1)
SETTINGS = Settings(base_url="https://twin.example/fhir", open=True)
LISTS = frozenset({"Condition", "Procedure", "MedicationRequest"})
HOW = "Computed on ciphertext for a test."
MEASURED = {
    "total-cholesterol": "200",
    "hdl-cholesterol": "45",
    "systolic-bp": "144",
    "bmi": "31.2",
    "creatinine": "1.70",
    "uacr": "310",
}


def fact(
    name: str, value: Any, time: str = "2026-05-20", *, origin: str = LOCAL, named: str = "", version: str = "1"
) -> Fact:
    """A fact read from an Observation of its own."""
    kind = "Patient" if name in ("birth-date", "sex") else "Observation"
    source = Source(origin, kind, named or ("p1" if kind == "Patient" else name), version)
    kept = Decimal(value) if name in UNITS else value
    return Fact(name, kept, (source,), unit=UNITS.get(name, ""), time=time)


def facts(origin: str = LOCAL, **changes: Any) -> list[Fact]:
    """All that PREVENT and the kidney failure equation need, at 62 years with CKD G3b."""
    values = {**MEASURED, **{name.replace("_", "-"): value for name, value in changes.items()}}
    found = [fact(name, value, origin=origin) for name, value in values.items() if value is not None]
    found.append(fact("creatinine", "1.72", "2025-11-20", origin=origin, named="creatinine-before"))
    found.append(fact("birth-date", "1964-02-03", "", origin=origin))
    found.append(fact("sex", "female", "", origin=origin))
    found.append(fact("smoking-status", "never", origin=origin))
    return found


def state(
    patient: PatientKey | None = None, known: Iterable[Fact] | None = None, lists: frozenset[str] = LISTS
) -> TwinState:
    """The twin of a patient, by default one stored here."""
    key = patient or PatientKey(LOCAL, "p1")
    reference = f"{key.origin}/Patient/{key.id}" if key.origin else f"Patient/{key.id}"
    return TwinState(key, 1, in_order(facts(key.origin) if known is None else known), lists, reference=reference)


def predictor(which: str = "prevent-base") -> Predictor:
    return next(p for p in registry.all_predictors() if p.id == which)


def built(of: TwinState | None = None, which: str = "prevent-base", day: date = DAY) -> FeatureVector:
    made = vector.build(of or state(), predictor(which), day, SETTINGS)
    assert isinstance(made, FeatureVector), made
    return made


def result(
    of: TwinState | None = None, which: str = "prevent-base", day: date = DAY, settings: Settings = SETTINGS
) -> Result:
    given = built(of, which, day)
    return Result(given, score.scores(given, score.plain_sums(given), settings), HOW)


def refusal(of: TwinState, which: str = "prevent-base") -> Refusal:
    made = vector.build(of, predictor(which), DAY, SETTINGS)
    assert isinstance(made, Refusal), made
    return made


def occasion(of: TwinState | None = None, day: date = DAY, **settings: Any) -> Occasion:
    whose = of or state()
    return Occasion(whose.patient, whose.reference, day, "0" * 64, replace(SETTINGS, **settings))
