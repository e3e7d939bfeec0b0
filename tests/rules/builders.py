"""Orders and situations in one line each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from fhirtwin.rules.situation import Medicine, Order, Situation
from fhirtwin.twin.derived import as_of
from fhirtwin.twin.state import Fact, Source, TwinState
from tests.twin.builders import measured, person

TODAY = date(2026, 11, 20)
DAY = TODAY.isoformat()
BORN = "1986-01-01"
"""Forty years before, so that Cockcroft-Gault gives a man with creatinine 1 his weight times 100/72."""


def order(*ingredients: str, route: str = "", number: int = 1) -> Order:
    return Order(f"MedicationRequest/draft-{number}", Medicine(ingredients, "what was ordered"), route)


def situation(*facts: Fact, orders: tuple[Order, ...], sex: str = "male", birth: str = BORN) -> Situation:
    return Situation(orders, as_of(person(*facts, sex=sex, birth=birth), TODAY), TODAY)


def laid(state: TwinState, *orders: Order) -> Situation:
    return Situation(orders, as_of(state, TODAY), TODAY)


def clearance(value: str) -> tuple[Fact, Fact]:
    """Creatinine and weight of a man of forty that give this creatinine clearance exactly."""
    weight = Decimal(value) * Decimal("0.72")
    return measured("creatinine", "1", DAY), measured("body-weight", str(weight), DAY)


def flag(name: str, *, time: str = DAY, kind: str = "Condition") -> Fact:
    return Fact(name, True, (Source("", kind, name, "1"),), time=time)
