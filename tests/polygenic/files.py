"""Writes scoring files and VCF files for tests. All of it is made up; no published score is here."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from typing import Any, BinaryIO

HEADER = {
    "format_version": "2.0",
    "pgs_id": "PGS999999",
    "pgs_name": "illustration",
    "trait_reported": "nothing",
    "genome_build": "GRCh37",
    "variants_number": None,
    "weight_type": "beta",
    "citation": "nobody",
    "license": "for tests",
    "HmPOS_build": "GRCh38",
}
COLUMNS = ["rsID", "effect_allele", "other_allele", "effect_weight", "allelefrequency_effect"]
COLUMNS += ["hm_source", "hm_rsID", "hm_chr", "hm_pos"]
ROWS = [
    ["rs1", "A", "G", "0.5", "0.25", "ENSEMBL", "rs1", "1", "1000"],
    ["rs2", "C", "T", "-0.25", "0.5", "ENSEMBL", "rs2", "1", "2000"],
    ["rs3", "T", "G", "1e-1", "", "liftover", "rs3", "2", "500"],
    ["rs4", "AT", "A", "2", "0.1", "ENSEMBL", "rs4", "22", "70"],
]


def scoring(
    rows: Iterable[list[str]] = ROWS, columns: list[str] = COLUMNS, *, packed: bool = False, **header: Any
) -> BinaryIO:
    """A scoring file; header lines that are None are left out, the number of variants is right unless it is given."""
    rows = list(rows)
    told = HEADER | {"variants_number": str(len(rows))} | header
    text = "###PGS CATALOG SCORING FILE\n##POLYGENIC SCORE (PGS) INFORMATION\n"
    text += "".join(f"#{key}={value}\n" for key, value in told.items() if value is not None)
    text += "".join("\t".join(row) + "\n" for row in [columns, *rows])
    data = text.encode()
    return io.BytesIO(gzip.compress(data) if packed else data)


def changed(place: int, **values: str) -> list[list[str]]:
    """The rows, of one of them some columns changed."""
    rows = [list(row) for row in ROWS]
    for name, value in values.items():
        rows[place][COLUMNS.index(name)] = value
    return rows


def vcf(*rows: str, header: str = "##reference=GRCh38\n", samples: str = "S") -> BinaryIO:
    """A VCF; a row is CHROM POS REF ALT GT, and after that FILTER and INFO when they are not `PASS` and `.`."""
    lines = []
    for row in rows:
        chromosome, position, reference, alternates, genotype, *more = row.split()
        quality, info = [*more, *("PASS", ".")[len(more) :]]
        lines.append(f"{chromosome}\t{position}\t.\t{reference}\t{alternates}\t.\t{quality}\t{info}\tGT\t{genotype}\n")
    head = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples.split()])
    return io.BytesIO(f"##fileformat=VCFv4.3\n{header}{head}\n{''.join(lines)}".encode())
