"""What the hospital's folder of guideline texts says of each medicine of a report, as lines of its conclusion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhirtwin.pgx.knowledge import holding, showing
from fhirtwin.pgx.knowledge.entries import Knowledge
from fhirtwin.pgx.knowledge.holding import Genes
from fhirtwin.pgx.phenoconversion import Taken


def lines(drugs: Iterable[str], texts: Knowledge, genes: Genes, taken: Iterable[Taken]) -> Iterator[str]:
    """Give the texts that hold for a person, beside what the tables say.

    Args:
        drugs: ingredients.
        texts: of the folder.
        genes: of the person.
        taken: medicines, as enzymes see them.
    """
    beside = tuple(taken)
    for drug in dict.fromkeys(drugs):
        entries = texts.of_drug(drug)
        known = holding.values(genes, holding.effects(entries, genes, beside, drug))
        yield from (f"{drug}: {text}" for text in showing.paragraphs(holding.holding(entries, known)))
