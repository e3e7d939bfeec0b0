"""VCF files for tests, in few words."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

HEAD = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=248956422>\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
Row = Sequence[object]
"""Chromosome, position, name, reference, alternates, genotype and, maybe, phase set."""


def vcf(rows: Iterable[Row], *, head: str = HEAD, samples: Sequence[str] = ("S",), filters: str = "PASS") -> bytes:
    lines = [head.rstrip("\n"), "\t".join([COLUMNS, *samples])]
    lines += (line(row, len(samples), filters) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def line(row: Row, samples: int = 1, filters: str = "PASS") -> str:
    chromosome, place, name, reference, alternates, genotype, *phase = row
    form, value = ("GT:PS", f"{genotype}:{phase[0]}") if phase else ("GT", str(genotype))
    fields = [chromosome, place, name, reference, alternates, ".", filters, ".", form, *[value] * samples]
    return "\t".join(map(str, fields))


def stream(rows: Iterable[Row], **said: object) -> io.BytesIO:
    return io.BytesIO(vcf(rows, **said))  # type: ignore[arg-type]
