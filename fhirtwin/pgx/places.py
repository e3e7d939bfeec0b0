"""The bases at one defined position as text, and back: `chr10:94781859 A/G`; `A/.` where the other copy is open.

The place is where the definition's reference begins on GRCh38, the bases are in the form of the definition, one for
each copy, in the order of their letters; no strand is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from fhirtwin.pgx.defined import Gene, Position, genes
from fhirtwin.pgx.genotype import Genotype
from fhirtwin.pgx.loci import Locus

OPEN: Final = "."
"""In place of a base that is not known."""

_WRITTEN: Final = re.compile(r"(chr[0-9XYM]{1,2}):(\d{1,10}) ([ACGTN]{1,200})(?:/([ACGTN]{1,200}|\.))?")


def text(gene: str, position: Position, bases: tuple[str, ...]) -> str:
    """Write what a person has at a position."""
    return f"{genes()[gene].chromosome}:{position.start} {'/'.join(sorted(bases, key=_open_last))}"


def read(gene: str, written: str) -> tuple[int, Genotype] | None:
    """Read the number of the position and its bases; None when this is no place of the gene."""
    match = _WRITTEN.fullmatch(written)
    if match is None or gene not in genes() or match[1] != genes()[gene].chromosome:
        return None
    index = _starts(gene).get(int(match[2]))
    bases = tuple(None if base == OPEN else base for base in match.group(3, 4) if base)
    return None if index is None else (index, Genotype(bases))


def _open_last(base: str) -> tuple[bool, str]:
    return base == OPEN, base


@cache
def _starts(gene: str) -> Mapping[int, int]:
    return {position.start: position.index for position in genes()[gene].positions}


@cache
def by_rsid() -> Mapping[str, Locus]:
    """Give the defined positions by their names in dbSNP."""
    return {rsid: Locus(gene.name, position) for gene in genes().values() for rsid, position in gene.by_rsid.items()}


def fits(gene: Gene, alleles: tuple[str, ...], index: int, shown: Genotype) -> bool:
    """Tell whether people with these named alleles may have these bases at a position."""
    expected = [gene.by_name[name].bases.get(index, frozenset((gene.positions[index].reference,))) for name in alleles]
    bases = shown.bases
    if len(bases) != len(expected):
        return False
    return any(
        all(base is None or base in one for base, one in zip(turned, expected, strict=True))
        for turned in (bases, bases[::-1])
    )


def together(one: Genotype, other: Genotype) -> Genotype | None:
    """Put two reports on one position together; None when they cannot both be true.

    Of two that each leave one copy open, different bases are the two copies.
    """
    known, also = ([base for base in each.bases if base is not None] for each in (one, other))
    if len(known) < len(one.bases) and len(also) < len(other.bases):
        return Genotype(tuple(sorted((*known, *also)))) if known != also else one
    whole, part = (one, also) if len(known) == len(one.bases) else (other, known)
    if len(known) == len(one.bases) and len(also) == len(other.bases):
        return one if sorted(known) == sorted(also) else None
    return whole if set(part) <= set(whole.bases) else None
