"""Which drug of the guidelines an ordered ingredient is: RxNorm ingredient to the name that the tables use.

CPIC's table gives an RxNorm code for each of its drugs. Where the code is not one that an order can come to, its name
is looked up among the ingredients; a drug that is two ingredients needs both. What has neither is not known:
`UNKNOWN` names those drugs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

from fhirtwin.pgx import guideline, labels
from fhirtwin.terms import drugs
from fhirtwin.terms.drugs.ingredients import CODES

UNKNOWN: Final = frozenset({"ribostamycin", "vitamin k"})
"""Drugs of the guidelines that no order is known by: one has no RxNorm code, the other's is of a group."""


@cache
def by_ingredients() -> Mapping[frozenset[str], str]:
    """Give CPIC's name of a drug by the RxNorm codes of its ingredients."""
    found = {}
    for name, drug in guideline.drugs().items():
        codes = [drug.rxnorm] if drug.rxnorm in drugs.INGREDIENTS else [CODES.get(p, "") for p in name.split(" / ")]
        if all(codes):
            found[frozenset(codes)] = name
    return found


def name_of(ingredient: str) -> str:
    """Give the name of one ingredient as tables of guidelines, labels and inhibitors write it."""
    return by_ingredients().get(frozenset({ingredient})) or drugs.name_of(ingredient)


def named(ingredients: Collection[str]) -> tuple[str, ...]:
    """Name every drug of the tables that a medicine holds: each ingredient, and pairs that are a drug of their own."""
    return (*(name_of(code) for code in ingredients), *together(ingredients))


def together(ingredients: Collection[str]) -> tuple[str, ...]:
    """Name the drugs of the tables that are several ingredients of a medicine."""
    return tuple(name for codes, name in by_ingredients().items() if len(codes) > 1 and codes <= set(ingredients))


def code_of(name: str) -> str:
    """Give the RxNorm code of a drug of the tables; empty when an order cannot be known by one."""
    codes = next((codes for codes, known in by_ingredients().items() if known == name), None)
    if codes is None:
        return CODES.get(name, "")
    return next(iter(codes)) if len(codes) == 1 else ""


def asks_for_genes(ingredients: Collection[str]) -> bool:
    """Whether a guideline asks for genes before a medicine, or its label speaks of them."""
    return any(name in guideline.drugs() or labels.of(name) for name in named(ingredients))


def genes_asked(ingredients: Collection[str]) -> frozenset[str]:
    """Give the genes that guidelines or labels of a medicine ask for."""
    names = named(ingredients)
    of_rows = {gene for name in names if name in guideline.drugs() for gene in guideline.genes(name)}
    return frozenset(of_rows | {gene for name in names for one in labels.of(name) for gene in one.genes})


def slug(drug: str) -> str:
    """Write a drug's name as names of rules have it."""
    return drug.replace(" / ", "-").replace(" ", "-")
