"""What labels say of genes beside contraindications: on the card of a draft, or as a finding where nothing else speaks.

A lower dose that a label asks for, and what it says to avoid, warn; a largest dose is a remark, since the dose of a
draft is not read, and so is what holds only with something else beside it, or of which it is not sure that it is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from fhirtwin.pgx import labels
from fhirtwin.rules.findings import SUMMARY_LENGTH, Citation, Finding, Severity
from fhirtwin.rules.genetics import naming, severity, wording
from fhirtwin.rules.genetics.advising import TOPIC
from fhirtwin.rules.genetics.person import Person
from fhirtwin.rules.pairs import DROPS, TOPICAL
from fhirtwin.rules.saying import capital, how_ordered, removal
from fhirtwin.rules.situation import Order

_SAYS: Final[Mapping[str, str]] = {
    labels.CONTRAINDICATED: "forbids it",
    "avoid": "says to avoid it",
    "reduce": "asks for a lower dose",
    "limit": "has a largest dose",
    "consider": "says to consider avoiding it",
}
_URGENT: Final = {
    labels.CONTRAINDICATED: Severity.CRITICAL,
    "avoid": Severity.WARNING,
    "reduce": Severity.WARNING,
}
ON_THE_SKIN: Final = " on the skin"
"""How a drug is called in the table of labels when it is put on the skin: rows of guidelines do not speak of that."""


def found(drug: str, person: Person, *, forbidden: bool = False) -> tuple[labels.Finding, ...]:
    """Give what the label of a drug says that is this person's, or may be.

    Args:
        drug: its name in the tables.
        person: whose genes.
        forbidden: whether what it forbids for certain is wanted too, which has a card of its own.
    """
    every = labels.say(drug, person.phenotypes, person.alleles, person.calls, person.diseases)
    wanted = (one for one in every if forbidden or one.statement.kind != labels.CONTRAINDICATED or not one.met)
    return tuple(one for one in wanted if one.but or one.met)


def told(order: Order, person: Person, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Put what labels say on the findings of a draft, and make one where none is there for the drug.

    Args:
        order: the draft.
        person: whose genes.
        findings: of this draft, by the tables.
    """
    said = {} if order.route in DROPS else _said(order, person)
    for finding in findings:
        yield _added(finding, said.pop(finding.rule)[1]) if finding.rule in said else finding
    yield from (_alone(drug, every, order, person) for drug, every in said.values())


def _said(order: Order, person: Person) -> dict[str, tuple[str, tuple[labels.Finding, ...]]]:
    names = naming.named(order.medicine.ingredients)
    if order.route == TOPICAL:
        every = {drug: found(f"{drug}{ON_THE_SKIN}", person, forbidden=True) for drug in names}
    else:
        every = {drug: found(drug, person) for drug in names}
    return {f"genes.{naming.slug(drug)}": (drug, of_drug) for drug, of_drug in every.items() if of_drug}


def _added(finding: Finding, every: tuple[labels.Finding, ...]) -> Finding:
    *said, disclaimer = finding.detail
    return replace(
        finding,
        severity=max((finding.severity, _severity(every)), key=severity.rank),
        detail=(*said, *map(paragraph, every), disclaimer),
        sources=tuple(dict.fromkeys((*finding.sources, *_sources(every)))),
    )


def _alone(drug: str, every: tuple[labels.Finding, ...], order: Order, person: Person) -> Finding:
    first = max(every, key=lambda one: severity.rank(_severity((one,))))
    seen = dict.fromkeys(gene for one in every for gene in one.statement.genes if gene in person.results)
    avoided = any(one.met and one.statement.kind in ("avoid", labels.CONTRAINDICATED) for one in every)
    return Finding(
        rule=f"genes.{naming.slug(drug)}",
        severity=_severity(every),
        orders=(order.reference,),
        summary=_summary(drug, first),
        detail=(
            *(line for gene in seen for line in wording.what_genes_say(gene, person, None)),
            *map(paragraph, every),
            *how_ordered(order),
            wording.OF_LABELS,
        ),
        facts=tuple(fact for gene in seen for fact in person.facts.get(gene, ())),
        sources=_sources(every),
        remedies=(removal(order, recommended=_severity(every) is Severity.CRITICAL),) if avoided else (),
        topic=TOPIC,
    )


def _severity(every: Iterable[labels.Finding]) -> Severity:
    of_each = (_URGENT.get(one.statement.kind, Severity.INFO) if one.met else Severity.INFO for one in every)
    return max(of_each, key=severity.rank)


def _summary(drug: str, one: labels.Finding) -> str:
    """What the label says and of whom, with the doses where there is room for all: one of two may be the wrong one."""
    statement = one.statement
    what = f"its label {_SAYS[statement.kind]}{', perhaps' if one.but else ''}"
    heads = (f"{capital(drug)}: {what} ({statement.when})", f"{capital(drug)} by its label, {statement.when}")
    doses = [f"{head}: {statement.limit}" for head in heads] if statement.limit else []
    texts = (*doses, heads[0], f"{capital(drug)}: {what}, by {statement.gene}")
    return next(text for text in texts if len(text) <= SUMMARY_LENGTH)


def paragraph(one: labels.Finding) -> str:
    """Say what a label says, for whom, what dose, and under what condition."""
    statement = one.statement
    dose = f" Dose: {statement.limit}." if statement.limit else ""
    but = f" {capital(one.but)}." if one.but else ""
    return f"The label {_SAYS[statement.kind]} for: {statement.when}.{dose}{but} Strength: label."


def _sources(every: Iterable[labels.Finding]) -> tuple[Citation, ...]:
    return tuple(dict.fromkeys(wording.cited_label(one.statement) for one in every))
