"""The rows of the guidelines: drugs, keys, and what is to be done, read once from the files of this package.

*Source*: CPIC's recommendations, https://cpicpgx.org/guidelines/ (CC0 1.0), snapshot of 2023-08, as facts in our own
words. `docs/pgx/recommendations.md` says what changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from fhirtwin.pgx import currency, functions
from fhirtwin.pgx.advice import Step, step

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


@cache
def values(drug: str, gene: str) -> frozenset[str]:
    """Give every value that a drug's rows know of a gene."""
    return frozenset(dict(key)[gene] for _, key in table()[drug])
