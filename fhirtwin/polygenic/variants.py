"""The variants of a score, in order: where they are on GRCh38, which allele is counted, and which is the other.

As a file they are lines of six columns, parted by tabs: chromosome, position, counted allele, other allele, which of
the two is the reference, and how frequent the counted one is; a point where that is not known.
"""

from __future__ import annotations

import io
import math
import re
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect

MOST_VARIANTS: Final = 1_200_000
"""The common variants of most genome-wide scores are 1.1 million."""

LONGEST_ALLELE: Final = 255
AUTOSOMES: Final = tuple(str(number) for number in range(1, 23))
LARGEST_POSITION: Final = 248_956_422
"""Length of chromosome 1 of GRCh38, the longest. *Source*: https://www.ncbi.nlm.nih.gov/grc/human/data?asm=GRCh38."""

_NOT_KNOWN: Final = "."
_COMPLEMENT: Final = str.maketrans("ACGT", "TGCA")
_FREQUENCY_DIGITS: Final = 6
_LINE: Final = re.compile(
    rb"([1-9]|1[0-9]|2[0-2])\t([1-9][0-9]{0,8})\t([ACGT]{1,255})\t([ACGT]{1,255})\t"
    rb"(\.|[ACGT]{1,255})\t(\.|0|1|0\.[0-9]{1,6})\n"
)

Float = NDArray[np.float64]


class Variant(NamedTuple):
    """One of them.

    Attributes:
        chromosome: 1 to 22; on the others the number of copies depends on sex.
        position: of the first base of its alleles, from 1, on GRCh38.
        counted: the allele whose copies are weighed.
        other: the allele beside it.
        reference: which of the two the genome has; empty when that is not known.
        frequency: of the counted allele; None when it is not known.
    """

    chromosome: int
    position: int
    counted: str
    other: str
    reference: str = ""
    frequency: float | None = None

    @property
    def name(self) -> str:
        """What both sides call it; the counted allele comes before the other."""
        return f"{self.chromosome}:{self.position}:{self.counted}:{self.other}"

    @property
    def place(self) -> tuple[int, int, str, str]:
        """What no other variant of a score has, whichever allele it counts; they are in this order."""
        return (self.chromosome, self.position, *sorted((self.counted, self.other)))  # type: ignore[return-value]

    @property
    def is_one_base(self) -> bool:
        """Whether both alleles are one base, so that it can be written at one place alone."""
        return len(self.counted) == len(self.other) == 1

    @property
    def is_strand_ambiguous(self) -> bool:
        """Whether the alleles read the same on both strands: nothing tells on which they were counted."""
        return self.counted.translate(_COMPLEMENT)[::-1] == self.other


