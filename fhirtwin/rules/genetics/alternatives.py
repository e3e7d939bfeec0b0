"""Other drugs that a guideline's row names, or that are of the same guideline, and nothing speaks against.

Candidates come from the row alone: the drugs it names; for "another statin" the other drugs of the guideline on
statins; for "not by CYP2C19" those of the same guideline and the same ATC class whose rows do not ask for that gene.
Where a row says "another opioid" or names a class that no table here has, there are none.

Each is judged as if it were ordered instead, beside all that is taken and ordered, by every rule there is. One of which
any rule speaks is left out, and so is one with rows for genes of this person that do not say: the usual dose. What is
left is offered only where that judging is enough (`screening`); else it is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from fhirtwin.pgx import guideline
from fhirtwin.pgx.advice import Step
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.rules.findings import Act, Finding, Remedy
from fhirtwin.rules.genetics import naming, screening
from fhirtwin.rules.genetics.severity import of_row, rank
from fhirtwin.rules.situation import Medicine, Order, Situation
from fhirtwin.terms import drugs
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.systems import RXNORM
from fhirtwin.twin.state import Fact, Source, in_order

_CLASS = 5
"""Letters of an ATC code of the fourth level."""

Judge = Callable[[Situation], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Other:
    """Another drug, of which no rule speaks and which these genes allow.

    Attributes:
        name: in the tables.
        code: its RxNorm ingredient.
        why_not: why it is only named, and not offered with one click; empty when it is offered.
    """

    name: str
    code: str
    why_not: str = ""


def found(
    rows: Iterable[Recommendation], order: Order, situation: Situation, judge: Judge, suits: Callable[[str], bool]
) -> Iterator[Other]:
    """Give what could stand in for an order, each drug once; nothing for a medicine of several ingredients.

    Args:
        rows: those that fit.
        order: the draft to replace.
        situation: in which it stands.
        judge: every rule.
        suits: whether the genes allow a drug of the tables at its usual dose.
    """
    if len(order.medicine.ingredients) != 1:
        return
    for name in dict.fromkeys(name for row in rows if rank(of_row(row)) for name in candidates(row)):
        code = naming.code_of(name)
        if code and suits(name) and not _spoken_of(code, order, situation, judge):
            yield Other(name, code, screening.why_not(name, order, situation))


def replacing(other: Other, order: Order) -> Remedy:
    """Order another drug instead, without a dose."""
    name = drugs.name_of(other.code)
    label = f"Replace {order.medicine.display} by {name}"
    return Remedy(label, Act.REPLACE, order=order.reference, code=Coding(RXNORM, other.code, name))


def candidates(row: Recommendation) -> Iterator[str]:
    """Give the drugs that a row leads to; none where it says to avoid nothing, or only under a condition."""
    if row.action in ("avoid", "alternative"):
        for step in row.steps:
            if step.verb == "alternative" and not step.when:
                yield from _of_step(step, row)


def _of_step(step: Step, row: Recommendation) -> Iterator[str]:
    if step.amount:
        yield from (name.strip() for name in step.amount.split(","))
        return
    siblings = [drug for drug in guideline.drugs().values() if drug.guideline == row.drug.guideline]
    for drug in siblings:
        if drug.name == row.drug.name:
            continue
        if step.what == "another statin":
            yield drug.name
        elif step.what.startswith("not by ") and _classes(drug) & _classes(row.drug):
            avoided = step.what.removeprefix("not by ").split(" or ")
            if not set(avoided) & set(guideline.genes(drug.name)):
                yield drug.name


def _classes(drug: guideline.Drug) -> set[str]:
    return {code[:_CLASS] for code in drug.atc}


def _spoken_of(code: str, order: Order, situation: Situation, judge: Judge) -> bool:
    other = replace(order, medicine=Medicine((code,), drugs.name_of(code)))
    return any(other.reference in finding.orders for finding in judge(_instead(other, situation)))


def _instead(other: Order, situation: Situation) -> Situation:
    """The situation with the other drafts as if they were taken, so that one order is judged and not all again."""
    drafts = [order for order in situation.orders if order.reference != other.reference]
    facts = [_as_taken(order, code, situation) for order in drafts for code in order.medicine.ingredients]
    kept = [fact for fact in situation.state.facts if not _is_of(fact, other)]
    return replace(situation, orders=(other,), state=replace(situation.state, facts=in_order([*kept, *facts])))


def _is_of(fact: Fact, order: Order) -> bool:
    return all(f"{source.type}/{source.id}" == order.reference for source in fact.sources)


def _as_taken(order: Order, code: str, situation: Situation) -> Fact:
    type_, _, id_ = order.reference.partition("/")
    time = situation.day.isoformat()
    return Fact("medicine", code, (Source("", type_, id_ or "draft"),), time=time, display=drugs.name_of(code))
