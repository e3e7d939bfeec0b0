"""Counts the copies of a score's alleles in one sample of a VCF 4 file, as a stream.

A row counts for a variant when it has its position and its two alleles, on the forward strand; none is turned to the
other strand, shifted or left-aligned here. What the file does not show is missing, not reference, unless the caller
states that absent means reference *and* the model says which allele the reference is; insertions and deletions, which
can be written at several places, are missing even then. What two rows say otherwise, what another variant lies over,
what did not pass its filters, has a third allele or less than two calls is missing as well.

*Source*: https://samtools.github.io/hts-specs/VCFv4.3.pdf, sections 1.6 and 5 (genotypes, END, `*`, `<NON_REF>`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.pgx.vcf_rows import BASES, NOT_PASSED, Reading, Row, RowReader
from fhirtwin.polygenic.variants import Variant, Variants

ABSENT: Final = "not in the file"
NOT_CALLED: Final = "no genotype that can be used"
FILTERED: Final = "in rows that did not pass the filters of the file (`--filter` trusts others)"
OTHER_ALLELES: Final = "other alleles than those of the score"
OVERLAPPED: Final = "another variant lies over it"
CONTRADICTED: Final = "two rows say otherwise"
REFERENCE_NOT_KNOWN: Final = "as the reference, and the model does not say which allele that is"

_AS_IT_IS: Final = Reading()
_REFERENCE_ONLY: Final = frozenset({"<NON_REF>", "<*>"})
_COPIES_OF_A_PERSON: Final = 2

Float = NDArray[np.float64]
Told = int | str | None
"""Copies of the counted allele, why they cannot be told, or None: the row says nothing of the variant."""


@dataclass(frozen=True, eq=False)
class Copies:
    """What a file shows.

    Attributes:
        counted: of each variant, 0 to 2; NaN where it is missing.
        missing: how many are, by reason.
    """

    counted: Float
    missing: Mapping[str, int]


def read(stream: BinaryIO, variants: Variants, reading: Reading = _AS_IT_IS) -> Copies:
    """Count copies in a file, plain or gzipped.

    Raises:
        Incorrect: not VCF, cut off, or damaged; the text names the line.
        TooLarge: more than the limits allow.
        Unprocessable: on another genome build.
    """
    reader = _Reader(variants, reading)
    reader.read_rows(stream)
    if reader.with_genotypes is False:
        raise Incorrect("VCF: no row at a variant of the score has a genotype (GT); send a file with genotypes")
    return reader.copies()


@dataclass(frozen=True, slots=True, eq=False)
class _Chromosome:
    """Its variants, by their places in the score.

    Attributes:
        touched: where one of them starts.
        positions: of all, in order; the first is that of the variant `first`.
    """

    touched: frozenset[int]
    positions: Sequence[int]
    first: int

    def within(self, start: int, last: int) -> range:
        """The variants that start within this stretch."""
        low, high = bisect_left(self.positions, start), bisect_right(self.positions, last)
        return range(self.first + low, self.first + high)


class _Reader(RowReader[_Chromosome]):
    def __init__(self, variants: Variants, reading: Reading) -> None:
        super().__init__(reading, _by_name(variants))
        self.variants = variants
        self.told: list[Told] = [None] * len(variants)
        self.chromosomes: set[int] = set()

    def copies(self) -> Copies:
        told = [self._at_last(one, found) for one, found in zip(self.variants, self.told, strict=True)]
        counted = np.array([np.nan if isinstance(one, str) else float(one) for one in told])
        return Copies(counted, Counter(one for one in told if isinstance(one, str)))

    def seen(self, chromosome: str) -> None:
        self.chromosomes.add(int(chromosome.removeprefix("chr")))

    def row(self, here: _Chromosome, start: int, reference: bytes, rest: bytes, column: int) -> None:
        end, is_block = self.span(rest) if b"END=" in rest else (None, False)
        places = here.within(start, start + len(reference) - 1 if end is None else end)
        if not places:
            return
        row = self.taken_apart(start, reference, rest, column)
        for place in places:
            one = self.variants[place]
            if end is not None and is_block:
                self._take(place, _in_block(one, row))
            elif end is not None or one.position != start:
                self._take(place, OVERLAPPED if any(row.calls) else None)
            else:
                self._take(place, _at(one, row))

    def _take(self, place: int, told: Told) -> None:
        known = self.told[place]
        if told is not None:
            self.told[place] = told if known is None or known == told else CONTRADICTED

    def _at_last(self, one: Variant, told: Told) -> int | str:
        if told is not None:
            return told
        stated = self.reading.absent_is_reference and one.chromosome in self.chromosomes
        if not stated or not one.is_one_base:  # an insertion or deletion may be in the file at another place
            return ABSENT
        return _of_reference(one, one.reference)


def _by_name(variants: Variants) -> dict[bytes, _Chromosome]:
    """Chromosomes by both of their usual names, `chr1` and `1`."""
    found: dict[bytes, _Chromosome] = {}
    for number in sorted(set(variants.chromosomes)):
        first, behind = bisect_left(variants.chromosomes, number), bisect_right(variants.chromosomes, number)
        positions = variants.positions[first:behind].tolist()
        here = _Chromosome(frozenset(positions), positions, first)
        found |= {f"{number}".encode(): here, f"chr{number}".encode(): here}
    return found


def _of_reference(one: Variant, reference: str) -> int | str:
    if not reference:
        return REFERENCE_NOT_KNOWN
    return _COPIES_OF_A_PERSON if reference == one.counted else 0


def _in_block(one: Variant, row: Row) -> Told:
    """What a block that is as the reference says of a variant within."""
    if row.reason or row.calls != [0, 0]:
        return _unusable(row)
    if one.position == row.start and one.is_one_base:
        base = row.alleles[0][0]
        return _of_reference(one, base) if base in (one.counted, one.other) else OTHER_ALLELES
    return _of_reference(one, one.reference)


def _at(one: Variant, row: Row) -> Told:
    """What a row says of a variant that starts where it does."""
    pair = (one.counted, one.other)
    if one.is_one_base:
        made = [_base(row.alleles[0], allele) for allele in row.alleles]
        if all(base == made[0] for base in made[1:]) and not _is_reference_only(row):
            return None  # what is inserted or deleted behind the base leaves it
    elif row.alleles[0] in pair and set(pair) <= set(row.alleles):
        made = list(row.alleles)
    else:
        return OTHER_ALLELES if any(row.calls) else None
    if made[0] not in pair or (one.reference and made[0] != one.reference):
        return OTHER_ALLELES
    if row.reason or len(row.calls) != _COPIES_OF_A_PERSON or None in row.calls:
        return _unusable(row)
    called = [made[call] for call in row.calls if call is not None]
    return called.count(one.counted) if set(called) <= set(pair) else OTHER_ALLELES


def _unusable(row: Row) -> str:
    return FILTERED if row.reason.endswith(NOT_PASSED) else NOT_CALLED


def _is_reference_only(row: Row) -> bool:
    """Whether a row has no allele but the reference, so that it is there to tell just that."""
    return len(row.alleles[0]) == 1 and set(row.alleles[1:]) <= _REFERENCE_ONLY


def _base(reference: str, allele: str) -> str:
    """The first base of the stretch under an allele; nothing where the allele does not tell."""
    if allele in _REFERENCE_ONLY or allele == reference:
        return reference[0]
    if not BASES.fullmatch(allele):
        return ""
    if len(allele) == len(reference):
        return allele[0] if allele[1:] == reference[1:] else ""
    return allele[0] if allele[0] == reference[0] else ""
