"""The list of the FDA's Table of Pharmacogenetic Associations: which drug and gene stand in which section.

Columns drug, gene, fda_section, clinpgx_url, with tabs between.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhirtwin.pgx.knowledge import bounded, licences, plain
from fhirtwin.pgx.knowledge.clinpgx import License
from fhirtwin.pgx.knowledge.entries import Entry

NAME = "fda_pgx_associations_index.tsv"
COLUMNS = ("drug", "gene", "fda_section", "clinpgx_url")


def read(path: Path, licence: License) -> Iterator[Entry]:
    """Read every row."""
    shown = licence(licences.PUBLIC_DOMAIN)
    for number, row in bounded.table(path, COLUMNS):
        try:
            yield Entry(
                drug=plain.of(row["drug"], empty=False).casefold(),
                source="FDA",
                genes=(plain.of(row["gene"], empty=False),),
                text="FDA Table of Pharmacogenetic Associations: " + plain.of(row["fda_section"], empty=False),
                licence=shown,
                url=plain.address(row["clinpgx_url"]),
            )
        except plain.Wrong as error:
            raise plain.Wrong(f"line {number} {error}") from None
