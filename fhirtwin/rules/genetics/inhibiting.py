"""A draft that slows an enzyme, against medicines that are taken already: what it makes of their genes.

Only of genes that somebody looked at: what two medicines do to one another whatever the genes is for the tables of
interactions.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.pgx import guideline, phenoconversion
from fhirtwin.rules.findings import SUMMARY_LENGTH, Finding, Severity
from fhirtwin.rules.genetics import naming, severity, wording
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.beside import Beside, beside, takings
from fhirtwin.rules.genetics.judging import Judged, judged
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.saying import capital, how_read, removal
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.twin.state import Fact


def findings(situation: Situation, person: Person) -> Iterator[Finding]:
    """Find medicines taken now for which the guideline says something worse, or else, once the drafts are signed."""
    if not person.results or not any(_slows(one) for one in beside(situation)):
        return
    ordered = {code for order in situation.orders for code in order.medicine.ingredients}
    for fact in situation.state.named("medicine"):
        drug = naming.name_of(str(fact.value))
        if str(fact.value) not in ordered and drug in guideline.drugs():
            yield from _of(drug, fact, situation, person)


def _slows(one: Beside) -> bool:
    return one.order is not None and any(
        (one.taken.drug.casefold(), gene) in phenoconversion.inhibitors() for gene in phenoconversion.GRADE
    )


def _of(drug: str, fact: Fact, situation: Situation, person: Person) -> Iterator[Finding]:
    everything = beside(situation)
    before = judged(drug, person, takings(one for one in everything if one.order is None))
    after = judged(drug, person, takings(everything))
    if after.as_shown is None or after.says_as(before):
        return
    acting = after.through(*after.rows)
    drafts = {one.order.reference: one.order for one in everything if one.order and one.taken in acting}
    if drafts:
        yield _finding(after, fact, tuple(drafts.values()), person)


def _finding(after: Judged, fact: Fact, drafts: tuple[Order, ...], person: Person) -> Finding:
    row = after.rows[0]
    names = ", ".join(order.medicine.display for order in drafts)
    ordered = [one for one in after.effects.items() if any(taken.role == "draft" for taken in one[1].deciding)]
    slowed = ", ".join(gene for gene, _ in ordered)
    summary = _summary(names, slowed, [gene for gene, _ in ordered], after)
    detail = [line for gene in after.genes for line in wording.what_genes_say(gene, person, after.effects.get(gene))]
    detail += [
        f"It is the order that changes this: a medicine that does not slow {slowed} leaves {after.drug} as it is. "
        f"The guideline speaks of people whose genes make them so; of {after.drug} it says to them:",
        *map(wording.what_to_do, after.rows),
    ]
    detail += wording.unknown(after.answer.unknown)
    detail += how_read([fact.note, *(order.medicine.note for order in drafts)])
    return Finding(
        rule=f"genes.inhibitor.{naming.slug(after.drug)}",
        severity=after.as_shown or Severity.INFO,
        orders=tuple(order.reference for order in drafts),
        summary=summary,
        detail=(*detail, wording.disclaimer(row.drug)),
        facts=tuple(dict.fromkeys((*(f for gene in after.genes for f in person.facts.get(gene, ())), fact))),
        sources=(wording.cited(row.drug), *([found.source] if (found := severity.grave(row)) else [])),
        remedies=tuple(map(removal, drafts)),
        topic=TOPIC,
    )


def _summary(names: str, slowed: str, genes: list[str], after: Judged) -> str:
    """What the order does to the medicine that is taken, and that it is the order which could be another one."""
    row = after.rows[0]
    firm = wording.how_firm(row, after.grade(row))
    head = f"{capital(names)} slows {slowed}, and {row.drug.name} is taken ({firm}): "
    means = [word for gene, words in row.implications if gene in genes for word in words.split("; ") if word]
    remedy = f"choose one that does not slow {slowed}"
    texts = ["; ".join([*means[:number], remedy]) for number in range(len(means), -1, -1)]
    return head + next((text for text in texts if len(head) + len(text) <= SUMMARY_LENGTH), remedy)
