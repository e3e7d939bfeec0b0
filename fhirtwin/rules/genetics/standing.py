"""What of a person's genes matters to some order or other, whatever is ordered today.

A phenotype matters when a row that is found by it, with nothing known of the other gene, warns; for tables that have no
such row (malignant hyperthermia), when every row with it warns. What a label forbids for it is critical, as on cards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from fhirtwin.pgx import guideline, hla, labels, phenotype
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.pgx.recommendations import NO_RESULT
from fhirtwin.pgx.results import Phenotype
from fhirtwin.rules.findings import Severity
from fhirtwin.rules.genetics import severity, wording
from fhirtwin.rules.genetics.person import Person

_OF_THE_ILL_ONLY: Final = frozenset({"CFTR"})
"""Genes of which the rows speak of people with one disease, and the phenotype of everybody else warns."""

_FORBIDDEN: Final = severity.rank(Severity.CRITICAL)


def mattering(person: Person) -> Iterator[tuple[str, str]]:
    """Give the genes that matter, each with what it is, in words: a phenotype, or an allele that is there.

    The most urgent first, equals by their names: a line that has no room for all must not lose those that may kill.
    What a guideline's row makes critical stands before what a label alone does.
    """
    yield from (said for *_, said in sorted(_weighed(person), key=lambda one: (-one[0], -one[1], one[2])))


def _weighed(person: Person) -> Iterator[tuple[int, int, tuple[str, str]]]:
    """Weigh each: how urgent by rows and labels, how urgent by rows alone, and what it is."""
    for gene in person.results:
        told = person.phenotypes[gene].alternatives
        forbidding = labels.forbidding(gene, person.phenotypes, person.alleles, person.calls)
        by_rows = max((_urgency(one) for one in told), default=0)
        worst = _FORBIDDEN if any(not one.allele for one in forbidding) else by_rows
        if gene not in _OF_THE_ILL_ONLY and worst > 1:
            perhaps = "perhaps " if person.phenotypes[gene].open else ""
            yield worst, by_rows, (gene, f"{perhaps}{wording.phenotypes(person.phenotypes[gene])}")
        for status in person.statuses(gene):
            forbidden = any(status == f"{one.allele} {hla.POSITIVE}" for one in forbidding)
            by_rows = urgency(gene, status)
            if (urgent := _FORBIDDEN if forbidden else by_rows) > 1:
                yield urgent, by_rows, (gene, status)


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
