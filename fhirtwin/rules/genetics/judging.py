"""One drug and the genes of a person: rows of its guideline, contraindications of its label, what else is taken.

Cards and reports are both made from this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fhirtwin.pgx import guideline, labels, phenoconversion, recommendations
from fhirtwin.pgx.advice import Step
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.pgx.labels import Statement
from fhirtwin.pgx.phenoconversion import Effective, Taken
from fhirtwin.pgx.recommendations import NO_RESULT, Answer
from fhirtwin.pgx.results import GenePhenotype
from fhirtwin.rules.findings import Severity
from fhirtwin.rules.genetics import severity
from fhirtwin.rules.genetics.person import Person

UNTESTED = "not looked at"
_TWICE = re.compile(r", perhaps more for (\S+) twice$")
"""What a row on a score says of the people who have it by one allele twice."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What guidelines and labels say of one drug for one person.

    Attributes:
        drug: its name in the tables.
        answer: of the guideline, with the phenotypes that other medicines leave; without rows that rest on no gene.
        shown: phenotypes by which it was looked up.
        effects: of other medicines on each gene it rests on.
        forbidden: contraindications of the label that are this person's.
        genes: it rests on.
        rows: of the answer, the most urgent first.
        by_genes: rows that the genes alone lead to, where other medicines took them away or left less urgent ones; the
            most urgent first. That a medicine does so is a convention, and no ground to pass over them.
    """

    drug: str
    answer: Answer
    shown: Mapping[str, GenePhenotype]
    effects: Mapping[str, Effective]
    forbidden: tuple[Statement, ...]
    genes: tuple[str, ...]
    rows: tuple[Recommendation, ...]
    by_genes: tuple[Recommendation, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """How urgent it is; None when there is nothing to do."""
        of_unresolved = Severity.INFO if self.unresolved else None
        return max((self.as_shown, self.of_genes, of_unresolved), key=severity.rank)

    @property
    def as_shown(self) -> Severity | None:
        """How urgent it is with what other medicines leave of the genes."""
        return Severity.CRITICAL if self.forbidden else severity.worst(self.rows[:1])

    @property
    def of_genes(self) -> Severity | None:
        """How urgent the rows of the genes alone are: a step less, where what is left of the genes is known."""
        alone = severity.worst(self.by_genes[:1])
        return alone if self.unresolved else severity.less(alone)

    @property
    def spoken(self) -> tuple[Recommendation, ...]:
        """Every row that is told: of what is left of the genes, and of the genes alone."""
        return (*self.rows, *self.by_genes)

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Genes of which something is known, and not what other medicines leave of them."""
        every = self.effects.items()
        return tuple(gene for gene, one in every if one.is_known and not one.effective.alternatives)

    @property
    def genetic(self) -> Mapping[str, GenePhenotype]:
        """Phenotypes that the genes alone say."""
        return {**self.shown, **{gene: one.genetic for gene, one in self.effects.items()}}

    @property
    def slowing(self) -> tuple[Taken, ...]:
        """What is beside it and leaves nobody knows what of a gene."""
        return tuple(dict.fromkeys(taken for gene in self.unresolved for taken in self.effects[gene].deciding))

    def says_as(self, other: Judged) -> bool:
        """Whether its rows say to do the same, as strongly, as those of another look at the drug."""
        mine, others = ([(row.action, row.steps, row.strength) for row in one.rows] for one in (self, other))
        return mine == others

    def through(self, *rows: Recommendation) -> tuple[Taken, ...]:
        """What is beside it and changed a gene that rows were found by."""
        genes = {gene: None for row in rows for gene, value in row.key if value != NO_RESULT}
        effects = [self.effects[gene] for gene in genes if gene in self.effects]
        return tuple(dict.fromkeys(taken for effect in effects for taken in effect.deciding))

    def grade(self, *rows: Recommendation) -> str:
        """How good the evidence is for what other medicines made of the genes of some rows; empty where nothing."""
        genes = {gene for row in rows for gene, value in row.key if value != NO_RESULT}
        grades = {one.grade for gene, one in self.effects.items() if gene in genes and one.changed}
        return "low" if "low" in grades else "".join(grades)


def judged(drug: str, person: Person, others: Iterable[Taken], *, untested: bool = False) -> Judged:
    """Look a drug up by the genes, as other medicines let them show.

    Args:
        drug: its name in the tables.
        person: whose genes.
        others: what is beside it.
        untested: whether inhibitors are to tell of genes that nobody looked at, too. A card does not: there
            interactions speak of two medicines that do not go together whatever the genes.
    """
    found = labels.find(drug, person.phenotypes, person.alleles, person.calls, person.diseases)
    forbidden = tuple(one.statement for one in found if one.met)
    genes = tuple(dict.fromkeys((*genes_of(drug), *(gene for one in forbidden for gene in _seen(one, person)))))
    effects = _effects(drug, genes, person, tuple(others), untested=untested)
    shown = {**person.phenotypes, **{gene: one.effective for gene, one in effects.items() if one.changed}}
    answer = _answer(drug, shown, person)
    rows = _urgent_first(answer.recommendations)
    changed = any(one.changed for one in effects.values())
    alone = _urgent_first(_answer(drug, person.phenotypes, person).recommendations) if changed else ()
    least = severity.rank(severity.worst(rows))
    by_genes = tuple(row for row in alone if severity.rank(severity.of_row(row)) > least)
    return Judged(drug, answer, shown, effects, forbidden, genes, rows, by_genes)


def _answer(drug: str, shown: Mapping[str, GenePhenotype], person: Person) -> Answer:
    """What the guideline says of phenotypes, without rows that rest on no gene."""
    answer = recommendations.of_genes(recommendations.advise(drug, shown, person.alleles, find=person.find))
    rows = tuple(_without_what_others_have(row, person) for row in answer.recommendations)
    return replace(answer, recommendations=rows)


def _urgent_first(rows: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    return tuple(sorted(rows, key=lambda row: (-severity.rank(severity.of_row(row)), -severity.firmness(row))))


def _seen(one: Statement, person: Person) -> tuple[str, ...]:
    """The genes of a label's statement of which anything is known: the others did not lead to it."""
    known = {*person.phenotypes, *person.results, *person.alleles}
    return tuple(gene for gene in one.genes if gene in known)


def _without_what_others_have(row: Recommendation, person: Person) -> Recommendation:
    """A row without what it says of one allele twice, for somebody whose alleles are known to be others."""
    steps = tuple(_without(step, row, person) for step in row.steps)
    return replace(row, steps=steps) if steps != row.steps else row


def _without(step: Step, row: Recommendation, person: Person) -> Step:
    found = _TWICE.search(step.amount)
    results = [person.results[gene].known for gene, _ in row.key if gene in person.results]
    pairs = [pair for known in results for pair in known.diplotypes]
    if found is None or not pairs or any({pair.first, pair.second} == {found[1]} for pair in pairs):
        return step
    return replace(step, amount=step.amount[: found.start()])


def genes_of(drug: str) -> tuple[str, ...]:
    """Name the genes that a drug's rows are found by; none for a drug without rows."""
    return guideline.genes(drug) if drug in guideline.drugs() else ()


def _effects(
    drug: str, genes: tuple[str, ...], person: Person, others: tuple[Taken, ...], *, untested: bool
) -> dict[str, Effective]:
    asked = [gene for gene in genes if gene in person.phenotypes or (untested and gene in phenoconversion.GRADE)]
    return {
        gene: phenoconversion.of(
            gene, person.phenotypes.get(gene) or GenePhenotype(gene, (), UNTESTED), others, drug=drug
        )
        for gene in asked
    }
