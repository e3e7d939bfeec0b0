"""Variants of DPYD by the name that laboratories give them, `NM_000110.4:c.1905+1G>A`.

The definitions name the variants of DPYD as this transcript does. *Source*: https://www.ncbi.nlm.nih.gov/clinvar/RCV000030868
(NM_000110.4, MANE Select, and NM_000110.3: c.1905+1G>A is NC_000001.11:g.97450058C>T, rs3918290).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from fhirtwin.pgx.defined import Gene, genes
from fhirtwin.pgx.variant_lists import EXON, HAPB3
from fhirtwin.twin.genomics.place import Change

_WRITTEN: Final = re.compile(r"NM_000110\.[34](?:\(DPYD\))?:(c\.[0-9A-Za-z_+>*-]{3,60})")


def of_hgvs(written: str) -> Change | None:
    """Read a name on the transcript of DPYD; None for anything else, and for a variant that is not defined."""
    match = _WRITTEN.fullmatch(written)
    return _changes().get(match[1]) if match else None


@cache
def _changes() -> Mapping[str, Change]:
    gene = genes()["DPYD"]
    alone = (allele for allele in gene.alleles if len(allele.bases) == 1)
    found = {allele.name.partition(" ")[0]: _change(gene, *next(iter(allele.bases.items()))) for allele in alone}
    exon = gene.by_rsid[EXON].index
    exonic = next(name for name in HAPB3.split(" (")[0].split(", ") if name not in found)
    return {**found, exonic: _change(gene, exon, gene.by_name[HAPB3].bases[exon])}


def _change(gene: Gene, index: int, bases: frozenset[str]) -> Change:
    position, (base,) = gene.positions[index], bases
    return Change(gene.chromosome, position.start, position.reference, base)
