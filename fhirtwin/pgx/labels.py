"""Contraindications on labels that are genetic: raised when they are known, named when nobody has looked.

Only those of which a text was read are here; other rows of the FDA's table are named by `currency.of_drug`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.pgx.results import GenePhenotype, Known


@dataclass(frozen=True, slots=True)
class Contraindication:
    """What a label forbids to people with a certain gene.

    Attributes:
        drugs: ingredients.
        gene: HGNC symbol.
        when: for people: of whom it speaks.
        words: phenotypes that mean it.
        allele: an allele that means it when it is there.
        diplotype: a pair of alleles that means it.
        source: what was read.
        url: where.
    """

    drugs: tuple[str, ...]
    gene: str
    when: str
    source: str
    url: str
    words: tuple[str, ...] = ()
    allele: str = ""
    diplotype: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A contraindication and whether it is this person's: `met`, or None when it is not known."""

    contraindication: Contraindication
    met: bool | None


CONTRAINDICATIONS: Final = (
    Contraindication(
        ("valproic acid", "valproate", "sodium valproate", "divalproex sodium", "divalproex"),
        "POLG",
        "mitochondrial disease caused by variants of POLG: fatal liver failure",
        "Systematic review, BMJ Neurol Open 2024;6:e000650, and the label's boxed warning on mitochondrial disease",
        "https://neurologyopen.bmj.com/content/6/1/e000650",
    ),
    Contraindication(
        ("siponimod",),
        "CYP2C9",
        "CYP2C9 *3/*3",
        "FDA Table of Pharmacogenetic Associations, section 1: not to be used with this genotype",
        "https://www.fda.gov/medical-devices/precision-medicine/table-pharmacogenetic-associations",
        diplotype=("*3", "*3"),
    ),
    Contraindication(
        ("abacavir",),
        "HLA-B",
        "carriers of HLA-B*57:01: hypersensitivity",
        "FDA Table of Pharmacogenetic Associations, section 1, as reprinted by MPR",
        "https://www.empr.com/home/clinical-charts/pharmacogenetic-considerations-for-psychotropic-drugs/",
        allele="*57:01",
    ),
    Contraindication(
        ("rasburicase",),
        "G6PD",
        "G6PD deficiency: haemolysis",
        "FDA label (2019), as quoted in NCBI MedGen",
        "https://www.ncbi.nlm.nih.gov/medgen/CN078005",
        words=("Deficient", "Deficient with CNSHA"),
    ),
    Contraindication(
        ("thioridazine",),
        "CYP2D6",
        "poor metabolizers of CYP2D6: arrhythmia",
        "FDA label, section Contraindications, and FDA Table of Pharmacogenetic Associations, section 1",
        "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid=1fd16a99-e856-4a37-9dae-c443714fac14",
        words=("Poor Metabolizer",),
    ),
)


def find(
    drug: str,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]] | None = None,
    calls: Mapping[str, Known] | None = None,
    disease_genes: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Name what a drug's label forbids for genes, and whether it is met.

    Args:
        drug: ingredient, in any case.
        phenotypes: by gene.
        alleles: by HLA gene, allele and status.
        calls: by gene.
        disease_genes: genes of which a diagnosis says that they cause this person's disease (`POLG`).
    """
    found = []
    for one in CONTRAINDICATIONS:
        if drug.strip().casefold() in one.drugs:
            met = one.gene in disease_genes or _met(one, phenotypes, alleles or {}, calls or {})
            found.append(Finding(one, met))
    return tuple(found)


def _met(
    one: Contraindication,
    phenotypes: Mapping[str, GenePhenotype],
    alleles: Mapping[str, Mapping[str, str]],
    calls: Mapping[str, Known],
) -> bool | None:
    if one.allele:
        status = alleles.get(one.gene, {}).get(one.allele)
        return None if status is None else status == "positive"
    if one.diplotype and one.gene in calls and calls[one.gene].diplotypes:
        return any({pair.first, pair.second} == set(one.diplotype) for pair in calls[one.gene].diplotypes)
    told = phenotypes.get(one.gene)
    if one.words and told and told.alternatives:
        words = {each.word for each in told.alternatives}
        if words & set(one.words):
            return True
        return None if "Indeterminate" in words or "Variable" in words or told.not_called else False
    return None
