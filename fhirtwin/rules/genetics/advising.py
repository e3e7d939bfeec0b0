"""One draft and the genes: rows of its guideline and contraindications of its label, as one finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from fhirtwin.pgx import guideline
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.pgx.phenoconversion import Taken
from fhirtwin.rules.findings import SUMMARY_LENGTH, Citation, Finding, Remedy, Severity
from fhirtwin.rules.genetics import alternatives, illness, naming, screening, severity, wording
from fhirtwin.rules.genetics.alternatives import Judge, Other
from fhirtwin.rules.genetics.beside import Beside, at_work, beside, takings
from fhirtwin.rules.genetics.judging import Judged, judged
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.pairs import DROPS, TOPICAL
from fhirtwin.rules.saying import capital, how_ordered, removal
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.twin.state import Fact

TOPIC: Final = "pharmacogenetics"


def findings(order: Order, person: Person, situation: Situation, judge: Judge | None) -> Iterator[Finding]:
    """Find what guidelines and labels say of a draft for these genes.

    Args:
        order: the draft.
        person: whose genes.
        situation: in which it stands.
        judge: every rule, by which other drugs are looked at; None offers none.
    """
    if not person.is_known or order.route in (*DROPS, TOPICAL):
        return
    others = beside(situation, order)
    for drug in naming.named(order.medicine.ingredients):
        told = judged(drug, person, takings(others))
        if told.severity:
            instead = tuple(_instead(told, order, person, situation, judge)) if judge else ()
            yield _finding(told, order, person, others, instead)


def _finding(
    told: Judged, order: Order, person: Person, others: tuple[Beside, ...], instead: tuple[Other, ...]
) -> Finding:
    drafts, taken = at_work(others, told.through(*told.spoken) or told.slowing)
    return Finding(
        rule=f"genes.{naming.slug(told.drug)}",
        severity=told.severity or Severity.INFO,
        orders=(order.reference, *drafts),
        summary=wording.fitted(_summary(told)),
        detail=tuple(_detail(told, order, person, instead)),
        facts=tuple(dict.fromkeys((*_facts(told, person), *taken))),
        sources=tuple(dict.fromkeys(_sources(told, instead))),
        remedies=tuple(_remedies(told, order, instead)),
        topic=TOPIC,
    )


def _facts(told: Judged, person: Person) -> Iterator[Fact]:
    for gene in told.genes:
        yield from person.facts.get(gene, ())
    for one in told.forbidden:
        yield from person.diseases.get(one.disease, ())


def _summary(told: Judged) -> str:
    name = capital(told.drug)
    if severity.rank(told.severity) > severity.rank(told.as_shown):
        return _summary_by_genes(name, told)
    if told.forbidden and not (told.rows and severity.rank(severity.of_row(told.rows[0])) > 1):
        return f"{name} is forbidden by its label: {told.forbidden[0].when}"
    row = told.rows[0]
    through = {taken.drug for taken in told.through(row)}
    beside_ = f" beside {', '.join(sorted(through))}" if through else ""
    known = wording.what_is_known(row, told.shown)
    head = f"{name}, {known}{beside_} ({wording.how_firm(row, told.grade(row))}): "
    return head + wording.headline(row, SUMMARY_LENGTH - len(head))


def _summary_by_genes(name: str, told: Judged) -> str:
    """What the genes alone say, where other medicines are held to take it away."""
    if not told.by_genes:
        genes = " and ".join(told.unresolved)
        return f"{name}: what {_named(told.slowing)} leaves of {genes} is not known, and its guideline asks for it"
    row = told.by_genes[0]
    known = wording.what_is_known(row, told.genetic)
    slowed = f"though {_named(told.through(row))} slows it"
    head = f"{name}, {known} by the genes, {slowed} (CPIC, {row.strength.lower()}): "
    return head + wording.headline(row, SUMMARY_LENGTH - len(head))


def _named(every: Iterable[Taken]) -> str:
    return ", ".join(sorted({one.drug for one in every}))


def _detail(told: Judged, order: Order, person: Person, instead: tuple[Other, ...]) -> Iterator[str]:
    for gene in told.genes:
        yield from wording.what_genes_say(gene, person, told.effects.get(gene))
    for one in told.forbidden:
        yield from map(illness.said, person.diseases.get(one.disease, ()))
        yield wording.what_a_label_forbids(one)
    yield from (wording.what_to_do(row) for row in told.rows)
    yield from wording.by_genes_alone(told.by_genes, told.effects)
    yield from dict.fromkeys(_as_urgent_as(above) for row in told.spoken if (above := severity.raised_by(row)))
    if len({row.population for row in told.spoken}) > 1:
        yield "What it is given for, and whether it was taken before, is not read here: look at the row that fits."
    yield from wording.unknown(told.answer.unknown)
    notices = (*(notice for row in told.spoken for notice in row.notices), *told.answer.notices)
    yield from (f"{capital(notice)}." for notice in dict.fromkeys(notices))
    yield from _offered(instead)
    yield from how_ordered(order)
    yield wording.disclaimer(guideline.drugs()[told.drug]) if told.spoken or told.unresolved else wording.OF_LABELS


def _as_urgent_as(above: Recommendation) -> str:
    """Why a row is shown as more urgent than its strength says: one of its genes alone would be."""
    return (
        f"As urgent as the guideline's row for {wording.what_is_known(above)} alone, the other genes unknown "
        f"({above.strength.lower()}): what else is known does not make it less so."
    )


def _offered(instead: tuple[Other, ...]) -> Iterator[str]:
    offered = [other.name for other in instead if not other.why_not]
    if offered:
        yield (
            f"Offered instead: {', '.join(offered)}. Nothing else is taken or ordered, as far as the record says, that "
            "it could meet; the rules for orders and these genes say nothing against it. No dose is proposed. What it "
            "is given for, age, liver and pregnancy were not looked at."
        )
    named = "; ".join(f"{other.name} ({other.why_not})" for other in instead if other.why_not)
    if named:
        yield f"To be checked by you, and not offered here, of what the guideline leads to: {named}."


def _sources(told: Judged, instead: tuple[Other, ...]) -> Iterator[Citation]:
    grave = [found.source for row in told.spoken if (found := severity.grave(row))]
    if told.spoken or told.unresolved:
        yield wording.cited(guideline.drugs()[told.drug])
    yield from map(wording.cited_label, told.forbidden)
    yield from grave
    yield from (screening.COVERED[other.name] for other in instead if not other.why_not)


def _against(told: Judged) -> list[Recommendation]:
    """Rows that say not to give it, or to choose another drug."""
    return [row for row in told.spoken if row.action in ("avoid", "alternative") and severity.of_row(row)]


def _instead(told: Judged, order: Order, person: Person, situation: Situation, judge: Judge) -> Iterator[Other]:
    def suits(drug: str) -> bool:
        return _usual(judged(drug, person, takings(beside(situation, order))))

    yield from alternatives.found(_against(told), order, situation, judge, suits)


def _remedies(told: Judged, order: Order, instead: tuple[Other, ...]) -> Iterator[Remedy]:
    """Take the order away, or another drug instead, where the guideline or the label says not to give it."""
    if not _against(told) and not told.forbidden and not any(map(wording.has_other_drug_for_some, told.spoken)):
        return
    yield removal(order, recommended=bool(told.forbidden))
    yield from (alternatives.replacing(other, order) for other in instead if not other.why_not)


def _usual(other: Judged) -> bool:
    """Whether nothing of the genes speaks against a drug; a table of which no row can be found speaks against it."""
    if other.forbidden or other.by_genes or other.unresolved:
        return False
    if other.drug not in guideline.drugs():
        return True
    if any(other.shown[gene].open for gene in other.genes if gene in other.shown):
        return False
    return bool(other.rows) and not other.answer.unknown and all(row.action == "use" for row in other.rows)


def without_alternatives(situation: Situation, person: Person) -> Iterator[Finding]:
    """Find the same of every draft, and offer no other drugs: for looking at a drug that is to be offered."""
    for order in situation.orders:
        yield from findings(order, person, situation, None)
