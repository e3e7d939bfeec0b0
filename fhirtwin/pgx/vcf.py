"""Reads one sample of a VCF 4 file at the defined positions, as a stream.

What the file does not show is missing, not reference, unless the caller states that absent means reference. The order
of the rows does not matter. Reference blocks of gVCF (INFO END) show the reference for every position they span.

*Source*: https://samtools.github.io/hts-specs/VCFv4.3.pdf, sections 1.6 and 5.5 (genotypes, END, `<NON_REF>`).
"""

from __future__ import annotations

from typing import BinaryIO, Final

from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.pgx.defined import Position
from fhirtwin.pgx.genotype import UNDOCUMENTED, Sample
from fhirtwin.pgx.loci import Chromosome, Locus, bases_at, chromosomes, reference_agrees
from fhirtwin.pgx.observations import Observation, Observations
from fhirtwin.pgx.vcf_lines import blocks_of_lines
from fhirtwin.pgx.vcf_rows import BASES, MOST_HEADER_BYTES, MOST_HEADER_LINES, NO_HEADER, Reading, Row, RowReader

__all__ = ["Reading", "read_vcf", "sample_names"]

_AS_IT_IS: Final = Reading()


def read_vcf(stream: BinaryIO, reading: Reading = _AS_IT_IS) -> Sample:
    """Reads a file, plain or gzipped.

    Raises:
        Incorrect: not VCF, cut off, or damaged; the text names the line.
        TooLarge: more than the limits allow.
        Unprocessable: on another genome build.
    """
    return _Reader(reading).read(stream)


def sample_names(stream: BinaryIO) -> tuple[str, ...]:
    """Names the samples of a file, whatever its build; the stream is read as far as the line `#CHROM`.

    Raises:
        Incorrect, TooLarge: as `read_vcf`.
    """
    seen, size = 0, 0
    for block in blocks_of_lines(stream):
        for line in block:
            if line.startswith(b"#CHROM"):
                return tuple(line.decode("utf-8", "replace").rstrip("\r").split("\t")[9:])
            if not line.startswith(b"##"):
                raise Incorrect(NO_HEADER)
        seen, size = seen + len(block), size + sum(map(len, block))
        if seen > MOST_HEADER_LINES or size > MOST_HEADER_BYTES:
            break
    raise Incorrect(NO_HEADER)


class _Reader(RowReader[Chromosome]):
    """Reads the defined positions."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading, {name.encode(): one for name, one in chromosomes().items()})
        self.found = Observations()

    def read(self, stream: BinaryIO) -> Sample:
        self.read_rows(stream)
        if self.with_genotypes is False:
            raise Incorrect("VCF: no row at a defined position has a genotype (GT); send a file with genotypes")
        return self.found.sample(absent_is_reference=self.reading.absent_is_reference)

    def seen(self, chromosome: str) -> None:
        self.found.seen(chromosome)

    def row(self, here: Chromosome, start: int, reference: bytes, rest: bytes, column: int) -> None:
        end, is_block = self.span(rest) if b"END=" in rest else (None, False)
        last = start + len(reference) - 1
        loci = here.overlapping(start, last) if end is None else here.starting(start, end)
        if loci:
            self._record(loci, self.taken_apart(start, reference, rest, column), is_block=is_block)

    def _record(self, loci: list[Locus], row: Row, *, is_block: bool) -> None:
        phased = "|" in row.values.get("GT", "")
        phase_set = row.values.get("PS", ".")
        for locus in loci:
            self._check_reference(locus, row.start, row.alleles[0])
            bases = self._bases(locus, row.start, row.alleles, row.calls, is_block=is_block)
            if bases is not None:
                seen = Observation(
                    bases,
                    phased,
                    "" if phase_set == "." else phase_set,
                    ",".join(row.alternates),
                    bool(row.alternates),
                    is_block,
                    row.start,
                )
                self.found.add(locus, seen, row.reason)

    def _check_reference(self, locus: Locus, start: int, reference: str) -> None:
        if not reference_agrees(locus.position, start, reference):
            raise Unprocessable(
                f"VCF, line {self.number}: REF is not what GRCh38 has there; the file is on another build or damaged"
            )

    def _bases(
        self, locus: Locus, start: int, alleles: list[str], calls: list[int | None], *, is_block: bool
    ) -> tuple[str | None, ...] | None:
        """Gives the bases at a position; None when the row says nothing of it."""
        position = locus.position
        reference, *alternates = alleles
        made = [None, *(_made(position, start, reference, alternate) for alternate in alternates)]
        if start != position.start and not is_block and all(one is None or made[one] is None for one in calls):
            return None
        return tuple(None if one is None else made[one] or position.reference for one in calls)


def _made(position: Position, start: int, reference: str, alternate: str) -> str | None:
    """Gives what an alternate allele makes of a position; None when it leaves it."""
    return bases_at(position, start, reference, alternate) if BASES.fullmatch(alternate) else UNDOCUMENTED
