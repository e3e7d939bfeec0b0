"""Texts of the hospital's folder (`fhirtwin.pgx.knowledge`) beside findings on genes; alone where no table speaks.

A text makes a finding of its own, a remark, only for a gene that CPIC's rows of the drug do not ask for, and only when
the person's value is not the usual one. What it asks to be done is not read, so nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from fhirtwin.pgx import guideline
from fhirtwin.pgx.knowledge import holding, showing
from fhirtwin.pgx.knowledge.holding import Genes, Held
from fhirtwin.pgx.phenoconversion import Effective
from fhirtwin.rules.findings import Citation, Finding, Severity
from fhirtwin.rules.genetics import naming, wording
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.beside import Beside, at_work, beside, takings
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.pairs import DROPS
from fhirtwin.rules.saying import capital
from fhirtwin.rules.situation import Order, Situation

NOTHING_TO_DO: Final = frozenset({"no recommendation"})
"""Strengths by which a source says that it recommends nothing."""
QUIET: Final = frozenset({"no action is needed for this gene-drug interaction."})
"""DPWG's whole text, as ClinPGx has it, where nothing is to be done."""
NOT_JUDGED: Final = (
    "No CPIC row speaks of this drug and gene. What the text asks for was not read by a machine: whether anything is "
    "to be done is yours to judge."
)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the folder says of one drug for one person, with what other medicines do to the genes."""

    drug: str
    held: tuple[Held, ...]
    effects: dict[str, Effective]
    others: tuple[Beside, ...]


def told(order: Order, person: Person, situation: Situation, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Put the folder's texts on the findings of a draft, and make a remark of those that no finding is there for.

    Args:
        order: the draft.
        person: whose genes.
        situation: in which it stands, with the folder's texts.
        findings: of this draft, by the tables.
    """
    if not situation.texts.by_drug or not person.is_known or order.route in DROPS:
        yield from findings
        return
    of_rule = {f"genes.{naming.slug(one.drug)}": one for one in _every(order, person, situation)}
    for finding in findings:
        one = of_rule.pop(finding.rule, None)
        yield _added(finding, one) if one else finding
    yield from (
        _alone(one, order, person) for one in of_rule.values() if any(_speaks(h, one, person) for h in one.held)
    )


def _every(order: Order, person: Person, situation: Situation) -> Iterator[_Told]:
    genes, others = Genes(person.phenotypes, person.alleles, person.calls), beside(situation, order)
    for drug in naming.named(order.medicine.ingredients):
        entries = situation.texts.of_drug(drug)
        effects = holding.effects(entries, genes, takings(others), drug)
        held = holding.holding(entries, holding.values(genes, effects))
        if held:
            yield _Told(drug, held, effects, others)


def _added(finding: Finding, one: _Told) -> Finding:
    *said, disclaimer = finding.detail
    sources = dict.fromkeys((*finding.sources, *_sources(one.held)))
    return replace(finding, detail=(*said, *showing.paragraphs(one.held), disclaimer), sources=tuple(sources))


def _alone(one: _Told, order: Order, person: Person) -> Finding:
    spoken = tuple(held for held in one.held if _speaks(held, one, person))
    genes = tuple(dict.fromkeys(gene for held in spoken for gene in held.entry.genes if person.knows(gene)))
    acting = {taken for gene in genes if gene in one.effects for taken, _ in one.effects[gene].causes}
    drafts, facts = at_work(one.others, acting)
    of_genes = (line for gene in genes for line in wording.what_genes_say(gene, person, one.effects.get(gene)))
    sources = " and ".join(dict.fromkeys(held.entry.source for held in spoken))
    has = "have texts" if " and " in sources else "has a text"
    return Finding(
        rule=f"genes.{naming.slug(one.drug)}.texts",
        severity=Severity.INFO,
        orders=(order.reference, *drafts),
        summary=f"{capital(one.drug)} and {' and '.join(genes)}: {sources} {has} on it, and CPIC no row",
        detail=(*of_genes, *showing.paragraphs(one.held), NOT_JUDGED),
        facts=tuple(dict.fromkeys((*(fact for gene in genes for fact in person.facts.get(gene, ())), *facts))),
        sources=_sources(one.held),
        topic=TOPIC,
    )


def _speaks(held: Held, one: _Told, person: Person) -> bool:
    """Whether a text says what no table does, of a value that is not the usual one."""
    entry = held.entry
    if entry.strength.casefold() in NOTHING_TO_DO or " ".join(entry.text.split()).casefold() in QUIET:
        return False
    asked = guideline.genes(one.drug) if one.drug in guideline.drugs() else ()
    return any(_unusual(gene, one, person) for gene in entry.genes if gene not in asked and person.knows(gene))


def _unusual(gene: str, one: _Told, person: Person) -> bool:
    known = one.effects[gene].effective if gene in one.effects else person.phenotypes.get(gene)
    words = [each.word for each in known.alternatives] if known else []
    statuses = person.alleles.get(gene, {}).values()
    return any(not word.casefold().startswith("normal") for word in words) or "positive" in statuses


def _sources(held: tuple[Held, ...]) -> tuple[Citation, ...]:
    return tuple(dict.fromkeys(Citation(showing.label(one), one.entry.url) for one in held[: showing.MOST]))
