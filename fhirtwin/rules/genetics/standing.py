"""What of a person's genes matters to some order or other, whatever is ordered today.

A phenotype matters when a row that is found by it, with nothing known of the other gene, warns; for tables that have no
such row (malignant hyperthermia), when every row with it warns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from fhirtwin.pgx import guideline, phenotype
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.pgx.recommendations import NO_RESULT
from fhirtwin.pgx.results import Phenotype
from fhirtwin.rules.genetics import severity, wording
from fhirtwin.rules.genetics.person import Person

_OF_THE_ILL_ONLY: Final = frozenset({"CFTR"})
"""Genes of which the rows speak of people with one disease, and the phenotype of everybody else warns."""


def mattering(person: Person) -> Iterator[tuple[str, str]]:
    """Give the genes that matter, each with what it is, in words: a phenotype, or an allele that is there."""
    for gene in sorted(person.results):
        told = person.phenotypes[gene].alternatives
        if gene not in _OF_THE_ILL_ONLY and any(_matters(one) for one in told):
            yield gene, wording.phenotypes(person.phenotypes[gene])
        for allele, status in sorted(person.alleles.get(gene, {}).items()):
            if warns(gene, f"{allele} {status}"):
                yield gene, f"{allele} {status}"


def _matters(one: Phenotype) -> bool:
    if (one.gene, one.key) in rows():
        return warns(one.gene, one.key)
    return any(warns(one.gene, score) for score in phenotype.scores(one.gene, one.word))


@cache
def rows() -> Mapping[tuple[str, str], tuple[Recommendation, ...]]:
    """Give the rows of all drugs that a gene and its value may lead to."""
    found: dict[tuple[str, str], list[Recommendation]] = {}
    for table in guideline.table().values():
        for row in table.values():
            for part in row.key:
                found.setdefault(part, []).append(row)
    return {part: tuple(of) for part, of in found.items()}


@cache
def warns(gene: str, value: str) -> bool:
    """Whether a value of a gene leads to a warning by itself."""
    found = rows().get((gene, value), ())
    alone = [row for row in found if all(other == NO_RESULT for name, other in row.key if name != gene)]
    if alone:
        return any(severity.rank(severity.of_row(row)) > 1 for row in alone)
    return bool(found) and all(severity.rank(severity.of_row(row)) > 1 for row in found)
