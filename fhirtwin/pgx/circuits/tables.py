"""The circuits that there are: phenotypes of all genes, and what guidelines say of them with the models beside it.

An engine sees which of the two a ciphertext is for, and nothing of what is looked up in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from fhirtwin.ckks.panel import Panel
from fhirtwin.pgx import functions, guideline, phenotype
from fhirtwin.pgx.circuits import dosing
from fhirtwin.pgx.circuits.book import Book
from fhirtwin.pgx.circuits.shelf import Shelf
from fhirtwin.pgx.guideline import Recommendation

Told = tuple[str, str, str]
"""Phenotype, activity score, date of the rule."""
Rows = tuple[Recommendation, ...]
"""Rows of all drugs of some genes at one key, without the key."""


@cache
def phenotypes() -> Shelf[Told]:
    """Phenotype and activity score by the unordered pair of functions, a book for each gene.

    Eight pairs of each gene in one ciphertext: calls that fit equally well are looked up together.
    """
    entries: dict[str, dict[tuple[str, ...], Told]] = {}
    for (gene, first, second), (word, date) in functions.pairs().items():
        told = word, phenotype.score(gene, [first, second] if second else [first]), date
        entries.setdefault(gene, {})[pair(first, second)] = told
    return Shelf(tuple(Book(gene, of) for gene, of in entries.items()), copies=8, rounds=1)


def pair(first: str, second: str) -> tuple[str, str]:
    """Bring two functions to one order; a single copy comes first."""
    return (second, first) if second and (not first or second < first) else (first, second)


@cache
def advice() -> Shelf[Rows]:
    """Rows of the guidelines by the values of one gene or of two, and the dose of warfarin.

    Four ciphertexts a question, for a laboratory's word can stand for as many as eleven activity scores: room for eight
    keys of each book, for twelve of CYP2D6, for twenty-four of CYP2C19 with CYP2D6.
    """
    others = {"CYP2D6": 3, "CYP2C19 x CYP2D6": 6}
    return Shelf(tuple(_books()), copies=2, rounds=4, others=others, beside={dosing.NAME: dosing.panel()})


def book_of(genes: Iterable[str]) -> str:
    """Name the book that the rows by these genes are in."""
    return " x ".join(genes)


def panels() -> tuple[Panel, ...]:
    """Every circuit, for the engine."""
    return phenotypes().panel, advice().panel


def _books() -> Iterator[Book[Rows]]:
    entries: dict[str, dict[tuple[str, ...], Rows]] = {}
    for rows in guideline.table().values():
        for (_, key), row in rows.items():
            book = entries.setdefault(book_of(gene for gene, _ in key), {})
            values = tuple(value for _, value in key)
            book[values] = (*book.get(values, ()), replace(row, key=()))
    return (Book(name, of) for name, of in entries.items())
