"""Situations in one line each."""

from __future__ import annotations

from datetime import date
from typing import Any

from fhirtwin.rules.findings import Finding
from fhirtwin.rules.registry import judge
from fhirtwin.rules.renal import TOPIC as RENAL
from fhirtwin.rules.situation import Medicine, Order, Situation
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.terms.facts import UNITS
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState

DAY = date(2026, 6, 1)
WHO = PatientKey("https://ehr.example/fhir", "1")


def code(name: str) -> str:
    return CODES[name]


def taken(name: str, id_: str = "r", **members: Any) -> Fact:
    return Fact(
        "medicine",
        CODES[name],
        (Source("", "MedicationRequest", id_, "1"),),
        time="2026-05-01",
        display=name,
        **members,
    )


def allergic(value: str, note: str = "", name: str = "allergy") -> Fact:
    shown = CODES.get(value, value)
    return Fact(name, shown, (Source("", "AllergyIntolerance", "a", "1"),), display=value, note=note)


def measured(name: str, value: Any, time: str = "2026-05-20") -> Fact:
    return Fact(name, value, (Source("", "Observation", "o", "1"),), unit=UNITS[name], time=time)


def order(names: str, id_: str = "d1") -> Order:
    codes = tuple(CODES[name] for name in names.split(" / "))
    return Order(f"MedicationRequest/{id_}", Medicine(codes, names))


def situation(*orders: Order | str, facts: tuple[Fact, ...] = ()) -> Situation:
    made = tuple(order(o, f"d{n}") if isinstance(o, str) else o for n, o in enumerate(orders, 1))
    return Situation(made, TwinState(WHO, 1, facts, reference="Patient/1"), DAY)


def found(*orders: Order | str, facts: tuple[Fact, ...] = ()) -> tuple[Finding, ...]:
    """What rules find; renal dosing, which asks for measurements, has tests of its own."""
    return tuple(f for f in judge(situation(*orders, facts=facts)) if f.topic != RENAL)


def rules(*orders: Order | str, facts: tuple[Fact, ...] = ()) -> list[tuple[str, str]]:
    """Name and severity of all that is found."""
    return [(finding.rule, finding.severity.value) for finding in found(*orders, facts=facts)]
