"""Reads one sample of a VCF 4 file at the defined positions, as a stream.

What the file does not show is missing, not reference, unless the caller states that absent means reference. The order
of the rows does not matter. Reference blocks of gVCF (INFO END) show the reference for every position they span.

*Source*: https://samtools.github.io/hts-specs/VCFv4.3.pdf, sections 1.6 and 5.5 (genotypes, END, `<NON_REF>`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from fhirtwin.errors import Incorrect, TooLarge, Unprocessable
from fhirtwin.pgx.defined import Position
from fhirtwin.pgx.genotype import UNDOCUMENTED, Sample
from fhirtwin.pgx.loci import Chromosome, Locus, bases_at, chromosomes, reference_agrees
from fhirtwin.pgx.observations import Observation, Observations
from fhirtwin.pgx.vcf_header import column_of
from fhirtwin.pgx.vcf_lines import Limits, blocks_of_lines

MOST_HEADER_LINES: Final = 100_000
MOST_HEADER_BYTES: Final = 1 << 26

NO_HEADER: Final = "VCF: no line `#CHROM`; send a VCF file, plain or gzipped"
_BASES: Final = re.compile(r"[ACGTNacgtn]+")
_GENOTYPE: Final = re.compile(r"[/|]?(?:\d{1,4}|\.)(?:[/|](?:\d{1,4}|\.))*")
_NOTHING_READ: Final = ("MIN_DP", "DP", "GQ")
"""Fields by which a row says, with 0, that nothing stands behind its genotype; callers write 0/0 where nobody read."""
_ZERO: Final = re.compile(r"0+(\.0*)?")
_END: Final = re.compile(rb"(?:^|;)END=(\d{1,10})(?:;|$)")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the caller states about the file.

    Attributes:
        sample: the name of the sample that is this patient's; needed when the file has several.
        absent_is_reference: positions that the file does not show are as the reference.
        accepted_filters: values of FILTER that are trusted besides `PASS` and none.
        stated_grch38: the file is on GRCh38 although its header does not say so.
        limits: how much is read.
    """

    sample: str | None = None
    absent_is_reference: bool = False
    accepted_filters: frozenset[str] = frozenset()
    stated_grch38: bool = False
    limits: Limits = field(default_factory=Limits)


def read_vcf(stream: BinaryIO, reading: Reading = Reading()) -> Sample:
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


