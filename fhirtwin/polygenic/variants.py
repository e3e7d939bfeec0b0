"""The variants of a score, in order: where they are on GRCh38, which allele is counted, and which is the other.

As a file they are lines of six columns, parted by tabs: chromosome, position, counted allele, other allele, which of
the two is the reference, and how frequent the counted one is; a point where that is not known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

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
    r"([1-9]|1[0-9]|2[0-2])\t([1-9][0-9]{0,8})\t([ACGT]{1,255})\t([ACGT]{1,255})\t(\.|[ACGT]{1,255})\t(\.|0|1|0\.[0-9]{1,6})"
)

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Variant:
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
class Variants:
    """All of a score, in order, none twice.

    Raises:
        Incorrect: there are none or too many, or they are not in order.
    """

    all: tuple[Variant, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.all) <= MOST_VARIANTS:
            raise Incorrect(f"A polygenic score has from 1 to {MOST_VARIANTS:,} variants.")
        for one, following in pairwise(self.all):
            if one.place == following.place:
                raise Incorrect(f"Variant {following.name} is there twice.")
            if one.place > following.place:
                raise Incorrect(f"Variant {following.name} is out of order: chromosome, position, alleles.")

    def __len__(self) -> int:
        return len(self.all)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of all of them."""
        return tuple(one.name for one in self.all)

    @cached_property
    def frequencies(self) -> Float:
        """Of the counted alleles, NaN where it is not known."""
        return np.array([math.nan if one.frequency is None else one.frequency for one in self.all])


def write(variants: Variants) -> bytes:
    """The bytes of a file."""
    return "".join(_line(one) for one in variants.all).encode()


def read(data: bytes, name: str) -> Variants:
    """Read a file of variants, exactly as `write` writes it.

    Args:
        data: the bytes.
        name: of the file, for errors.

    Raises:
        Incorrect: it is not; the text names the line.
    """
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Incorrect(f"{name}: it is not ASCII.") from None
    if lines.pop() != "" or not 1 <= len(lines) <= MOST_VARIANTS:
        raise Incorrect(f"{name}: it must have from 1 to {MOST_VARIANTS:,} lines, the last of which ends.")
    try:
        return Variants(tuple(_read_lines(lines)))
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


def _read_lines(lines: Sequence[str]) -> Iterator[Variant]:
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise Incorrect(f"line {number} is no variant.")
        chromosome, position, counted, other, reference, frequency = found.groups()
        if counted == other or reference not in {_NOT_KNOWN, counted, other} or int(position) > LARGEST_POSITION:
            raise Incorrect(f"line {number} has alleles or a position that cannot be.")
        yield Variant(
            int(chromosome),
            int(position),
            counted,
            other,
            "" if reference == _NOT_KNOWN else reference,
            None if frequency == _NOT_KNOWN else float(frequency),
        )
