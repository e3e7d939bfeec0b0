"""Looks up in a FASTA of GRCh38 which allele of each variant the genome has, as a stream.

A score whose positions are of another build, or whose alleles are of the other strand, disagrees with the genome at
most of its variants. And only where the reference is known does a block of a gVCF, or a person without a row, tell.

*Source*: https://www.ncbi.nlm.nih.gov/genbank/fastaformat/ (a line that begins with `>` names a sequence).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import Incorrect
from fhirtwin.pgx.vcf_lines import Limits, blocks_of_lines
from fhirtwin.polygenic.variants import AUTOSOMES, Variants

OTHER_REFERENCE: Final = "alleles of which the genome has neither there"

_LIMITS: Final = Limits(text=8 << 30, line=1 << 20, what="Reference")
_COUNTED, _OTHER = 1, 2

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Looked:
    """What came of it.

    Attributes:
        variants: with the reference, where it is told.
        agree: whether the genome has one of the alleles.
    """

    variants: Variants
    agree: Flags


def look_up(stream: BinaryIO, variants: Variants) -> Looked:
    """Look every variant up.

    Args:
        stream: FASTA, plain or gzipped; sequences are named `chr1` or `1`, others are passed over.
        variants: of a score.

    Raises:
        Incorrect: the file lacks a chromosome of the score, or ends before one of its positions.
        TooLarge: it is larger than a genome.
    """
    lookup = _Lookup(variants)
    for block in blocks_of_lines(stream, _LIMITS):
        for line in block:
            lookup.take(line)
    return lookup.looked()


@dataclass
class _Lookup:
    variants: Variants
    offset: int = 0
    following: int = 0
    behind: int = 0
    """The next variant of this chromosome, and the first behind the last."""
    waiting: dict[int, str] = field(default_factory=dict)
    """Variants of which not all bases were read yet."""

    def __post_init__(self) -> None:
        self.found = array("b", bytes(len(self.variants)))
        self.agree = np.zeros(len(self.variants), dtype=np.bool_)
        self.read = np.zeros(len(self.variants), dtype=np.bool_)

    def take(self, line: bytes) -> None:
        if line[:1] == b">":
            self._begin(line[1:].split(None, 1)[0].decode("ascii", "replace") if line[1:].strip() else "")
        elif self.following < self.behind or self.waiting:
            self._bases(line.rstrip(b"\r"))

    def looked(self) -> Looked:
        if not self.read.all():
            missing = self.variants[int(np.argmin(self.read))]
            raise Incorrect(f"Reference: it has no bases for {missing.name}; give the whole GRCh38, `chr1` to `chr22`.")
        return Looked(replace(self.variants, references=self.found), self.agree)

    def _begin(self, name: str) -> None:
        self.waiting, self.offset, self.following, self.behind = {}, 0, 0, 0
        number = name.removeprefix("chr")
        if number in AUTOSOMES:
            chromosomes = self.variants.chromosomes
            self.following, self.behind = bisect_left(chromosomes, int(number)), bisect_right(chromosomes, int(number))

    def _bases(self, line: bytes) -> None:
        start, self.offset = self.offset, self.offset + len(line)
        if not self.waiting and self.variants.positions[self.following] > self.offset:
            return
        text = line.decode("ascii", "replace").upper()
        for place in list(self.waiting):
            self._judge(place, self.waiting.pop(place) + text)
        for place in self._reached():
            self._judge(place, text[self.variants.positions[place] - 1 - start :])

    def _reached(self) -> Iterator[int]:
        while self.following < self.behind and self.variants.positions[self.following] <= self.offset:
            yield self.following
            self.following += 1

    def _judge(self, place: int, bases: str) -> None:
        counted, other = self.variants.counted[place], self.variants.other[place]
        if len(bases) < max(len(counted), len(other)):
            self.waiting[place] = bases
            return
        self.read[place] = True
        alleles = [allele for allele in (counted, other) if bases.startswith(allele)]
        self.agree[place] = bool(alleles)
        if len(alleles) == 1:  # of `A` and `AT` before a `T`, either could be what was inserted or deleted
            self.found[place] = _COUNTED if alleles[0] == counted else _OTHER
