"""What labels say of genes: contraindications first, then what is to be avoided, and doses that are limited.

Only statements of which a text was read are here (`tables/label_statements.tsv`); other rows of the FDA's table are
named by `currency.of_drug`. `docs/pgx/recommendations.md` lists what is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from fhirtwin.pgx import functions, hla
from fhirtwin.pgx.results import GenePhenotype, Known

CONTRAINDICATED: Final = "contraindicated"
NOT_TELLING: Final = frozenset({"Indeterminate", "Variable", "Uncertain Susceptibility"})
"""Words that neither mean a statement nor rule it out."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a label says of people with a certain gene.

    Attributes:
        drugs: ingredients.
        genes: HGNC symbols; any of them is enough.
        kind: `contraindicated`, `avoid`, `reduce` (another dose is asked for), `limit` (a largest dose) or `consider`
            (avoiding it).
        when: for people: of whom it speaks.
        source: what was read.
        url: where.
        section: of the label.
        date: of the edition that was read; empty where the source tells none.
        limit: the largest or the lower dose, for people.
        words: phenotypes that mean it.
        unsure: phenotypes that may mean it.
        score: the activity score that the phenotype must have, where not every one means it.
        allele: an allele that means it when it is there.
        diplotype: a pair of alleles that means it.
        disease: the flag of the twin (`fhirtwin.terms.facts`) that a diagnosis raises and that means it by itself.
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
    disease: str = ""
    only_with: str = ""

    @property
    def gene(self) -> str:
        """The genes as one text, for people."""
        return " or ".join(self.genes)


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement and whether it is this person's.

    Attributes:
        statement: what the label says.
        met: whether it is; None when it is not known.
        but: for people: why it is not told as met though the genes point at it; empty where they do not.
    """

    statement: Statement
    met: bool | None
    but: str = ""


@cache
def statements() -> tuple[Statement, ...]:
    """Give everything that labels say."""
    return tuple(
        Statement(
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
                    "disease",
                    "only_with",
                )
            },
        )
        for row in functions.rows("label_statements.tsv")
    )


@cache
def _by_drug() -> Mapping[str, tuple[Statement, ...]]:
    found: dict[str, list[Statement]] = {}
    for one in statements():
        for drug in one.drugs:
            found.setdefault(drug, []).append(one)
    return {drug: tuple(every) for drug, every in found.items()}


def of(drug: str) -> tuple[Statement, ...]:
    """Give everything that labels say of a drug, by its name in the tables."""
    return _by_drug().get(drug, ())


@cache
def disease_flags() -> tuple[str, ...]:
    """Give the flags of the twin that labels speak of beside genes."""
    return tuple(dict.fromkeys(one.disease for one in statements() if one.disease))


def find(
    drug: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]] | None = None,
    calls: Mapping[str, Known] | None = None,
    diseases: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Name what a drug's label forbids for genes, and whether it is met.

    Args:
        drug: ingredient, in any case.
        phenotypes: by gene.
        alleles: by HLA gene, allele and status.
        calls: by gene.
        diseases: flags of diagnoses that labels speak of (`polg-disease`).
    """
    every = say(drug, phenotypes, alleles, calls, diseases)
    return tuple(one for one in every if one.statement.kind == CONTRAINDICATED)


def forbidding(
    gene: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]],
    calls: Mapping[str, Known],
) -> tuple[Statement, ...]:
    """Give the contraindications of any drug that one gene meets by itself; arguments as of `find`."""
    return tuple(
        one
        for one in statements()
        if one.kind == CONTRAINDICATED
        and not one.only_with
        and gene in one.genes
        and _met(one, gene, phenotypes, alleles, calls)
    )


def say(
    drug: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]] | None = None,
    calls: Mapping[str, Known] | None = None,
    diseases: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Name everything that a drug's label says of genes, of every kind; arguments as of `find`."""
    found = []
    for one in of(drug.strip().casefold()):
        each = [_met(one, gene, phenotypes, alleles or {}, calls or {}) for gene in one.genes]
        met = True if True in each or one.disease in diseases else None if None in each else False
        found.append(Finding(one, None if met and one.only_with else met, _but(one, met, phenotypes)))
    return tuple(found)


def _but(one: Statement, met: bool | None, phenotypes: Mapping[str, GenePhenotype]) -> str:
    if met and one.only_with:
        return f"it says so of people who have, beside it, {one.only_with}"
    words = {each.word for gene in one.genes if gene in phenotypes for each in phenotypes[gene].alternatives}
    pointed = words & {*one.words, *one.unsure} if met is None else set()
    return f"whether it means this person ({', '.join(sorted(pointed))}), too, is not sure" if pointed else ""


def _met(
    one: Statement,
    gene: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]],
    calls: Mapping[str, Known],
) -> bool | None:
    if one.allele and gene.startswith("HLA-"):
        status = alleles.get(gene, {}).get(one.allele)
        return None if status is None else status == hla.POSITIVE
    if (one.allele or one.diplotype) and gene in calls and calls[gene].diplotypes:
        return _by_alleles(one, calls[gene])
    return _by_phenotype(one, phenotypes.get(gene))


def _by_alleles(one: Statement, call: Known) -> bool:
    """Tell by the alleles of every call that fits equally well; one of them is enough."""
    if one.allele:
        return any(one.allele in pair.alleles for pair in call.diplotypes)
    return any(sorted(pair.alleles) == sorted(one.diplotype) for pair in call.diplotypes)


def _by_phenotype(one: Statement, told: GenePhenotype | None) -> bool | None:
    if not one.words or not told or not told.alternatives:
        return None
    if any(each.word in one.words and (not one.score or each.score == one.score) for each in told.alternatives):
        return True
    may_mean_it = {*NOT_TELLING, *one.unsure, *one.words}
    return None if told.not_called or any(each.word in may_mean_it for each in told.alternatives) else False


def _several(text: str) -> tuple[str, ...]:
    return tuple(text.split(" | ")) if text else ()
