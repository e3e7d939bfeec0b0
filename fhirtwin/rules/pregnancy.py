"""Pregnancy: ordered medicines that a label forbids while it lasts.

Only a pregnancy that is recorded and holds on the day (`fhirtwin.twin.derived`) is known; nothing is told from sex and
age. Few medicines are here, each with the text that was read: no finding does not mean that a medicine may be given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fhirtwin.rules.findings import Citation, Finding, Severity
from fhirtwin.rules.saying import capital, how_ordered, removal
from fhirtwin.rules.situation import Order, Rule, Situation
from fhirtwin.rules.tables.model import of
from fhirtwin.terms import drugs
from fhirtwin.twin.derived import PREGNANCY_DAYS
from fhirtwin.twin.state import Fact
from fhirtwin.twin.times import begins

TOPIC: Final = "pregnancy"


@dataclass(frozen=True, slots=True)
class Harm:
    """Medicines that harm the child.

    Attributes:
        id: stable, in kebab case.
        medicines: RxNorm ingredient codes.
        effect: what happens, a few words for a headline.
        advice: what the source asks for, in our words.
        sources: the texts that were read.
        always: whether it is forbidden whatever it is given for, so that taking the order away is recommended.
    """

    id: str
    medicines: frozenset[str]
    effect: str
    advice: str
    sources: tuple[Citation, ...]
    always: bool


ROWS: Final = (
    Harm(
        "renin-angiotensin-system",
        of("ace-inhibitors, arbs, aliskiren"),
        "injury and death of the fetus",
        "Boxed warning: medicines that act directly on the renin-angiotensin system can injure and kill the fetus. "
        "When pregnancy is detected, they are to be stopped as soon as possible.",
        (
            Citation(
                "FDA MedWatch, safety labeling changes of Prinivil and Prinzide (lisinopril), boxed warning, June 2012",
                "https://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm311025.htm",
            ),
        ),
        always=True,
    ),
    Harm(
        "methotrexate",
        of("methotrexate"),
        "embryo-fetal toxicity",
        "Boxed warning: contraindicated in pregnancy for all but cancer. What it is given for is not read here.",
        (
            Citation(
                "Methotrexate injection, US label, boxed warning, as Pfizer gives it",
                "https://www.pfizermedicalinformation.com/en-us/methotrexate-0/boxed-warning",
            ),
        ),
        always=False,
    ),
    Harm(
        "warfarin",
        of("warfarin"),
        "embryopathy, fetal bleeding",
        "The label contraindicates it in pregnancy, except with a mechanical heart valve where benefit may outweigh "
        "the risk. Whether there is a valve is not read here.",
        (
            Citation(
                "Coumadin (warfarin), pregnancy, as The Meditary gives its label",
                "https://themeditary.com/pregnancy/warfarin-pregnancy-and-breastfeeding-warnings-170.html",
            ),
        ),
        always=False,
    ),
)


def harmful_in_pregnancy(situation: Situation) -> Iterator[Finding]:
    """Find orders of medicines that a label forbids in pregnancy, when one is recorded, or was and its end was not."""
    recorded = tuple(fact for fact in situation.state.named("pregnancy") if fact.value is True)
    judge = _finding if recorded else _not_counted
    facts = recorded or situation.forgotten
    if not facts:
        return
    for order in situation.orders:
        for row in ROWS:
            ordered = [code for code in order.medicine.ingredients if code in row.medicines]
            if ordered:
                yield judge(row, order, ordered, facts, situation)


def _not_counted(row: Harm, order: Order, ordered: list[str], facts: tuple[Fact, ...], situation: Situation) -> Finding:
    """Say that a pregnancy is recorded and was not counted: it may be a forgotten end, or a wrong date."""
    name = ", ".join(map(drugs.name_of, ordered))
    newest = max(facts, key=lambda fact: begins(fact.time))
    days = (situation.day - begins(newest.time).date()).days
    return Finding(
        rule=f"pregnancy.{row.id}.not-counted",
        severity=Severity.INFO,
        orders=(order.reference,),
        summary=f"{capital(name)}: a pregnancy is recorded {days} days ago, without an end, and not counted",
        detail=(
            f"A pregnancy counts for {PREGNANCY_DAYS.days} days from its start. Whether it is over is not told: ask.",
            f"If it lasts, or there is another: {row.effect}. {row.advice}",
        ),
        facts=facts,
        sources=row.sources,
        topic=TOPIC,
    )


def _finding(row: Harm, order: Order, ordered: list[str], recorded: tuple[Fact, ...], _situation: Situation) -> Finding:
    name = ", ".join(map(drugs.name_of, ordered))
    return Finding(
        rule=f"pregnancy.{row.id}",
        severity=Severity.CRITICAL,
        orders=(order.reference,),
        summary=f"{capital(name)} in pregnancy: {row.effect}",
        detail=(row.advice, *how_ordered(order)),
        facts=recorded,
        sources=row.sources,
        remedies=(removal(order, recommended=row.always),),
        topic=TOPIC,
    )


RULES: Final[tuple[Rule, ...]] = (harmful_in_pregnancy,)
