"""How often CDS services speak and what users make of it, as a MeasureReport.

A service is a stratum and not a group, for the groups of a Measure are fixed and the services of a server are not.

Source: http://hl7.org/fhir/R4/measurereport.html, `profiles/Measure-alert-burden.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from fhirtwin.fhir.dates import instant
from fhirtwin.terms.systems import FHIRTWIN

ID: Final = "alert-burden"
"""Logical id of the Measure."""
URL: Final = f"{FHIRTWIN}/Measure/{ID}"
VERSION: Final = "0.1.0"

_FIGURES: Final = f"{FHIRTWIN}/CodeSystem/{ID}"
_POPULATION: Final = "http://terminology.hl7.org/CodeSystem/measure-population"
_STEP: Final = Decimal("0.0001")
NO_REASON: Final = ("", "")
"""In place of system and code: the user chose no reason, but perhaps wrote one."""


@dataclass(frozen=True, slots=True)
class Burden:
    """What calls of one service, or of all, came to.

    Attributes:
        answered: calls that were answered.
        silent: of these, those that showed no card.
        cards: cards shown.
        quietened: cards held back because their user had overridden them.
        refused: calls that were wrong or lacked data.
        failed: calls that failed here.
        accepted: feedback by which a suggestion was accepted.
        overridden: feedback by which a card was overridden, by system and code of the reason.
    """

    answered: int = 0
    silent: int = 0
    cards: int = 0
    quietened: int = 0
    refused: int = 0
    failed: int = 0
    accepted: int = 0
    overridden: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def overrides(self) -> int:
        """Feedback by which a card was overridden."""
        return sum(self.overridden.values())

    @property
    def feedback(self) -> int:
        """Feedback of either outcome."""
        return self.accepted + self.overrides

    @property
    def calls(self) -> int:
        """All calls, however they ended."""
        return self.answered + self.refused + self.failed


_Ratio = Callable[[Burden], tuple[int, int]]
_GROUPS: Final[Mapping[str, _Ratio]] = {
    "calls-without-card": lambda one: (one.silent, one.answered),
    "cards-per-call": lambda one: (one.cards, one.answered),
    "cards-quietened": lambda one: (one.quietened, one.cards + one.quietened),
    "cards-acted-upon": lambda one: (one.feedback, one.cards),
    "cards-accepted": lambda one: (one.accepted, one.feedback),
    "cards-overridden": lambda one: (one.overrides, one.feedback),
    "calls-refused": lambda one: (one.refused, one.calls),
    "calls-failed": lambda one: (one.failed, one.calls),
}
"""Numerator and denominator of each group."""


def measure_report(services: Mapping[str, Burden], first: date, last: date, now: datetime) -> dict[str, Any]:
    """Report on the services of this server.

    Args:
        services: what was counted, by id of the service.
        first: first day of the period.
        last: its last day.
        now: when the report is made.
    """
    whole = _total(services.values())
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": f"{URL}|{VERSION}",
        "date": instant(now),
        "period": {"start": first.isoformat(), "end": last.isoformat()},
        "group": [_group(code, ratio, services, whole) for code, ratio in _GROUPS.items()],
    }


def _group(code: str, ratio: _Ratio, services: Mapping[str, Burden], whole: Burden) -> dict[str, Any]:
    by_service = [{"value": {"text": id_}, **_counts(ratio(services[id_]))} for id_ in sorted(services)]
    stratifiers = [{"code": [_code("service")], "stratum": by_service}] if by_service else []
    by_reason = list(_by_reason(services)) if code == "cards-overridden" else []
    if by_reason:
        stratifiers.append({"code": [_code("service"), _code("override-reason")], "stratum": by_reason})
    made = {"code": _code(code), **_counts(ratio(whole))}
    return {**made, "stratifier": stratifiers} if stratifiers else made


def _by_reason(services: Mapping[str, Burden]) -> Iterable[dict[str, Any]]:
    for id_, burden in sorted(services.items()):
        for reason, number in sorted(burden.overridden.items()):
            yield {
                "component": [
                    {"code": _code("service"), "value": {"text": id_}},
                    {"code": _code("override-reason"), "value": _reason(reason)},
                ],
                **_counts((number, burden.overrides)),
            }


def _reason(reason: tuple[str, str]) -> dict[str, Any]:
    if reason == NO_REASON:
        return {"text": "No reason of those offered"}
    return {"coding": [{"system": reason[0], "code": reason[1]}]}


def _counts(ratio: tuple[int, int]) -> dict[str, Any]:
    numerator, denominator = ratio
    populations = [_population("denominator", denominator), _population("numerator", numerator)]
    if not denominator:
        return {"population": populations}
    score = (Decimal(numerator) / denominator).quantize(_STEP)
    return {"population": populations, "measureScore": {"value": score}}


def _population(code: str, count: int) -> dict[str, Any]:
    return {"code": {"coding": [{"system": _POPULATION, "code": code}]}, "count": count}


def _code(code: str) -> dict[str, Any]:
    return {"coding": [{"system": _FIGURES, "code": code}]}


def _total(burdens: Iterable[Burden]) -> Burden:
    every: Sequence[Burden] = tuple(burdens)
    overridden: dict[tuple[str, str], int] = {}
    for one in every:
        for reason, number in one.overridden.items():
            overridden[reason] = overridden.get(reason, 0) + number
    return Burden(
        answered=sum(one.answered for one in every),
        silent=sum(one.silent for one in every),
        cards=sum(one.cards for one in every),
        quietened=sum(one.quietened for one in every),
        refused=sum(one.refused for one in every),
        failed=sum(one.failed for one in every),
        accepted=sum(one.accepted for one in every),
        overridden=overridden,
    )
