"""A study of four sites, and everything that its parties do, in a line each."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fhirtwin.engine.adding import Adder
from fhirtwin.studies import round as rounds
from fhirtwin.studies import wire
from fhirtwin.studies.column import Column
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study
from fhirtwin.studies.wire import Total
from fhirtwin.vault.studies import Coordinator, Invitation, seal

SITES = ("north", "south", "east", "west")
AGE = Column("age", Decimal(18), Decimal(110), Decimal(1))
BMI = Column("bmi", Decimal(10), Decimal(80), Decimal("0.1"))
SBP = Column("sbp", Decimal(60), Decimal(260), Decimal(1))
ILL = Column("ill", Decimal(0), Decimal(1), Decimal(1))


def plan(kind: str = "count", **changes: Any) -> Plan:
    made = Plan("study", kind, changes.pop("sites", SITES), **changes)  # type: ignore[arg-type]
    made.check()
    return made


@dataclass
class Parties:
    """All parties of one study. The sites' numbers are given, not tallied."""

    plan: Plan
    coordinator: Coordinator = field(init=False)
    study: Study = field(init=False)
    invitations: list[Invitation] = field(init=False)

    def __post_init__(self) -> None:
        self.coordinator = Coordinator.new(self.plan)
        self.study = self.coordinator.study(self.plan)
        self.invitations = self.coordinator.invitations(self.study)
        self.first: Round = rounds.first(self.study)

    def seal(self, place: int, *values: int, current: Round | None = None) -> bytes:
        return seal(self.study, current or self.first, self.invitations[place], [1, *values])

    def add(self, *sealed: bytes) -> Total:
        adder = Adder(self.study, self.first)
        for data in sealed:
            adder.add(data)
        return adder.total()

    def open(self, total: Total, current: Round | None = None) -> tuple[int, ...]:
        return self.coordinator.open(self.study, current or self.first, total)

    def sealed_of(self, data: bytes) -> bytes:
        """The ciphertexts of a contribution."""
        return wire.read_contribution(data, self.study, self.first).sealed
