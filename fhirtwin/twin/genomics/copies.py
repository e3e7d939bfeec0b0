"""How many copies of a gene a result counts (LOINC 82155-3), held against the alleles that it names.

Which allele is there more often is not told by the number, so that a number that does not fit leaves the gene uncalled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from fhirtwin.pgx import naming
from fhirtwin.pgx.results import Pair
from fhirtwin.twin.genomics.elements import NotRead, component_values
from fhirtwin.twin.mapper import Resource

COUNTED: Final = "82155-3"
DELETED: Final = "*5"
"""The allele of CYP2D6 that is no copy."""
_TIMES: Final = re.compile(r"(\*\d+)(?:x(\d+))?")
_MOST: Final = 20


def check(resource: Resource, told: list[tuple[str, str, str]]) -> None:
    """Return when what is counted fits what was read, or nothing is counted.

    Raises:
        NotRead: it does not fit, or the number cannot be read.
    """
    for value in component_values(resource, COUNTED):
        for name, gene, said in told:
            if name in ("diplotype", "haplotype"):
                _check(gene, naming.diplotypes(gene, said), number(value, gene))


def number(value: Any, gene: str) -> int:
    """Give the number of copies.

    Raises:
        NotRead: it is no plain number.
    """
    said = value.get("value") if isinstance(value, dict) and not value.get("comparator") else value
    if isinstance(said, bool) or not isinstance(said, int | Decimal) or said != int(said) or not 0 <= said <= _MOST:
        raise NotRead("how many copies of the gene it counts cannot be read", gene)
    return int(said)


def _check(gene: str, pairs: tuple[Pair, ...], counted: int) -> None:
    totals = [_total(pair) for pair in pairs]
    if None in totals or counted in totals or not totals:
        return
    may_be = dict.fromkeys(text for pair in pairs for text in _with_more(pair, counted)) if gene == "CYP2D6" else ()
    raise NotRead(f"the number of copies that it counts ({counted}) is not that of the alleles it names", gene, may_be)


def _total(pair: Pair) -> int | None:
    """The copies that alleles are; None where one was not counted, or is a tandem, of which assays count parts."""
    each = [_TIMES.fullmatch(name) for name in pair.alleles]
    if not all(each):
        return None if any("x" in name or "+" in name or "≥" in name for name in pair.alleles) else len(pair.alleles)
    return sum(0 if one[1] == DELETED else int(one[2] or 1) for one in each if one)


def _with_more(pair: Pair, counted: int) -> Iterator[str]:
    """The pair with the copies that are left on the one or the other allele, where each was named once."""
    extra = counted - (_total(pair) or 0)
    if extra > 0 and not any("x" in name for name in pair.alleles):
        for index, name in enumerate(pair.alleles):
            if name != DELETED:
                more = [*pair.alleles]
                more[index] = f"{name}x{1 + extra}"
                yield "/".join(more)