class _Reader:
    """The state of one reading."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.found = Observations()
        self.number = 0
        self.columns = 0
        self.rows = 0
        self.with_genotypes: bool | None = None
        """Whether a row that bears on a defined position has GT; None where there is no such row."""

    def read(self, stream: BinaryIO) -> Sample:
        lines = blocks_of_lines(stream, self.reading.limits)
        column, rest = self._header(lines)
        last = self._rows(rest, column)
        for block in lines:
            last = self._rows(block, column) or last
        if not self.rows:
            raise Incorrect("VCF: the file has no rows; send one with genotypes")
        if last.count(b"\t") + 1 != self.columns:
            raise self._wrong("the last row is not complete; the file is cut off, send it again whole")
        if self.with_genotypes is False:
            raise Incorrect("VCF: no row at a defined position has a genotype (GT); send a file with genotypes")
        return self.found.sample(absent_is_reference=self.reading.absent_is_reference)

    def _header(self, lines: Iterator[list[bytes]]) -> tuple[int, list[bytes]]:
        head: list[bytes] = []
        size = 0
        for block in lines:
            for index, line in enumerate(block):
                head.append(line)
                if not line.startswith(b"##"):
                    return self._end_of_header(head), block[index + 1 :]
            size += sum(map(len, block))
            if len(head) > MOST_HEADER_LINES or size > MOST_HEADER_BYTES:
                raise TooLarge(f"VCF: more than {MOST_HEADER_LINES} lines, or 64 MiB, of header; send fewer")
        raise Incorrect(NO_HEADER)

    def _end_of_header(self, head: list[bytes]) -> int:
        self.number = len(head)
        self.columns = head[-1].count(b"\t") + 1
        return column_of(self.reading.sample, head, stated_grch38=self.reading.stated_grch38)

    def _rows(self, lines: list[bytes], column: int) -> bytes:
        """Takes what bears on the defined positions from these rows; gives the last one."""
        known = {name.encode(): one for name, one in chromosomes().items()}
        number, name, here, last = self.number, b"", None, b""
        for line in lines:
            number += 1
            if not line or line == b"\r":
                continue
            last = line
            try:
                chromosome, place, _, reference, rest = line.split(b"\t", 4)
                start = int(place)
            except ValueError:
                self.number = number
                raise self._wrong("not a row of VCF 4, parted by tabs") from None
            if chromosome != name:
                name, here = chromosome, known.get(chromosome)
                if here is not None:
                    self.found.seen(chromosome.decode())
            if here is None:
                continue
            if start in here.touched or len(reference) > 1 or b"END=" in rest:
                self.number = number
                if not place.isdigit():
                    raise self._wrong("POS is no number")
                self._row(here, start, reference, rest, column)
        self.number = number
        self.rows += bool(last)
        return last

    def _row(self, here: Chromosome, start: int, reference: bytes, rest: bytes, column: int) -> None:
        end, is_block = self._span(rest) if b"END=" in rest else (None, False)
        last = start + len(reference) - 1
        loci = here.overlapping(start, last) if end is None else here.starting(start, end)
        if not loci:
            return
        fields = rest.rstrip(b"\r").decode("utf-8", "replace").split("\t")
        if len(fields) + 4 != self.columns:
            raise self._wrong("not as many columns as the header has; the file is damaged or cut off")
        self._record(loci, start, reference.decode("ascii", "replace").upper(), fields, column, is_block=is_block)

    def _span(self, rest: bytes) -> tuple[int | None, bool]:
        """Gives the end of a reference block, or of a structural variant such as `<DEL>`, and which of them it is."""
        fields = rest.split(b"\t", 4)
        found = _END.search(fields[3]) if len(fields) > 3 else None
        is_block = fields[0].upper() in {b".", b"<NON_REF>", b"<*>"}
        spans = is_block or fields[0].startswith(b"<")
        return (int(found[1]), is_block) if found and spans else (None, False)

    def _record(
        self, loci: list[Locus], start: int, reference: str, fields: list[str], column: int, *, is_block: bool
    ) -> None:
        if not _BASES.fullmatch(reference):
            raise self._wrong("REF is no sequence of bases")
        alternates = [] if fields[0] == "." else fields[0].split(",")
        alleles = [reference, *(one.upper() for one in alternates)]
        values = dict(zip(fields[4].split(":"), fields[column - 4].split(":"), strict=False))
        self.with_genotypes = self.with_genotypes or "GT" in values
        calls = self._calls(values.get("GT", "."), len(alleles))
        reason = self._not_used(fields[2], calls, values)
        phased = "|" in values.get("GT", "")
        phase_set = values.get("PS", ".")
        for locus in loci:
            self._check_reference(locus, start, reference)
            bases = self._bases(locus, start, alleles, calls, is_block=is_block)
            if bases is not None:
                other = ",".join(alternates)
                seen = Observation(
                    bases, phased, "" if phase_set == "." else phase_set, other, bool(alternates), is_block, start
                )
                self.found.add(locus, seen, reason)

    def _calls(self, genotype: str, alleles: int) -> list[int | None]:
        if not _GENOTYPE.fullmatch(genotype):
            raise self._wrong("GT is no genotype")
        calls = [None if one == "." else int(one) for one in re.split(r"[/|]", genotype.lstrip("/|"))]
        if any(one is not None and one >= alleles for one in calls):
            raise self._wrong("GT names an allele that the row does not have")
        return calls

    def _not_used(self, filters: str, calls: list[int | None], values: Mapping[str, str]) -> str:
        if not set(filters.split(";")) - {".", ""} <= {"PASS", *self.reading.accepted_filters}:
            return f"line {self.number} of the VCF did not pass its filters"
        if len(calls) > 2:
            return f"line {self.number} of the VCF has more than two copies"
        if all(one is None for one in calls):
            return f"line {self.number} of the VCF has no genotype"
        if none := next((key for key in _NOTHING_READ if _ZERO.fullmatch(values.get(key, ""))), ""):
            return f"line {self.number} of the VCF has a genotype that no read tells ({none} is 0)"
        read = [depth for depth in values.get("AD", "").split(",") if depth not in {"", ".", "0"}]
        if len(set(calls)) > 1 and None not in calls and len(read) == 1:
            return f"line {self.number} of the VCF has two alleles in its genotype (GT) and reads of one (AD)"
        return ""

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

    def _wrong(self, text: str) -> Incorrect:
        return Incorrect(f"VCF, line {self.number}: {text}")


def _made(position: Position, start: int, reference: str, alternate: str) -> str | None:
    """Gives what an alternate allele makes of a position; None when it leaves it."""
    return bases_at(position, start, reference, alternate) if _BASES.fullmatch(alternate) else UNDOCUMENTED
