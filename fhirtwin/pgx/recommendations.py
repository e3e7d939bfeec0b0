"""What guidelines say of a drug and a person's genes: looked up row by row by the guideline's own key, never derived.

*Source*: CPIC's recommendations, https://cpicpgx.org/guidelines/ (CC0 1.0), snapshot of 2023-08, as facts in our own
words. `docs/pgx/recommendations.md` says what changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from fhirtwin.pgx import currency, functions, phenotype
from fhirtwin.pgx.advice import Step, step
from fhirtwin.pgx.calls import GenePhenotype, Phenotype

NO_RESULT = "No Result"
NONE_FOUND = "no CPIC or DPWG guidance"
DISCLAIMER = (
    "Facts from CPIC's guidelines (CC0 1.0), in words of ours; guidelines change, and they inform the judgement of those "
    "who treat rather than replace it. CPIC answers neither for this wording nor for its use."
)
Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug that the guidelines have rows of.

    Attributes:
        name: as CPIC writes it.
        rxnorm: RxNorm ingredient; `ATC:...` for the one that has none.
        atc: ATC codes.
        guideline: its title.
        url: its page.
        pmids: its publications.
        date: of the snapshot.
    """

    name: str
    rxnorm: str
    atc: tuple[str, ...]
    guideline: str
    url: str
    pmids: tuple[str, ...]
    date: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One row: what to do when these genes have these values.

    Attributes:
        drug: of which it speaks.
        population: `general`, or whom it is for.
        key: gene and value, by which it was found.
        action: the first thing to do: `use`, `reduce`, `increase`, `avoid`, `alternative`, `limit`, `titrate`,
            `caution`, `test`, `judge`, or `none`.
        steps: all of it.
        strength: CPIC's classification.
        implications: gene, and what its value means for the drug.
        notices: what changed since the snapshot; for people.
        by: how the key was found where the person's own value is not in the table.
    """

    drug: Drug
    population: str
    key: Key
    action: str
    steps: tuple[Step, ...]
    strength: str
    implications: tuple[tuple[str, str], ...]
    notices: tuple[str, ...] = ()
    by: str = ""


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


@cache
def drugs() -> Mapping[str, Drug]:
    """Every drug with rows, by CPIC's name."""
    return {
        row["drug"]: Drug(
            row["drug"],
            row["rxnorm"],
            tuple(code for code in row["atc"].split(",") if code),
            row["guideline"],
            row["url"],
            tuple(row["pmids"].split(" | ")),
            row["date"],
        )
        for row in functions.rows("drugs.tsv")
    }


@cache
def table() -> Mapping[str, Mapping[tuple[str, Key], Recommendation]]:
    """Every row, by drug and then by population and key."""
    said = {row["id"]: (row["action"], row["steps"]) for row in functions.rows("advice.tsv")}
    implied = {row["id"]: row["words"] for row in functions.rows("implications.tsv")}
    found: dict[str, dict[tuple[str, Key], Recommendation]] = {name: {} for name in drugs()}
    for row in functions.rows("recommendations.tsv"):
        action, steps = said[row["advice"]]
        for one in _unfolded(row, action, tuple(map(step, steps.split(" ; "))), implied):
            found[row["drug"]][one.population, one.key] = one
    return found


def _unfolded(
    row: Mapping[str, str], action: str, steps: tuple[Step, ...], implied: Mapping[str, str]
) -> Iterable[Recommendation]:
    drug, implications = drugs()[row["drug"]], [(row["gene"], implied[row["implies"]])]
    if row["gene2"]:
        implications.append((row["gene2"], implied[row["implies2"]]))
    for first, second in product(row["keys"].split(" | "), row["keys2"].split(" | ")):
        key = ((row["gene"], first), *(((row["gene2"], second),) if row["gene2"] else ()))
        notices = currency.of_row(drug.name)
        yield Recommendation(drug, row["population"], key, action, steps, row["strength"], tuple(implications), notices)


def genes(drug: str) -> tuple[str, ...]:
    """Name the genes whose values a drug's rows are found by."""
    first = next(iter(table()[drug]), None)
    return tuple(gene for gene, _ in first[1]) if first else ()


def values(drug: str, gene: str) -> frozenset[str]:
    """Give every value that a drug's rows know of a gene."""
    return frozenset(dict(key)[gene] for _, key in table()[drug])


def at(drug: str, population: str, key: Key) -> Recommendation | None:
    """Find a row by its own key."""
    return table().get(drug, {}).get((population, tuple(sorted(key))))


def advise(
    drug: str, phenotypes: Mapping[str, GenePhenotype], alleles: Mapping[str, Mapping[str, str]] | None = None
) -> Answer:
    """Find all rows for a drug.

    Args:
        drug: CPIC's name of the ingredient, in any case.
        phenotypes: by gene.
        alleles: by HLA gene: allele (`*57:01`) and `positive` or `negative`.
    """
    name = drug.strip().casefold()
    if name not in table():
        return Answer(drug, (), currency.without_rows(name), (), currency.of_drug(name))
    keys, unknown = {}, []
    for gene in genes(name):
        found, why = _keys(name, gene, phenotypes.get(gene), (alleles or {}).get(gene, {}))
        keys[gene] = found or {NO_RESULT: ""}
        unknown += [(gene, why)] if why else []
    rows = _rows(name, keys)
    why = "" if rows else "the guideline has no row for what is known of " + " and ".join(genes(name))
    return Answer(drug, rows, why, tuple(unknown), currency.of_drug(name))


def _rows(name: str, keys: Mapping[str, Mapping[str, str]]) -> tuple[Recommendation, ...]:
    order = tuple(keys)
    found = []
    for combination in product(*(keys[gene].items() for gene in order)):
        key = tuple((gene, value) for gene, (value, _) in zip(order, combination, strict=True))
        by = "; ".join(how for _, how in combination if how)
        found += [_found(row, by) for (_, its), row in table()[name].items() if its == key]
    return tuple(dict.fromkeys(found))


def _found(row: Recommendation, by: str) -> Recommendation:
    return Recommendation(
        row.drug, row.population, row.key, row.action, row.steps, row.strength, row.implications, row.notices, by
    )


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
    return dict.fromkeys(same, f"by the phenotype {one.word} of {one.gene}, since the score is not in the table")
