"""Contraindications of labels that are genetic."""

from __future__ import annotations

import pytest

from fhirtwin.pgx import hla, labels, phenotype
from fhirtwin.pgx.results import Known, Pair


def _met(drug: str, *calls: Known, disease: str = "") -> list[bool | None]:
    told = {call.gene: phenotype.of_call(call) for call in calls}
    alleles = {call.gene: hla.statuses(call) for call in calls}
    by_gene = {call.gene: call for call in calls}
    return [one.met for one in labels.find(drug, told, alleles, by_gene, frozenset({disease} - {""}))]


def test_valproate_is_raised_for_polg_and_named_when_nobody_looked() -> None:
    assert _met("Divalproex Sodium", disease="POLG") == [True]
    assert _met("valproic acid") == [None]


@pytest.mark.parametrize(
    ("drug", "gene", "pair", "met"),
    [
        ("siponimod", "CYP2C9", "*3/*3", True),
        ("siponimod", "CYP2C9", "*2/*3", False),
        ("abacavir", "HLA-B", "*57:01/*07:02", True),
        ("abacavir", "HLA-B", "*08:01/*07:02", False),
        ("abacavir", "HLA-B", "*57/*07:02", None),
        ("rasburicase", "G6PD", "Mahidol/Mahidol", True),
        ("rasburicase", "G6PD", "Mahidol/A", None),
        ("rasburicase", "G6PD", "A/A", False),
        ("thioridazine", "CYP2D6", "*4/*5", True),
        ("thioridazine", "CYP2D6", "*1/*5", False),
        ("thioridazine", "CYP2D6", "*1/*999", None),
    ],
)
def test_genotypes_that_a_label_forbids(drug: str, gene: str, pair: str, met: bool | None) -> None:
    assert _met(drug, Known(gene, (Pair(*pair.split("/")),))) == [met]


def test_drugs_without_such_a_label_have_none() -> None:
    assert _met("sertraline") == []
