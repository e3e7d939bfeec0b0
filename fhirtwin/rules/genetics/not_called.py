"""Genes that somebody looked at, and of which nothing is known, or nothing surely: said where it could have mattered.

A gene that nobody looked at raises nothing, whatever the order: there would be a card for every order of everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Final

from fhirtwin.pgx import guideline, hla, labels, phenotype
from fhirtwin.pgx.coverage import Coverage
from fhirtwin.pgx.recommendations import DISCLAIMER, rows_at
from fhirtwin.pgx.results import GenePhenotype, Known
from fhirtwin.rules.findings import Citation, Finding, Severity
from fhirtwin.rules.genetics import naming, severity, wording
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.judging import judged
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.twin.genomics.possible import possible

_RULE: Final = "genes.not-called."
_NAMED: Final = 2
"""Alleles that a summary names."""
_ROOM: Final = 45
"""Letters that it has for them and the phenotype."""
SOURCE: Final = Citation("CPIC guidelines", "https://cpicpgx.org/guidelines/")


@cache
def matters(drug: str, gene: str) -> bool:
    """Whether a row of a drug that is found by a gene warns, or the drug's label speaks of the gene."""
    if any(gene in one.genes for one in labels.of(drug)):
        return True
    if drug not in guideline.drugs() or gene not in guideline.genes(drug):
        return False
    return any(severity.rank(severity.of_row(row)) > 1 for row in guideline.table()[drug].values())


def findings(situation: Situation, person: Person, told: Collection[str]) -> Iterator[Finding]:
    """Find genes that were not called or are not sure, one finding each, with the orders they could have mattered to.

    Args:
        situation: in which the orders stand.
        person: whose genes.
        told: drafts of which a finding speaks already; it names what is not known itself.
    """
    for gene in sorted(person.results):
        if person.knows(gene) and not person.phenotypes[gene].open:
            continue
        orders = [
            order
            for order in situation.orders
            if order.reference not in told
            and any(matters(drug, gene) for drug in naming.named(order.medicine.ingredients))
        ]
        if orders:
            yield _finding(gene, orders, person)


def told(findings: Iterable[Finding]) -> frozenset[str]:
    """Give the references of the results that findings on genes that are not known rest on."""
    of_genes = (finding for finding in findings if finding.rule.startswith(_RULE))
    return frozenset(source.reference for one in of_genes for fact in one.facts for source in fact.sources)


def _finding(gene: str, orders: list[Order], person: Person) -> Finding:
    names = ", ".join(dict.fromkeys(order.medicine.display for order in orders))
    return Finding(
        rule=f"{_RULE}{gene}",
        severity=_urgency(gene, orders, person),
        orders=tuple(order.reference for order in orders),
        summary=f"{gene} {_how(gene, person)}: {names} not judged by it",
        detail=(
            *wording.what_genes_say(gene, person, None),
            f"Guidelines or labels ask for {gene} before these are ordered: {names}. Nothing is told from a gene that "
            "is not known, or not surely; that does not make the order right.",
            DISCLAIMER,
        ),
        facts=person.facts.get(gene, ()),
        sources=tuple(dict.fromkeys((*_sources(gene, orders), SOURCE))),
        topic=TOPIC,
    )


def _urgency(gene: str, orders: list[Order], person: Person) -> Severity:
    """A warning where one of the results that were reported would by itself warn of an order, or forbid it."""
    each = possible(gene, person.facts.get(gene, ()))
    if person.knows(gene) or (len(each) < 2 and not person.results[gene].known.not_called):
        return Severity.INFO
    found = max((_urgent(one, orders, person) for one in each), default=0)
    return Severity.WARNING if found >= severity.rank(Severity.WARNING) else Severity.INFO


def _urgent(one: Known, orders: list[Order], person: Person) -> int:
    """How urgent a result alone would be, by the tables of this server, with an engine as without."""
    alone = replace(
        person,
        phenotypes={one.gene: phenotype.of_call(one)},
        alleles={one.gene: hla.statuses(one)} if one.gene.startswith("HLA-") else {},
        results={one.gene: replace(person.results[one.gene], known=one)},
        find=rows_at,
    )
    drugs = (drug for order in orders for drug in naming.named(order.medicine.ingredients))
    return max((severity.rank(judged(drug, alone, ()).severity) for drug in drugs), default=0)


def _how(gene: str, person: Person) -> str:
    told, coverage = person.phenotypes[gene], person.results[gene].known.coverage
    if told.open:
        return _told(told, told.open)
    if person.results[gene].conflict:
        return "is not known, its results contradict one another"
    if coverage is None:
        return "was looked at and is not known"
    return f"is not known, {coverage.missing} of {coverage.positions} positions were not tested"


def _told(told: GenePhenotype, open_: Coverage) -> str:
    """What is told of a gene, from how little: with alleles by their names where these are short."""
    words = " or ".join(
        dict.fromkeys(wording.small(one.word).removesuffix(" metabolizer") for one in told.alternatives)
    )
    named, more = ", ".join(open_.alleles[:_NAMED]), len(open_.alleles) - _NAMED
    if len(named) + len(words) > _ROOM:
        named, more = f"{len(open_.alleles)} alleles", 0
    tested = open_.positions - open_.missing
    named += f" and {more} more" if more > 0 else ""
    return f"is told {words} from {tested} of {open_.positions} positions, {named} not excluded"


def _sources(gene: str, orders: list[Order]) -> Iterator[Citation]:
    for order in orders:
        for drug in naming.named(order.medicine.ingredients):
            if drug in guideline.drugs() and matters(drug, gene):
                yield wording.cited(guideline.drugs()[drug])
            yield from (wording.cited_label(one) for one in labels.of(drug) if gene in one.genes)
