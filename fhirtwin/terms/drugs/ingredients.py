"""Ingredients by RxNorm code, with their names, and fixed combinations as the ingredients they are made of.

`ingredients.tsv` and `combinations.tsv` hold a code, a name in lower case, and where both were read together:

* `us-core`: US Core 3.1.1, value set us-core-allergy-substance (HL7, CC0), its RxNorm part.
* `cpic`: CPIC's table of drugs, cpic-data 1.56.0, and the drugs of its recommendations of 2023-08 (CC0).
* `vsac`: the value sets that `fhirtwin.terms.concepts.medicines` names.
* `rxnav`: RxNorm ingredients as NLM's RxNav gives them, read in public lists that say so.

RxNorm is produced by the U.S. National Library of Medicine, which neither endorses nor recommends this product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Final

SOURCES: Final = ("us-core", "cpic", "vsac", "rxnav")

SAME: Final[Mapping[str, str]] = {
    "42351": "6448",  # lithium carbonate: lithium
    "266856": "40254",  # divalproex sodium: valproate
    "11118": "40254",  # valproic acid: valproate
}
"""Codes of a salt, and of an acid, and the ingredient they are for every rule."""


def _rows(file: str) -> Iterator[tuple[str, str, str]]:
    lines = resources.files(__package__).joinpath(file).read_text(encoding="utf-8").splitlines()
    for line in lines[1:]:
        code, name, source = line.split("\t")
        yield code, name, source


def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, name, _ in _rows("ingredients.tsv"):
        found.setdefault(name, SAME.get(code, code))
    return found


CODES: Final[Mapping[str, str]] = _names()
"""Name of an ingredient, in lower case, to its code; some have two names."""


def _ingredients() -> dict[str, str]:
    """Code to name; of two names the one that more of the world's records carry, which US Core gives."""
    found: dict[str, str] = {}
    for code, name, source in _rows("ingredients.tsv"):
        if code not in found or source == "us-core":
            found[code] = name
    return found


INGREDIENTS: Final[Mapping[str, str]] = _ingredients()


@cache
def combinations() -> Mapping[str, tuple[str, ...]]:
    """Give fixed combinations: RxNorm code to the codes of their ingredients, sorted."""
    return {
        code: tuple(sorted({CODES[part] for part in name.split(" / ")})) for code, name, _ in _rows("combinations.tsv")
    }


def name_of(code: str) -> str:
    """Give the name of an ingredient, or the code when it is not known."""
    return INGREDIENTS.get(code, code)
