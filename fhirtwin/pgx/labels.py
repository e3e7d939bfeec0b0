"""What labels say of genes: contraindications first, then what is to be avoided, and doses that are limited.

Only statements of which a text was read are here (`tables/label_statements.tsv`); other rows of the FDA's table are
named by `currency.of_drug`. `docs/pgx/recommendations.md` lists what is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from fhirtwin.pgx import functions, hla
from fhirtwin.pgx.results import GenePhenotype, Known

CONTRAINDICATED: Final = "contraindicated"
NOT_TELLING: Final = frozenset({"Indeterminate", "Variable", "Uncertain Susceptibility"})
"""Words that neither mean a statement nor rule it out."""


@dataclass(frozen=True, slots=True)
class Contraindication:
    """What a label says of people with a certain gene.

    Attributes:
        drugs: ingredients.
        genes: HGNC symbols; any of them is enough.
        kind: `contraindicated`, `avoid` or `limit`.
        when: for people: of whom it speaks.
        source: what was read.
        url: where.
        section: of the label.
        date: of the edition that was read; empty where the source tells none.
        limit: the largest dose, for people.
        words: phenotypes that mean it.
        unsure: phenotypes that may mean it.
        score: the activity score that the phenotype must have, where not every one means it.
        allele: an allele that means it when it is there.
        diplotype: a pair of alleles that means it.
        only_with: for people: what must come to it; such a statement is never told as met, only as not ruled out.
    """

    drugs: tuple[str, ...]
    genes: tuple[str, ...]
    kind: str
    when: str
    source: str
    url: str
    section: str = ""
    date: str = ""
    limit: str = ""
    words: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    score: str = ""
    allele: str = ""
    diplotype: tuple[str, ...] = ()
    only_with: str = ""

    @property
    def gene(self) -> str:
        """The genes as one text, for people."""
        return " or ".join(self.genes)


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement and whether it is this person's: `met`, or None when it is not known."""

    contraindication: Contraindication
    met: bool | None


@cache
def statements() -> tuple[Contraindication, ...]:
    """Give everything that labels say."""
    return tuple(
        Contraindication(
            drugs=_several(row["drugs"]),
            genes=_several(row["genes"]),
            words=_several(row["words"]),
            unsure=_several(row["unsure"]),
            diplotype=tuple(row["diplotype"].split("/")) if row["diplotype"] else (),
            **{
                name: row[name]
                for name in (
                    "kind",
                    "when",
                    "source",
                    "url",
                    "section",
                    "date",
                    "limit",
                    "score",
                    "allele",
                    "only_with",
                )
            },
        )
        for row in functions.rows("label_statements.tsv")
    )


def find(
    drug: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]] | None = None,
    calls: Mapping[str, Known] | None = None,
    disease_genes: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Name what a drug's label forbids for genes, and whether it is met.

    Args:
        drug: ingredient, in any case.
        phenotypes: by gene.
        alleles: by HLA gene, allele and status.
        calls: by gene.
        disease_genes: genes of which a diagnosis says that they cause this person's disease (`POLG`).
    """
    every = say(drug, phenotypes, alleles, calls, disease_genes)
    return tuple(one for one in every if one.contraindication.kind == CONTRAINDICATED)


def say(
    drug: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]] | None = None,
    calls: Mapping[str, Known] | None = None,
    disease_genes: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Name everything that a drug's label says of genes, of every kind; arguments as of `find`."""
    found = []
    for one in statements():
        if drug.strip().casefold() in one.drugs:
            each = [_met(one, gene, phenotypes, alleles or {}, calls or {}, disease_genes) for gene in one.genes]
            met = True if True in each else None if None in each else False
            found.append(Finding(one, None if met and one.only_with else met))
    return tuple(found)


def _met(
    one: Contraindication,
    gene: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]],
    calls: Mapping[str, Known],
    disease_genes: frozenset[str],
) -> bool | None:
    if gene in disease_genes:
        return True
    if one.allele and gene.startswith("HLA-"):
        status = alleles.get(gene, {}).get(one.allele)
        return None if status is None else status == hla.POSITIVE
    if (one.allele or one.diplotype) and gene in calls and calls[gene].diplotypes:
        return _by_alleles(one, calls[gene])
    return _by_phenotype(one, phenotypes.get(gene))


def _by_alleles(one: Contraindication, call: Known) -> bool:
    """Tell by the alleles of every call that fits equally well; one of them is enough."""
    if one.allele:
        return any(one.allele in pair.alleles for pair in call.diplotypes)
    return any(sorted(pair.alleles) == sorted(one.diplotype) for pair in call.diplotypes)


def _by_phenotype(one: Contraindication, told: GenePhenotype | None) -> bool | None:
    if not one.words or not told or not told.alternatives:
        return None
    if any(each.word in one.words and (not one.score or each.score == one.score) for each in told.alternatives):
        return True
    may_mean_it = {*NOT_TELLING, *one.unsure, *one.words}
    return None if told.not_called or any(each.word in may_mean_it for each in told.alternatives) else False


def _several(text: str) -> tuple[str, ...]:
    return tuple(text.split(" | ")) if text else ()
