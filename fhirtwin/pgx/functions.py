"""Tables of what alleles do and of what two of them make, read once from the files of this package.

*Source*: CPIC, by way of PharmCAT's releases; each row names its snapshot. `docs/pgx/phenotypes.md`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fhirtwin.pgx.results import AlleleFunction

FOLDERS = tuple(Path(__file__).parent / name for name in ("tables", "tables_cc_by_sa"))
UNSTATED_COPIES = ("x2", "x≥3")


def rows(name: str) -> list[dict[str, str]]:
    """Read the lines of one table, of every folder that has it."""
    found: list[dict[str, str]] = []
    for folder in FOLDERS:
        if (folder / name).exists():
            with (folder / name).open(encoding="utf-8", newline="") as lines:
                found += csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return found


@cache
def alleles() -> Mapping[str, Mapping[str, AlleleFunction]]:
    """Give every allele of every gene with what it does, by its spelling without blanks."""
    found: dict[str, dict[str, AlleleFunction]] = {}
    for row in rows("functions.tsv"):
        for name in row["alleles"].split(" | "):
            function = AlleleFunction(name, row["function"], row["activity"], row["source"], row["date"])
            found.setdefault(row["gene"], {})[spelled(name)] = function
    return found


@cache
def pairs() -> Mapping[tuple[str, str, str], tuple[str, str]]:
    """Give the phenotype and its date by gene and two functions (or activity values), in either order."""
    found = {}
    for row in rows("pairs.tsv"):
        found[row["gene"], row["first"], row["second"]] = row["phenotype"], row["date"]
        found[row["gene"], row["second"], row["first"]] = row["phenotype"], row["date"]
    return found


@cache
def scored() -> frozenset[str]:
    """Name the genes that have an activity score."""
    return frozenset(row["gene"] for row in rows("functions.tsv") if row["activity"])


def spelled(allele: str) -> str:
    """Bring an allele to one spelling: no blanks, and the parts of a tandem in one order."""
    return "+".join(sorted("".join(allele.split()).split("+")))


def candidates(gene: str, allele: str) -> tuple[AlleleFunction, ...]:
    """Find an allele; more than one where the number of copies is not stated (`xN`), none when no table has it.

    Three copies and more are `x≥3` in the tables, except where they have the number itself.
    """
    known, name = alleles().get(gene, {}), spelled(allele)
    # CPIC wrote MT-RNR1 variants without `m.` until 2023-12-20.
    if found := known.get(name) or (known.get(f"m.{name}") if gene == "MT-RNR1" else None):
        return (found,)
    if gene != "CYP2D6" or "+" in name or "x" not in name:
        return ()
    base, copies = name.split("x", 1)
    if copies in ("N", "n"):
        both = [known.get(base + ending) for ending in UNSTATED_COPIES]
        return tuple(one for one in both if one) if all(both) else ()
    many = copies.isdecimal() and int(copies) >= 3
    return (known[base + "x≥3"],) if many and base + "x≥3" in known else ()
