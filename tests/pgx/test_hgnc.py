"""Numbers of genes, against numbers that were read elsewhere than in the table they came from."""

from __future__ import annotations

from fhirtwin.pgx import hgnc
from fhirtwin.pgx.results import GENES

READ_ELSEWHERE = {
    "CACNA1S": 1397, "CFTR": 1884, "CYP2B6": 2615, "CYP2C19": 2621, "CYP2C9": 2623, "CYP2D6": 2625, "CYP3A4": 2637,
    "CYP3A5": 2638, "DPYD": 3012, "G6PD": 4057, "HLA-A": 4931, "HLA-B": 4932, "IFNL3": 18365, "MT-RNR1": 7470,
    "NAT2": 7646, "NUDT15": 23063, "RYR1": 10483, "SLCO1B1": 10959, "TPMT": 12014, "UGT1A1": 12530, "VKORC1": 23663,
}  # fmt: skip
"""HL7's code systems of genes and data of ClinGen, Ensembl and laboratories, which name gene and number together."""
NCBI = {
    "ABCG2": 9429, "CACNA1S": 779, "CFTR": 1080, "CYP2B6": 1555, "CYP2C19": 1557, "CYP2C9": 1559, "CYP2D6": 1565,
    "CYP3A4": 1576, "CYP3A5": 1577, "CYP4F2": 8529, "DPYD": 1806, "G6PD": 2539, "HLA-A": 3105, "HLA-B": 3106,
    "IFNL3": 282617, "MT-RNR1": 4549, "NAT2": 10, "NUDT15": 55270, "RYR1": 6261, "SLCO1B1": 10599, "TPMT": 7172,
    "UGT1A1": 54658, "VKORC1": 79001,
}  # fmt: skip
"""Numbers of another register, which are easily taken for those of HGNC."""


def test_every_gene_has_the_number_that_others_know_it_by() -> None:
    assert set(hgnc.IDS) == set(GENES)
    assert {gene: hgnc.IDS[gene] for gene in READ_ELSEWHERE} == {g: f"HGNC:{n}" for g, n in READ_ELSEWHERE.items()}


def test_no_number_is_that_of_another_register_or_of_two_genes() -> None:
    assert len(set(hgnc.IDS.values())) == len(hgnc.IDS)
    assert not {gene for gene, id_ in hgnc.IDS.items() if id_ == f"HGNC:{NCBI[gene]}"}
