"""The genes of the tables by the numbers that HGNC gave them, which is how FHIR names genes.

*Source*: CPIC's table of genes (CC0 1.0), column `hgncid`, which of DPYD has the number that NCBI gave it (1806, with
HGNC that of CDX2); https://www.genenames.org.
"""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "http://www.genenames.org"
"""The code system as HL7's Genomics Reporting writes it from STU3 on."""

IDS: Final = {
    "ABCG2": "HGNC:74",
    "CACNA1S": "HGNC:1397",
    "CFTR": "HGNC:1884",
    "CYP2B6": "HGNC:2615",
    "CYP2C19": "HGNC:2621",
    "CYP2C9": "HGNC:2623",
    "CYP2D6": "HGNC:2625",
    "CYP3A4": "HGNC:2637",
    "CYP3A5": "HGNC:2638",
    "CYP4F2": "HGNC:2645",
    "DPYD": "HGNC:3012",
    "G6PD": "HGNC:4057",
    "HLA-A": "HGNC:4931",
    "HLA-B": "HGNC:4932",
    "IFNL3": "HGNC:18365",
    "MT-RNR1": "HGNC:7470",
    "NAT2": "HGNC:7646",
    "NUDT15": "HGNC:23063",
    "RYR1": "HGNC:10483",
    "SLCO1B1": "HGNC:10959",
    "TPMT": "HGNC:12014",
    "UGT1A1": "HGNC:12530",
    "VKORC1": "HGNC:23663",
}
"""Symbol to id, of every gene in `fhirtwin.pgx.results.GENES`."""

SYMBOLS: Final = {id_: symbol for symbol, id_ in IDS.items()}
"""Id to symbol."""
