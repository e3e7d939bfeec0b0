"""Orders and situations in one line each: by names, of facts as given; by codes, of a chart as rules see it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from fhirtwin.rules.findings import Finding
from fhirtwin.rules.registry import judge
from fhirtwin.rules.renal import TOPIC as RENAL
from fhirtwin.rules.situation import Medicine, Order, Situation
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.twin.derived import as_of
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState
from tests.twin import builders as twin

GIVEN = date(2026, 6, 1)
"""The day of facts as they are given."""
TODAY = date(2026, 11, 20)
"""The day of a chart."""
DAY = TODAY.isoformat()
BORN = "1986-01-01"
"""Forty years before, so that Cockcroft-Gault gives a man with creatinine 1 his weight times 100/72."""
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


def measured(name: str, value: Decimal, time: str = "2026-05-20") -> Fact:
    return twin.measured(name, str(value), time, "o")


def order(names: str, id_: str = "d1") -> Order:
    codes = tuple(CODES[name] for name in names.split(" / "))
    return Order(f"MedicationRequest/{id_}", Medicine(codes, names))


def situation(*orders: Order | str, facts: tuple[Fact, ...] = ()) -> Situation:
    made = tuple(order(o, f"d{n}") if isinstance(o, str) else o for n, o in enumerate(orders, 1))
    return Situation(made, TwinState(WHO, 1, facts, reference="Patient/1"), GIVEN)


def found(*orders: Order | str, facts: tuple[Fact, ...] = ()) -> tuple[Finding, ...]:
    """What rules find; renal dosing, which asks for measurements, has tests of its own."""
    return tuple(f for f in judge(situation(*orders, facts=facts)) if f.topic != RENAL)


def rules(*orders: Order | str, facts: tuple[Fact, ...] = ()) -> list[tuple[str, str]]:
    """Name and severity of all that is found."""
    return [(finding.rule, finding.severity.value) for finding in found(*orders, facts=facts)]


def ordered(*ingredients: str, route: str = "", number: int = 1) -> Order:
    return Order(f"MedicationRequest/draft-{number}", Medicine(ingredients, "what was ordered"), route)


def chart(*facts: Fact, orders: tuple[Order, ...], sex: str = "male", birth: str = BORN) -> Situation:
    return laid(twin.person(*facts, sex=sex, birth=birth), *orders)


def laid(state: TwinState, *orders: Order) -> Situation:
    return Situation(orders, as_of(state, TODAY), TODAY)


def clearance(value: str) -> tuple[Fact, Fact]:
    """Creatinine and weight of a man of forty that give this creatinine clearance exactly."""
    weight = Decimal(value) * Decimal("0.72")
    return twin.measured("creatinine", "1", DAY), twin.measured("body-weight", str(weight), DAY)


def flag(name: str, *, time: str = DAY, kind: str = "Condition") -> Fact:
    return Fact(name, True, (Source("", kind, name, "1"),), time=time)
