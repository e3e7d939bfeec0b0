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
    """Give the genes that matter, each with what it is, in words: a phenotype, or an allele that is there.

    The most urgent first, equals by their names: a line that has no room for all must not lose those that may kill.
    """
    yield from (said for _, said in sorted(_weighed(person), key=lambda one: (-one[0], one[1])))


def _weighed(person: Person) -> Iterator[tuple[int, tuple[str, str]]]:
    for gene in person.results:
        told = person.phenotypes[gene].alternatives
        worst = max((_urgency(one) for one in told), default=0)
        if gene not in _OF_THE_ILL_ONLY and worst > 1:
            perhaps = "perhaps " if person.phenotypes[gene].open else ""
            yield worst, (gene, f"{perhaps}{wording.phenotypes(person.phenotypes[gene])}")
        for status in person.statuses(gene):
            if (urgent := urgency(gene, status)) > 1:
                yield urgent, (gene, status)


def _urgency(one: Phenotype) -> int:
    if (one.gene, one.key) in rows():
        return urgency(one.gene, one.key)
    return max((urgency(one.gene, score) for score in phenotype.scores(one.gene, one.word)), default=0)


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
def urgency(gene: str, value: str) -> int:
    """How urgent the worst is that a value of a gene leads to alone, as `severity.rank` counts; above 1 it warns."""
    found = rows().get((gene, value), ())
    alone = [row for row in found if all(other == NO_RESULT for name, other in row.key if name != gene)]
    ranks = [severity.rank(severity.of_row(row)) for row in alone or found]
    return max(ranks, default=0) if alone or all(rank > 1 for rank in ranks) else 0
