"""An inhibitor that was stopped or is on hold, and a draft of which the guideline would say otherwise while it acts.

It does not count, for no source that was read tells how long it acts; but where genes alone lead to nothing, or to
something else, silence would tell that it is over. So it is a remark. Where a card of the draft names it already, with
its day, there is no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fhirtwin.pgx import phenoconversion
from fhirtwin.pgx.phenoconversion import REVERSAL_UNKNOWN, Taken
from fhirtwin.rules.findings import Finding, Severity
from fhirtwin.rules.genetics import naming, severity, wording
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.beside import beside, stopped, takings
from fhirtwin.rules.genetics.judging import Judged, genes_of, judged
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.pairs import DROPS, TOPICAL
from fhirtwin.rules.saying import capital, how_ordered
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.twin.state import Fact
from fhirtwin.twin.times import last_day

ORDERED_LATELY: Final = timedelta(days=365)
"""How old an order may be that was stopped on a day which nobody tells. A limit of ours."""


@dataclass(frozen=True, slots=True)
class _Past:
    drug: str
    fact: Fact
    day: date | None


def findings(situation: Situation, person: Person, told: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """Find drafts of which something else is said while an inhibitor that is over still acts.

    Args:
        situation: in which the orders stand.
        person: whose genes.
        told: drafts with the rule of each finding on them: such a finding names inhibitors with their last day.
    """
    if not person.results:
        return
    past = tuple(_past(situation))
    for order in situation.orders:
        for drug in naming.named(order.medicine.ingredients) if order.route not in (*DROPS, TOPICAL) else ():
            is_told = (order.reference, f"genes.{naming.slug(drug)}") in told
            for one in past:
                if not (is_told and one.day) and _slows(one, drug, person):
                    yield from _of(drug, one, order, situation, person)


def _past(situation: Situation) -> Iterator[_Past]:
    now = {str(fact.value) for fact in situation.state.named("medicine")}
    ended = stopped(situation.ended, now, situation.day)
    dated = {str(fact.value): _Past(taken.drug, fact, taken.stopped) for fact, taken in ended}
    yield from dated.values()
    undated = {
        str(fact.value): fact
        for fact in situation.undated
        if str(fact.value) not in now | dated.keys() and _is_late(fact, situation.day)
    }
    yield from (_Past(naming.name_of(code), fact, None) for code, fact in undated.items())


def _is_late(fact: Fact, day: date) -> bool:
    began = last_day(fact.time)
    return began is None or day - began <= ORDERED_LATELY


def _slows(one: _Past, drug: str, person: Person) -> bool:
    genes = [gene for gene in genes_of(drug) if gene in phenoconversion.GRADE and gene in person.results]
    return one.drug != drug and any((one.drug.casefold(), gene) in phenoconversion.inhibitors() for gene in genes)


def _of(drug: str, one: _Past, order: Order, situation: Situation, person: Person) -> Iterator[Finding]:
    now = [taken for taken in takings(beside(situation, order)) if not taken.stopped]
    if any(taken.drug == one.drug for taken in now):
        return
    before, acting = judged(drug, person, now), judged(drug, person, [*now, Taken(one.drug)])
    if severity.worst(acting.rows[:1]) and not acting.says_as(before):
        yield _finding(one, acting, order, person)


def _finding(one: _Past, acting: Judged, order: Order, person: Person) -> Finding:
    changed = {gene: effect for gene, effect in acting.effects.items() if effect.changed}
    genes = " and ".join(changed)
    when = f"was stopped on {one.day.isoformat()}" if one.day else "was stopped or put on hold"
    day = (
        "" if one.day else f", on a day that the record does not tell; the entry is of {one.fact.time[:10] or 'no day'}"
    )
    means = (f"{gene}: {wording.phenotypes(effect.effective) or 'not known'}" for gene, effect in changed.items())
    rules = (f"Rule: {effect.rule}. Grade of its evidence: {effect.grade}." for effect in changed.values())
    return Finding(
        rule=f"genes.stopped.{naming.slug(acting.drug)}",
        severity=Severity.INFO,
        orders=(order.reference,),
        summary=f"{capital(acting.drug)}: {one.drug} {when} and may still slow {genes}",
        detail=(
            *(line for gene in changed for line in wording.what_genes_say(gene, person, None)),
            f"{capital(one.drug)} {when}{day}: {REVERSAL_UNKNOWN}. It is not counted.",
            f"While it acts: {'; '.join(means)}.",
            *rules,
            "The guideline then says:",
            *map(wording.what_to_do, acting.rows),
            *how_ordered(order),
            wording.disclaimer(acting.rows[0].drug),
        ),
        facts=tuple(dict.fromkeys((*(fact for gene in changed for fact in person.facts.get(gene, ())), one.fact))),
        sources=(wording.cited(acting.rows[0].drug),),
        topic=TOPIC,
    )
