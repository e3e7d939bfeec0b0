"""A person's genes as rules and reports ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhirtwin.pgx import labels
from fhirtwin.pgx.lookup import PLAIN, Lookup
from fhirtwin.pgx.recommendations import Find, rows_at
from fhirtwin.pgx.results import GenePhenotype, Known
from fhirtwin.terms.facts import GENES
from fhirtwin.twin import genome
from fhirtwin.twin.genome import GeneResult
from fhirtwin.twin.state import Fact, TwinState


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody's genes.

    Attributes:
        results: of each gene that somebody looked at.
        phenotypes: by gene; a gene that was looked at and not called has the reason.
        alleles: HLA gene to allele to `positive` or `negative`.
        facts: by gene, what of the record it rests on.
        diseases: diagnoses that labels speak of beside genes, by the flag, with what of the record says so.
        find: gives the rows at a key.
    """

    results: Mapping[str, GeneResult]
    phenotypes: Mapping[str, GenePhenotype]
    alleles: Mapping[str, Mapping[str, str]]
    facts: Mapping[str, tuple[Fact, ...]]
    diseases: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    find: Find = rows_at

    @property
    def is_known(self) -> bool:
        """Whether any gene was looked at, or a diagnosis is there that labels speak of beside genes."""
        return bool(self.results or self.diseases)

    @property
    def calls(self) -> dict[str, Known]:
        """What is known of each gene that somebody looked at."""
        return {gene: result.known for gene, result in self.results.items()}

    def statuses(self, gene: str) -> list[str]:
        """Say of each allele of an HLA gene that was looked for whether it is there: `*57:01 positive`."""
        return [f"{allele} {status}" for allele, status in sorted(self.alleles.get(gene, {}).items())]

    def knows(self, gene: str) -> bool:
        """Whether anything is known of a gene."""
        told = self.phenotypes.get(gene)
        return bool(self.alleles.get(gene)) or (told is not None and bool(told.alternatives))


def of(state: TwinState, genes: Lookup = PLAIN) -> Person:
    """Read the genes of a twin.

    Args:
        state: as of the day.
        genes: looks phenotypes up; it is not asked when nobody looked at a gene.
    """
    results = genome.of(state)
    stated: dict[str, tuple[Fact, ...]] = {}
    for fact in state.named(*GENES):
        stated[fact.display] = (*stated.get(fact.display, ()), fact)
    diseases = {name: state.named(name) for name in labels.disease_flags() if state.named(name)}
    return Person(
        results,
        genes.phenotypes(result.known for result in results.values()) if results else {},
        genome.allele_statuses(results),
        {gene: stated.get(gene, ()) for gene in results},
        diseases,
    )
