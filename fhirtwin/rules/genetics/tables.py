"""Reads the tables of the genes before the first patient waits for them."""

from __future__ import annotations

from fhirtwin.pgx import currency, defined, functions, guideline, hgnc, labels, naming, phenoconversion
from fhirtwin.rules.genetics import asking, standing
from fhirtwin.rules.genetics import naming as drug_names


def read() -> None:
    """Read every table that judging by genes may come to; they stay in memory."""
    for table in (
        *(functions.alleles, functions.pairs, functions.scored),
        *(guideline.drugs, guideline.table, phenoconversion.inhibitors, phenoconversion.inducers),
        *(currency.fda, currency.dpwg, labels.statements),
        *(defined.genes, drug_names.by_ingredients, standing.rows),
    ):
        table()
    for gene in hgnc.IDS:
        naming.aliases(gene)
    for drug in guideline.drugs():
        asking.candidates(drug)
