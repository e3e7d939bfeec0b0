"""The rows of a VCF 4 file that may bear on places one asks for, and what every reader of them must check.

What is wrong with the file is refused, by the number of the line. What a row says of a place is for its reader to say.

*Source*: https://samtools.github.io/hts-specs/VCFv4.3.pdf, sections 1.6 and 5.5 (genotypes, END, `<NON_REF>`).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Generic, Protocol, TypeVar

from fhirtwin.errors import Incorrect, TooLarge
from fhirtwin.pgx.vcf_header import column_of
from fhirtwin.pgx.vcf_lines import Limits, blocks_of_lines

MOST_HEADER_LINES: Final = 100_000
MOST_HEADER_BYTES: Final = 1 << 26

NO_HEADER: Final = "VCF: no line `#CHROM`; send a VCF file, plain or gzipped"
NOT_PASSED: Final = "did not pass its filters"
"""Ends the reason of a row whose FILTER is not trusted."""

BASES: Final = re.compile(r"[ACGTNacgtn]+")
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


class Places(Protocol):
    """The places of one chromosome that one asks for."""

    @property
    def touched(self) -> Container[int]:
        """Where a row may start that bears on one of them, be it of one base and without END."""


Here = TypeVar("Here", bound=Places)


@dataclass(frozen=True, slots=True)
class Row:
    """One row, taken apart.

    Attributes:
        start: of its reference bases.
        alleles: the reference and then the others, in capitals.
        alternates: as they are written.
        calls: of the sample, by the place of the allele; None where there is none.
        values: of the sample, by the names of FORMAT.
        reason: why its genotype is not to be used; empty when it is.
    """

    start: int
    alleles: list[str]
    alternates: list[str]
    calls: list[int | None]
    values: Mapping[str, str]
    reason: str


class RowReader(ABC, Generic[Here]):
    """The state of one reading.

    Args:
        reading: what the caller states about the file.
        known: the places that one asks for, by the names of chromosomes.
    """

    def __init__(self, reading: Reading, known: Mapping[bytes, Here]) -> None:
        self.reading, self.known = reading, known
        self.number = 0
        self.columns = 0
        self.rows = 0
        self.with_genotypes: bool | None = None
        """Whether a row that bears on a place has GT; None where there is no such row."""

    def read_rows(self, stream: BinaryIO) -> None:
        """Read a file to its end.

        Raises:
            Incorrect: not VCF, cut off, or damaged; the text names the line.
            TooLarge: more than the limits allow.
            Unprocessable: on another genome build.
        """
        lines = blocks_of_lines(stream, self.reading.limits)
        column, rest = self._header(lines)
        last = self._rows(rest, column)
        for block in lines:
            last = self._rows(block, column) or last
        if not self.rows:
            raise Incorrect("VCF: the file has no rows; send one with genotypes")
        if last.count(b"\t") + 1 != self.columns:
            raise self.wrong("the last row is not complete; the file is cut off, send it again whole")

    @abstractmethod
    def seen(self, chromosome: str) -> None:
        """Take notice that there are rows of a chromosome."""

    @abstractmethod
    def row(self, here: Here, start: int, reference: bytes, rest: bytes, column: int) -> None:
        """Take from a row what bears on places.

        Args:
            here: the places of its chromosome.
            start: its POS.
            reference: its REF.
            rest: of the row, from ALT on.
            column: where the sample stands in the whole row.
        """

    def taken_apart(self, start: int, reference: bytes, rest: bytes, column: int) -> Row:
        """Take a row apart.

        Raises:
            Incorrect: it is damaged.
        """
        fields = rest.rstrip(b"\r").decode("utf-8", "replace").split("\t")
        if len(fields) + 4 != self.columns:
            raise self.wrong("not as many columns as the header has; the file is damaged or cut off")
        bases = reference.decode("ascii", "replace").upper()
        if not BASES.fullmatch(bases):
            raise self.wrong("REF is no sequence of bases")
        alternates = [] if fields[0] == "." else fields[0].split(",")
        alleles = [bases, *(one.upper() for one in alternates)]
        values = dict(zip(fields[4].split(":"), fields[column - 4].split(":"), strict=False))
        self.with_genotypes = self.with_genotypes or "GT" in values
        calls = self._calls(values.get("GT", "."), len(alleles))
        return Row(start, alleles, alternates, calls, values, self._not_used(fields[2], calls, values))

    @staticmethod
    def span(rest: bytes) -> tuple[int | None, bool]:
        """Give the end of a reference block, or of a structural variant such as `<DEL>`, and which of them it is."""
        fields = rest.split(b"\t", 4)
        found = _END.search(fields[3]) if len(fields) > 3 else None
        is_block = fields[0].upper() in {b".", b"<NON_REF>", b"<*>"}
        spans = is_block or fields[0].startswith(b"<")
        return (int(found[1]), is_block) if found and spans else (None, False)

    def wrong(self, text: str) -> Incorrect:
        """What is wrong with the row that is read."""
        return Incorrect(f"VCF, line {self.number}: {text}")

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
        """Takes what bears on the places from these rows; gives the last one."""
        known = self.known
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
                raise self.wrong("not a row of VCF 4, parted by tabs") from None
            if chromosome != name:
                name, here = chromosome, known.get(chromosome)
                if here is not None:
                    self.seen(chromosome.decode())
            if here is None:
                continue
            if start in here.touched or len(reference) > 1 or b"END=" in rest:
                self.number = number
                if not place.isdigit():
                    raise self.wrong("POS is no number")
                self.row(here, start, reference, rest, column)
        self.number = number
        self.rows += bool(last)
        return last

    def _calls(self, genotype: str, alleles: int) -> list[int | None]:
        if not _GENOTYPE.fullmatch(genotype):
            raise self.wrong("GT is no genotype")
        calls = [None if one == "." else int(one) for one in re.split(r"[/|]", genotype.lstrip("/|"))]
        if any(one is not None and one >= alleles for one in calls):
            raise self.wrong("GT names an allele that the row does not have")
        return calls

    def _not_used(self, filters: str, calls: list[int | None], values: Mapping[str, str]) -> str:
        if not set(filters.split(";")) - {".", ""} <= {"PASS", *self.reading.accepted_filters}:
            return f"line {self.number} of the VCF {NOT_PASSED}"
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
