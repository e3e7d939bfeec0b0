"""A person's genes as rules ask for them, and the medicines that change what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fhirtwin.pgx import phenoconversion
from fhirtwin.pgx.phenoconversion import Effective, Taken
from fhirtwin.pgx.results import GenePhenotype, Known
from fhirtwin.rules.genetics import naming
from fhirtwin.rules.pairs import DROPS
from fhirtwin.rules.situation import Order, Situation
from fhirtwin.terms.facts import GENES
from fhirtwin.twin import genome
from fhirtwin.twin.state import Fact, TwinState
from fhirtwin.twin.times import last_day

STOPPED_LATELY: Final = timedelta(days=90)
"""How long ago an inhibitor may have been stopped to be named. A limit of ours: no source tells when it wears off."""

_DISEASES: Final = {"polg-disease": "POLG"}
"""Flags of the twin that name a gene."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody's genes.

    Attributes:
        phenotypes: by gene; a gene that was looked at and not called has the reason.
        alleles: HLA gene to allele to `positive` or `negative`.
        calls: by gene.
        facts: by gene, what of the record it rests on.
        disease_genes: genes of which a diagnosis says that they cause this person's disease.
    """

    phenotypes: Mapping[str, GenePhenotype]
    alleles: Mapping[str, Mapping[str, str]]
    calls: Mapping[str, Known]
    facts: Mapping[str, tuple[Fact, ...]]
    disease_genes: frozenset[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether any gene was looked at, or is told by a diagnosis."""
        return bool(self.calls or self.disease_genes)

    def knows(self, gene: str) -> bool:
        """Whether anything is known of a gene."""
        told = self.phenotypes.get(gene)
        return bool(self.alleles.get(gene)) or (told is not None and bool(told.alternatives))


def of(state: TwinState) -> Person:
    """Read the genes of a twin."""
    results = genome.of(state)
    stated: dict[str, tuple[Fact, ...]] = {}
    for fact in state.named(*GENES):
        stated[fact.display] = (*stated.get(fact.display, ()), fact)
    diseases = {gene: state.named(name) for name, gene in _DISEASES.items() if state.named(name)}
    return Person(
        genome.phenotypes(results),
        genome.allele_statuses(results),
        {gene: result.known for gene, result in results.items()},
        {gene: stated.get(gene, ()) for gene in results} | diseases,
        frozenset(diseases),
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """A medicine beside the one that is looked at.

    Attributes:
        taken: as the rules on inhibitors want it.
        order: the draft, where it is ordered.
        fact: what shows that it is taken, or was, where it is in the record.
    """

    taken: Taken
    order: Order | None = None
    fact: Fact | None = None


def beside(situation: Situation, but: Order | None = None) -> tuple[Beside, ...]:
    """Give all that is taken, was stopped lately, or is ordered, but for one order and what the record says of it."""
    return (*_recorded(situation, but), *_ordered(situation, but), *_stopped(situation))


def _recorded(situation: Situation, but: Order | None) -> Iterator[Beside]:
    for fact in situation.state.named("medicine"):
        if but is None or any(f"{source.type}/{source.id}" != but.reference for source in fact.sources):
            yield Beside(Taken(naming.name_of(str(fact.value))), fact=fact)


def _ordered(situation: Situation, but: Order | None) -> Iterator[Beside]:
    for order in situation.orders:
        if order.route not in DROPS and (but is None or order.reference != but.reference):
            for code in order.medicine.ingredients:
                yield Beside(Taken(naming.name_of(code), "draft"), order=order)


def _stopped(situation: Situation) -> Iterator[Beside]:
    now = {str(fact.value) for fact in situation.state.named("medicine")}
    for fact in situation.ended:
        last = last_day(fact.end)
        if last and situation.day - last <= STOPPED_LATELY and str(fact.value) not in now:
            yield Beside(Taken(naming.name_of(str(fact.value)), "stopped", last), fact=fact)


def effective(person: Person, drug: str, others: tuple[Beside, ...]) -> dict[str, Effective]:
    """Tell what each gene that drugs act on shows beside others; of genes that nobody looked at nothing is said.

    Args:
        person: whose genes.
        drug: the one that is looked at, by its name in the tables.
        others: what is beside it.
    """
    taken = [one.taken for one in others]
    return {
        gene: phenoconversion.of(gene, person.phenotypes[gene], taken, drug)
        for gene in phenoconversion.GRADE
        if gene in person.phenotypes
    }