@dataclass(frozen=True, eq=False)
class Variants(Sequence[Variant]):
    """All of a score, in order, none twice. Kept by columns: a million objects would take half a gigabyte.

    Attributes:
        chromosomes, positions: of each.
        counted, other: alleles.
        references: 1 where the reference is the counted allele, 2 where it is the other, 0 where it is not known.
        known: frequencies of the counted alleles, NaN where it is not known.

    Raises:
        Incorrect: there are none or too many, or they are not in order.
    """

    chromosomes: array[int]
    positions: array[int]
    counted: tuple[str, ...]
    other: tuple[str, ...]
    references: array[int]
    known: array[float]

    def __post_init__(self) -> None:
        if not 1 <= len(self.counted) <= MOST_VARIANTS:
            raise Incorrect(f"A polygenic score has from 1 to {MOST_VARIANTS:,} variants.")
        along = np.array(self.chromosomes, dtype=np.int64) * (1 << 32) + np.array(self.positions)
        for place in np.flatnonzero(np.diff(along) <= 0).tolist():
            one, following = self[place], self[place + 1]
            if one.place == following.place:
                raise Incorrect(f"Variant {following.name} is there twice.")
            if one.place > following.place:
                raise Incorrect(f"Variant {following.name} is out of order: chromosome, position, alleles.")

    def __len__(self) -> int:
        return len(self.counted)

    @overload
    def __getitem__(self, place: int) -> Variant: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Variant, ...]: ...
    def __getitem__(self, place: int | slice) -> Variant | tuple[Variant, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        counted, other, frequency = self.counted[place], self.other[place], self.known[place]
        reference = ("", counted, other)[self.references[place]]
        known = None if math.isnan(frequency) else frequency
        return Variant(self.chromosomes[place], self.positions[place], counted, other, reference, known)

    @property
    def frequencies(self) -> Float:
        """Of the counted alleles, NaN where it is not known."""
        return np.array(self.known)

    @property
    def names(self) -> Names:
        """Of all of them, each made when it is asked for."""
        return Names(self)


@dataclass(frozen=True, eq=False)
class Names(Sequence[str]):
    """The names of variants, none twice, for they are in order."""

    variants: Variants

    def __len__(self) -> int:
        return len(self.variants)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        found = self.variants[place]
        return found.name if isinstance(found, Variant) else tuple(one.name for one in found)


def of(some: Iterable[Variant]) -> Variants:
    """Variants, which must be in order, by columns.

    Raises:
        Incorrect: they are not, or too many.
    """
    chromosomes, positions, references, frequencies = array("b"), array("i"), array("b"), array("d")
    counted: list[str] = []
    other: list[str] = []
    for one in some:
        if len(counted) == MOST_VARIANTS:
            raise Incorrect(f"A polygenic score has from 1 to {MOST_VARIANTS:,} variants.")
        chromosomes.append(one.chromosome)
        positions.append(one.position)
        counted.append(sys.intern(one.counted))
        other.append(sys.intern(one.other))
        references.append(("", one.counted, one.other).index(one.reference))
        frequencies.append(math.nan if one.frequency is None else one.frequency)
    return Variants(chromosomes, positions, tuple(counted), tuple(other), references, frequencies)


def write(variants: Variants) -> bytes:
    """The bytes of a file."""
    return "".join(map(_line, variants)).encode()


def read(data: bytes, name: str) -> Variants:
    """Read a file of variants, exactly as `write` writes it.

    Args:
        data: the bytes.
        name: of the file, for errors.

    Raises:
        Incorrect: it is not; the text names the line.
    """
    try:
        return of(_variant(line, number) for number, line in enumerate(io.BytesIO(data), 1))
    except Incorrect as error:
        raise Incorrect(f"{name}: {error}") from None


def in_order(variants: Sequence[Variant]) -> list[int]:
    """Places of variants in the order in which they are kept."""
    return sorted(range(len(variants)), key=lambda at: variants[at].place)


def rounded(frequency: float) -> float:
    """A frequency as it is written."""
    return round(frequency, _FREQUENCY_DIGITS)


def _line(one: Variant) -> str:
    known = _NOT_KNOWN if one.frequency is None else f"{one.frequency:.{_FREQUENCY_DIGITS}f}".rstrip("0").rstrip(".")
    reference = one.reference or _NOT_KNOWN
    return f"{one.chromosome}\t{one.position}\t{one.counted}\t{one.other}\t{reference}\t{known}\n"


def _variant(line: bytes, number: int) -> Variant:
    found = _LINE.fullmatch(line)
    if found is None:
        raise Incorrect(f"line {number} is no variant.")
    chromosome, position, counted, other, reference, frequency = map(bytes.decode, found.groups())
    if counted == other or reference not in (_NOT_KNOWN, counted, other) or int(position) > LARGEST_POSITION:
        raise Incorrect(f"line {number} has alleles or a position that cannot be.")
    return Variant(
        int(chromosome),
        int(position),
        counted,
        other,
        "" if reference == _NOT_KNOWN else reference,
        None if frequency == _NOT_KNOWN else float(frequency),
    )
