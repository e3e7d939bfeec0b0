"""Where a change of the genome is, on GRCh38, and what it makes of the positions that define alleles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.genotype import UNDOCUMENTED
from fhirtwin.pgx.loci import Locus, bases_at, chromosomes, reference_agrees
from fhirtwin.pgx.places import by_rsid
from fhirtwin.twin.genomics.elements import NotRead

ACCESSIONS: Final = {
    "NC_000001.11": "chr1",
    "NC_000002.12": "chr2",
    "NC_000004.12": "chr4",
    "NC_000006.12": "chr6",
    "NC_000007.14": "chr7",
    "NC_000008.11": "chr8",
    "NC_000010.11": "chr10",
    "NC_000012.12": "chr12",
    "NC_000013.11": "chr13",
    "NC_000016.10": "chr16",
    "NC_000019.10": "chr19",
    "NC_000022.11": "chr22",
    "NC_000023.11": "chrX",
}
"""RefSeq's names of GRCh38's chromosomes. *Source*: CPIC's table of genes, column `NC`; chromosomes 4, 8 and 13 from
NCBI's assembly report of GRCh38 as public genome tools carry it."""

NO_PLACE: Final = "no definition knows its place"
OTHER_BUILD: Final = "it is not on GRCh38; positions are read on GRCh38 only"
_SUBSTITUTION: Final = re.compile(r"(NC_\d{6}\.\d{1,2}):g\.(\d{1,10})([ACGT])>([ACGT])")


@dataclass(frozen=True, slots=True)
class Change:
    """One change: on which chromosome, where, from what to what; empty where it is not told."""

    chromosome: str = ""
    start: int = 0
    reference: str = ""
    alternate: str = ""
    rsid: str = ""


def of_accession(accession: str) -> str:
    """Give the chromosome of GRCh38 that RefSeq names so; empty text for what is no chromosome.

    Raises:
        NotRead: it is a chromosome of another build.
    """
    if accession in ACCESSIONS:
        return ACCESSIONS[accession]
    stem = accession.partition(".")[0]
    if any(known.partition(".")[0] == stem for known in ACCESSIONS):
        raise NotRead(OTHER_BUILD)
    return ""


def of_hgvs(written: str) -> Change | None:
    """Read a substitution as genomic HGVS, `NC_000010.11:g.94781859G>A`; None for anything else.

    Raises:
        NotRead: it is of another build.
    """
    match = _SUBSTITUTION.fullmatch(written)
    chromosome = of_accession(match[1]) if match else ""
    return Change(chromosome, int(match[2]), match[3], match[4]) if match and chromosome else None


def made(change: Change) -> Iterator[tuple[Locus, str]]:
    """Give each defined position that a change bears on, and the bases there on a copy that has it.

    Raises:
        NotRead: its place is not known, or what is told of it does not fit together.
    """
    start, loci = _loci(change)
    for locus in loci:
        position = locus.position
        reference = change.reference or position.reference
        if not reference_agrees(position, start, reference):
            raise NotRead("its reference bases are not those that GRCh38 has there", locus.gene)
        bases = bases_at(position, start, reference, change.alternate)
        if bases == UNDOCUMENTED:
            raise NotRead("it is a change that no definition knows", locus.gene)
        if bases is not None:
            yield locus, bases


def _loci(change: Change) -> tuple[int, list[Locus]]:
    named = by_rsid().get(change.rsid) if change.rsid else None
    if change.chromosome not in chromosomes() or not change.start:
        if named is None:
            raise NotRead(NO_PLACE)
        return named.position.start, [named]
    last = change.start + max(len(change.reference), 1) - 1
    found = chromosomes()[change.chromosome].overlapping(change.start, last)
    if named is not None and named not in found:
        raise NotRead("its coordinates and its name in dbSNP are of different places", named.gene)
    if not found:
        raise NotRead(NO_PLACE)
    return change.start, found


def is_single(locus: Locus) -> bool:
    """Tell whether a position has one alternate base, so that its absence leaves the reference alone."""
    return len(locus.position.alternates) == 1
