"""What guidelines say of a drug and a person's genes: looked up by the guideline's own key, never derived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, product

from fhirtwin.pgx import currency, phenotype
from fhirtwin.pgx.guideline import Key, Recommendation, genes, table, values
from fhirtwin.pgx.results import GenePhenotype, Phenotype

Alleles = Mapping[str, Mapping[str, str]]
Find = Callable[[str, Key], Iterable[Recommendation]]
"""Gives the rows of a drug, by CPIC's name of it, at one key."""
NO_RESULT = "No Result"
DISCLAIMER = (
    "Facts from CPIC's guidelines (CC0 1.0), in words of ours; guidelines change, and they inform the judgement of "
    "those who treat rather than replace it. CPIC answers neither for this wording nor for its use."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one drug for one person.

    Attributes:
        drug: as asked.
        recommendations: every row that fits; several when populations, or equal calls, differ.
        why: why there is none, where there is none; for people.
        unknown: genes of the table of which nothing is known, with the reason.
        notices: what is known beside the rows.
    """

    drug: str
    recommendations: tuple[Recommendation, ...] = ()
    why: str = ""
    unknown: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()


def rows_at(drug: str, key: Key) -> tuple[Recommendation, ...]:
    """Find the rows of a drug, by CPIC's name of it, at one key: one for each population that has it."""
    return tuple(row for (_, its), row in table()[drug].items() if its == key)


def advise(
    drug: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Alleles | None = None,
    *,
    find: Find = rows_at,
) -> Answer:
    """Find all rows for a drug.

    Args:
        drug: CPIC's name of the ingredient, in any case.
        phenotypes: by gene.
        alleles: by HLA gene: allele (`*57:01`) and `positive` or `negative`.
        find: gives the rows at one key; it is asked for those of `asked` alone.
    """
    name = drug.strip().casefold()
    if name not in table():
        return Answer(drug, (), currency.without_rows(name), (), currency.of_drug(name))
    keys, unknown = _known(name, phenotypes, alleles or {})
    rows = tuple(dict.fromkeys(row for key, by in _combined(keys) for row in _rows(name, key, by, find)))
    why = "" if rows else _no_row(name, phenotypes, alleles or {})
    return Answer(drug, rows, why, tuple(unknown), currency.of_drug(name))


def _no_row(name: str, phenotypes: Mapping[str, GenePhenotype], alleles: Alleles) -> str:
    """Say why there is no row: the table has none for what is known, or nothing is."""
    asked_for = " and ".join(genes(name))
    told = [gene in phenotypes and phenotypes[gene].alternatives for gene in genes(name)]
    if any(told) or any(alleles.get(gene) for gene in genes(name)):
        return f"the guideline has no row for what is known of {asked_for}"
    return f"nothing is known of {asked_for}, for which its guideline asks"


def of_genes(answer: Answer) -> Answer:
    """Leave out rows for people of whom no gene is known: they speak of anybody."""
    rows = tuple(row for row in answer.recommendations if any(value != NO_RESULT for _, value in row.key))
    if rows == answer.recommendations:
        return answer
    why = answer.why or ("" if rows else "nothing is known of the genes that its guideline asks for")
    return replace(answer, recommendations=rows, why=why)


def asked(drug: str, phenotypes: Mapping[str, GenePhenotype], alleles: Alleles | None = None) -> tuple[Key, ...]:
    """Name every key that `advise` looks for, whether a row has it or not."""
    name = drug.strip().casefold()
    if name not in table():
        return ()
    combined = _combined(_known(name, phenotypes, alleles or {})[0])
    return tuple(dict.fromkeys(asked for key, _ in combined for asked in (key, *chain(*_alone(name, key).values()))))


def _rows(name: str, key: Key, by: str, find: Find) -> Iterator[Recommendation]:
    """The rows at a key; where the table has none, what it says of one of its genes whatever the other is."""
    yield from (replace(row, by=by) for row in find(name, key))
    for gene, keys in _alone(name, key).items():
        rows = [row for one in keys for row in find(name, one)]
        if len({(row.population, row.action, row.steps, row.strength) for row in rows}) == 1:
            yield _of_one_gene(rows[0], gene)


def _alone(name: str, key: Key) -> dict[str, tuple[Key, ...]]:
    """For a key that a table of two genes has no row at: each gene that is known, and the keys that share its value.

    The tables on malignant hyperthermia have no rows for people of whom one of the two genes is known, and none for
    those whom both make susceptible.
    """
    every = dict.fromkeys(its for _, its in table()[name])
    if key in every:
        return {}
    known = [part for part in key if part[1] != NO_RESULT]
    return {part[0]: tuple(its for its in every if part in its) for part in known}


def _of_one_gene(row: Recommendation, gene: str) -> Recommendation:
    """A row as it speaks of one gene alone."""
    key = tuple((name, value if name == gene else NO_RESULT) for name, value in row.key)
    implications = tuple(part for part in row.implications if part[0] == gene)
    others = " or ".join(name for name, _ in row.key if name != gene)
    by = f"by {gene} alone, since the guideline says the same whatever {others} is"
    return replace(row, key=key, implications=implications, by=by)


def _known(
    name: str, phenotypes: Mapping[str, GenePhenotype], alleles: Alleles
) -> tuple[dict[str, dict[str, str]], list[tuple[str, str]]]:
    keys: dict[str, dict[str, str]] = {}
    unknown = []
    for gene in genes(name):
        found, why = _keys(name, gene, phenotypes.get(gene), alleles.get(gene, {}))
        keys[gene] = found or {NO_RESULT: ""}
        unknown += [(gene, why)] if why else []
    return keys, unknown


def _combined(keys: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[Key, str]]:
    order = tuple(keys)
    for combination in product(*(keys[gene].items() for gene in order)):
        key = tuple((gene, value) for gene, (value, _) in zip(order, combination, strict=True))
        yield key, "; ".join(how for _, how in combination if how)


def _keys(drug: str, gene: str, told: GenePhenotype | None, alleles: Mapping[str, str]) -> tuple[dict[str, str], str]:
    known = values(drug, gene)
    if gene.startswith("HLA-"):
        wanted = sorted({value.split()[0] for value in known if value != NO_RESULT})
        found = {f"{allele} {alleles[allele]}": "" for allele in wanted if allele in alleles}
        return found, "" if found else f"whether {' or '.join(wanted)} is there is not known"
    if told is None:
        return {}, "no result"
    keys: dict[str, str] = {}
    for one in told.alternatives:
        keys.update(_keys_of(known, one))
    return keys, told.not_called or ("" if keys else "its value is not in the guideline's table")


def _keys_of(known: frozenset[str], one: Phenotype) -> dict[str, str]:
    """The person's own value where the table has it; else every value that means the same phenotype."""
    if one.key in known:
        return {one.key: ""}
    same = [score for score in phenotype.scores(one.gene, one.word) if score in known]
    why = f"since the score {one.score} is not in the table" if one.score else "of which no activity score was given"
    return dict.fromkeys(same, f"by the phenotype {one.word} of {one.gene}, {why}")
